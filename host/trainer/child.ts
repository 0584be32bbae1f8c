import { readFile } from 'node:fs/promises';
import type { Failure } from '../../contract/errors.ts';
import { toFailure } from '../../contract/errors.ts';

/**
 * Frame of a child process that does one job: reads the JSON file named by its first argument,
 * works, says `failed` on a throw, ends when everything is said or the host is gone.
 */
export async function runChild<Job, Message>(
  work: (job: Job, send: (message: Message) => void) => Promise<void>,
): Promise<void> {
  let sent: Promise<void> = Promise.resolve();
  const send = (message: Message | { type: 'failed'; failure: Failure }): void => {
    sent = new Promise((resolve) => {
      if (!process.connected || !process.send) resolve();
      else process.send(message, undefined, {}, () => resolve());
    });
  };
  // Without its host the child would work for nobody.
  process.on('disconnect', () => process.exit(0));
  try {
    const [, , path] = process.argv;
    if (path === undefined) throw new Error('the job file is not named');
    await work(JSON.parse(await readFile(path, 'utf8')) as Job, send);
  } catch (error) {
    send({ type: 'failed', failure: toFailure(error) });
    process.exitCode = 1;
  }
  await sent;
  if (process.connected) process.disconnect();
}
