/** The child process that searches for a learning rate: `node rate-main.ts <job.json>`. */
import { buildModel } from '../../engine/models/registry.ts';
import { findRate } from '../../engine/train/rate-finder.ts';
import { runChild } from './child.ts';
import { withLearnt } from './learnt.ts';
import { modelOptions, openLoader } from './open-loader.ts';
import type { RateJob, RateMessage, TrainerMessage } from './protocol.ts';
import { startOf } from './start.ts';
import { trainerSettings } from './train.ts';

process.on('SIGINT', () => undefined);

await runChild<RateJob, RateMessage>(async ({ job: given }, send) => {
  const tell = (message: TrainerMessage): void => {
    if (message.type === 'preparing') send(message);
  };
  const job = await withLearnt(given, tell, false);
  const loader = await openLoader(job, tell);
  try {
    const options = modelOptions(job);
    const train = loader.source('learn') ?? loader.source('train');
    if (!train) throw new Error('a job has training images');
    const { weights } = await startOf(job, buildModel(options).parameters);
    const { training } = job;
    const { rates, smoothed, suggestion, why } = await findRate({
      ...{ options, training, weights, train, session: trainerSettings(job) },
      onStep: (step) => send({ type: 'rate', ...step }),
    });
    send({ type: 'done', search: { rates, losses: smoothed, suggestion, why } });
  } finally {
    await loader.close();
  }
});
