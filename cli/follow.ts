import { CarryoverError } from '../contract/errors.ts';
import type { Job } from '../contract/jobs.ts';
import type { Workbench } from '../host/workbench.ts';
import { progressLine } from './output.ts';

/**
 * Shows a job's progress until it ends and returns its result. Throws what made it fail, or
 * `cancelled`.
 * @param what the job in messages: "the download"
 * @param interrupt what Ctrl-C does; absent: it cancels the job
 */
export async function followJob(
  { context }: Workbench,
  job: Job,
  what: string,
  interrupt = (): void => void context.jobs.cancel(job.id),
): Promise<string> {
  const line = progressLine();
  const unsubscribe = context.events.subscribe((event) => {
    if (event.type === 'job' && event.job.id === job.id && event.job.progress) {
      line.show(event.job.progress);
    }
  });
  process.on('SIGINT', interrupt);
  try {
    const { status, failure, result } = await context.jobs.wait(job.id);
    if (status === 'done') return result ?? '';
    if (failure) throw new CarryoverError(failure.code, failure.message, failure.detail);
    throw new CarryoverError('cancelled', `${what} is ${status}`);
  } finally {
    process.off('SIGINT', interrupt);
    unsubscribe();
    line.end();
  }
}
