/**
 * The child process that trains one run: `node main.ts <job.json>`, spoken to as `protocol.ts`
 * says. It writes inside the run's folder (and the decoded cache) only, and may be killed at any
 * moment: started again with the same job it goes on from the journal, bit for bit.
 */
import { readFile } from 'node:fs/promises';
import { toFailure } from '../../contract/errors.ts';
import type { TrainerCommand, TrainerJob, TrainerMessage } from './protocol.ts';
import { train } from './train.ts';

let pausing = false;
let sent: Promise<void> = Promise.resolve();

function send(message: TrainerMessage): void {
  sent = new Promise((resolve) => {
    if (!process.connected || !process.send) resolve();
    else process.send(message, undefined, {}, () => resolve());
  });
}

process.on('message', (command: TrainerCommand) => {
  if (command.type === 'cancel') process.exit(0);
  pausing = true;
});
// Without its host the child would train for nobody; the journal keeps what is done.
process.on('disconnect', () => process.exit(0));

async function main(): Promise<void> {
  const path = process.argv[2];
  if (path === undefined) throw new Error('usage: main.ts <job.json>');
  const job = JSON.parse(await readFile(path, 'utf8')) as TrainerJob;
  await train(
    job,
    send,
    () => pausing,
  );
}

try {
  await main();
} catch (error) {
  send({ type: 'failed', failure: toFailure(error) });
  process.exitCode = 1;
}
await sent;
if (process.connected) process.disconnect();
