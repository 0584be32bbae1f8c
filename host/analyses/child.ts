import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostContext, JobHandle } from '../context.ts';
import { writeFileAtomic } from '../files.ts';
import { RateMeter } from '../jobs/rate.ts';
import { startChild } from '../studies/child.ts';
import type {
  AnalysisMessage,
  FeaturesJob,
  FeaturesMessage,
  MapJob,
  MapMessage,
  SuspectsJob,
  SuspectsMessage,
} from './protocol.ts';

interface Programs {
  features: { job: FeaturesJob; message: FeaturesMessage };
  map: { job: MapJob; message: MapMessage };
  suspects: { job: SuspectsJob; message: SuspectsMessage };
}

type Done<M extends AnalysisMessage> = Extract<M, { type: 'done' }>;

/**
 * Computes in a process of its own, off the host's event loop and memory; cancelling the job ends it.
 * Throws what it said as its failure, or how it died.
 */
export async function computeApart<P extends keyof Programs>(
  { home }: HostContext,
  handle: JobHandle,
  program: P,
  job: Programs[P]['job'],
): Promise<Done<Programs[P]['message']>> {
  handle.signal.throwIfAborted();
  const path = fileURLToPath(new URL(`./${program}-main.ts`, import.meta.url));
  const jobFile = join(home.cache, `${program}-${handle.id}.json`);
  await writeFileAtomic(jobFile, JSON.stringify(job));
  try {
    const tell = progressTo(handle);
    const told = { name: 'process of the analysis', wayOut: 'start it again' };
    const child = startChild<Programs[P]['message'], never>(path, jobFile, tell, told);
    const abort = (): void => child.kill();
    handle.signal.addEventListener('abort', abort);
    const done = await child.ended.finally(() => handle.signal.removeEventListener('abort', abort));
    handle.signal.throwIfAborted();
    if (done === null) throw new Error('the analysis ended without a result');
    return done as Done<Programs[P]['message']>;
  } finally {
    await rm(jobFile, { force: true });
  }
}

function progressTo(handle: JobHandle) {
  let meter = new RateMeter();
  let phase = '';
  return (message: Exclude<AnalysisMessage, { type: 'done' | 'failed' }>): void => {
    if (message.phase !== phase) meter = new RateMeter();
    ({ phase } = message);
    const { done, total, unit } = message;
    handle.progress({ phase, done, total, unit, ...meter.update(done, total) });
  };
}
