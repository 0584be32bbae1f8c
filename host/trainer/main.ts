/**
 * The child process that trains one run: `node main.ts <job.json>`, spoken to as `protocol.ts`
 * says. It writes inside the run's folder (and the decoded cache) only, and may be killed at any
 * moment: started again with the same job it goes on from the journal, bit for bit.
 */
import { runChild } from './child.ts';
import type { TrainerCommand, TrainerJob, TrainerMessage } from './protocol.ts';
import { train } from './train.ts';

let pausing = false;
// Ctrl-C in a terminal reaches the whole process group; the host decides what becomes of the run.
process.on('SIGINT', () => undefined);
process.on('message', (command: TrainerCommand) => {
  if (command.type === 'cancel') process.exit(0);
  pausing = true;
});

await runChild<TrainerJob, TrainerMessage>((job, send) => train(job, send, () => pausing));
