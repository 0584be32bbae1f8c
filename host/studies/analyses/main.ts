/** The process that measures for one analysis: `node main.ts <job.json>`. */
import { runChild } from '../../trainer/child.ts';
import { Laboratory } from './laboratory.ts';
import { MEASURES } from './measures.ts';
import type { MeasureJob, MeasureMessage } from './protocol.ts';

await runChild<MeasureJob, MeasureMessage>(async (given, send) => {
  const load = MEASURES[given.name];
  if (!load) throw new Error(`nothing measures ${given.name}`);
  const { measure } = await load();
  const lab = new Laboratory(given, (progress) => send({ type: 'progress', ...progress }));
  try {
    const measured = await measure(given.job as never, lab);
    send({ type: 'done', measured });
  } finally {
    await lab.close();
  }
});
