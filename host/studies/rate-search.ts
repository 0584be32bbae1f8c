import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RateSearch } from '../../contract/api.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Job } from '../../contract/jobs.ts';
import type { HostContext, JobHandle } from '../context.ts';
import { deviceToTrainOn } from '../devices/use.ts';
import { fileError, systemCode, writeFileAtomic } from '../files.ts';
import { RateMeter } from '../jobs/rate.ts';
import type { RateJob, RateMessage } from '../trainer/protocol.ts';
import { RATE_FINDER, startChild } from './child.ts';
import { sha256 } from './identity.ts';
import { issuesError } from './parse.ts';
import type { PlannedRun } from './plan.ts';
import { expandStudy } from './plan.ts';
import { startFile } from './run-files.ts';
import { readStudy } from './save.ts';
import { trainerJob } from './training.ts';
import type { Turns } from './turns.ts';

/** Searches for learning rates, in turn with the studies. */
export interface RateSearcher {
  /** Starts a search for an arm of a study file; the job's result is what `get` takes. */
  find(yaml: string, arm: string): Job;
  /** A search that was finished, at any time. Throws `not-found`. */
  get(id: string): RateSearch;
}

export function createRateSearcher(context: HostContext, inTurn: Turns): RateSearcher {
  return {
    find(yaml, arm) {
      const { name, run } = runOf(context, yaml, arm);
      const description = {
        kind: 'rate',
        title: `Learning rate of ${arm}`,
        subject: name,
      } as const;
      return context.jobs.start(description, (handle) =>
        inTurn(() => search(context, { studyName: name, arm, run }, handle)),
      );
    },
    get: (id) => readSearch(context, id),
  };
}

/** The run that the search is made with: the arm's first seed, not shuffled where it can be. */
function runOf(context: HostContext, yaml: string, arm: string): { name: string; run: PlannedRun } {
  const parsed = readStudy(context, yaml);
  if (parsed.spec === null) throw issuesError(parsed.issues);
  const { study, problems } = expandStudy(context.db, parsed.spec);
  if (study === null) throw issuesError(parsed.locate(problems));
  const runs = study.runs.filter((run) => run.spec.kind === 'target' && run.arm === arm);
  const run = runs.find(({ spec }) => spec.shuffle === 'none') ?? runs[0];
  const { name, arms } = parsed.spec;
  if (!run) {
    throw new CarryoverError('not-found', `the study "${name}" has no arm "${arm}"`, {
      value: arm,
      wayOut: `its arms are ${Object.keys(arms).join(', ')}`,
    });
  }
  requireStart(context, run, Object.keys(arms));
  return { name, run };
}

/** What the arm starts from must have been trained. */
function requireStart(context: HostContext, { arm, spec }: PlannedRun, arms: string[]): void {
  if (typeof spec.start === 'string' || 'checkpoint' in spec.start) return;
  if (startFile(context, spec.start) !== null) return;
  const others = arms.filter((each) => each !== arm).join(' or ');
  throw new CarryoverError('conflict', `the run that "${arm}" starts from is not trained yet`, {
    value: arm,
    wayOut: `run the study first (what it trains is kept)${others && `, or search with ${others}`}`,
  });
}

async function search(
  context: HostContext,
  { studyName, arm, run }: { studyName: string; arm: string; run: PlannedRun },
  handle: JobHandle,
): Promise<string> {
  handle.signal.throwIfAborted();
  const id = `l${sha256(run.id + arm + studyName).slice(0, 16)}`;
  const jobFile = join(context.home.cache, `rate-${id}.json`);
  const device = await deviceToTrainOn(context, {
    signal: handle.signal,
    onProgress: (phase, done, total) =>
      handle.progress({ phase, done, total, unit: 'devices', rate: null, secondsLeft: null }),
  });
  const place = { folder: context.home.cache, kept: [] };
  const job: RateJob = { job: trainerJob(context, run, device, place) };
  await writeFileAtomic(jobFile, JSON.stringify(job));
  try {
    const meter = new RateMeter();
    const child = startChild<RateMessage, never>(RATE_FINDER, jobFile, (message) =>
      tell(handle, meter, message),
    );
    const abort = (): void => child.kill();
    handle.signal.addEventListener('abort', abort);
    const done = await child.ended.finally(() => handle.signal.removeEventListener('abort', abort));
    handle.signal.throwIfAborted();
    if (done === null) throw new Error('the search ended without a result');
    const result: RateSearch = { id, studyName, arm, ...done.search };
    await writeFileAtomic(fileOf(context, id), `${JSON.stringify(result, null, 2)}\n`);
    return id;
  } finally {
    await rm(jobFile, { force: true });
  }
}

type Report = Exclude<RateMessage, { type: 'done' | 'failed' }>;

function tell(handle: JobHandle, meter: RateMeter, message: Report): void {
  if (message.type === 'preparing') {
    const { done, total } = message;
    handle.progress({
      ...{ phase: 'reading images', done, total, unit: 'images', rate: null, secondsLeft: null },
    });
    return;
  }
  const { step, steps, rate: learningRate, loss } = message;
  const phase = `at rate ${learningRate.toExponential(1)} the loss is ${loss.toPrecision(3)}`;
  const { rate, secondsLeft } = meter.update(step, steps);
  handle.progress({ phase, done: step, total: steps, unit: 'steps', rate, secondsLeft });
}

function fileOf({ home }: HostContext, id: string): string {
  return join(home.rates, `${id}.json`);
}

function readSearch(context: HostContext, id: string): RateSearch {
  // An id names a file: nothing else may.
  const file = /^l[0-9a-f]{16}$/.test(id) ? fileOf(context, id) : null;
  try {
    if (file !== null) return JSON.parse(readFileSync(file, 'utf8')) as RateSearch;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw fileError(error, file ?? id, 'read');
  }
  throw new CarryoverError('not-found', `there is no learning-rate search ${id}`, {
    value: id,
    wayOut: 'search again',
  });
}
