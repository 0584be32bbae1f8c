import { CarryoverError } from '../../contract/errors.ts';
import type { Job } from '../../contract/jobs.ts';
import type { Place } from '../../engine/transforms/place.ts';
import type { HostContext, JobHandle } from '../context.ts';
import { areCurrent, computeAnalyses } from './analyses/run.ts';
import { judgeClaims } from './analyses/claims.ts';
import { viewOf } from './analyses/view.ts';
import { checkPresent } from '../trainer/present.ts';
import { issuesError } from './parse.ts';
import type { ExpandedStudy, PlannedRun } from './plan.ts';
import { expandStudy } from './plan.ts';
import { imagesOfRun, StudyProgress } from './progress.ts';
import { writeReport } from './report/write.ts';
import { computeResults } from './results.ts';
import { isFinished } from './run-files.ts';
import { readStudy } from './save.ts';
import {
  cancelStudyRuns,
  setStudyJob,
  setStudyStatus,
  storedRuns,
  storedStudy,
  storeParts,
  storeResults,
} from './store.ts';
import type { StudyStatus } from './store.ts';
import { studyDetail, studySummary } from './study-rows.ts';
import type { Stop } from './training.ts';
import { attempt, trainRun } from './training.ts';
import type { Turns } from './turns.ts';

/** Runs studies, one at a time, each as a job. */
export interface StudyRunner {
  /** Starts or goes on with a study. Throws `conflict` when it is running already. */
  start(studyId: string): Job;
  /** Resolves when the study has stopped after writing its journal. Throws `conflict`. */
  pause(studyId: string): Promise<void>;
  /** Stops at once; the journal stays. Resolves when it has stopped. Throws `conflict`. */
  cancel(studyId: string): Promise<void>;
  isRunning(studyId: string): boolean;
}

interface Live {
  job: Job;
  stop: StudyStop;
  ended: Promise<void>;
}

/** `pausing`: for what has no journal of its own, and is stopped like a cancelled one. */
type StudyStop = Stop & { pausing: AbortController };

const PAUSED = new CarryoverError('cancelled', 'the study was paused');

export function createStudyRunner(context: HostContext, inTurn: Turns): StudyRunner {
  const live = new Map<string, Live>();

  function requireLive(studyId: string): Live {
    const entry = live.get(studyId);
    if (entry) return entry;
    const { name, status } = studySummary(context.db, studyId);
    throw new CarryoverError('conflict', `the study "${name}" is not running, it is ${status}`);
  }

  function start(studyId: string): Job {
    const { name } = studySummary(context.db, studyId);
    if (live.has(studyId)) throw new CarryoverError('conflict', `"${name}" is already running`);
    const stop: StudyStop = { asked: null, training: null, pausing: new AbortController() };
    const description = { kind: 'study', title: `Study ${name}`, subject: studyId } as const;
    const job = context.jobs.start(description, (handle) =>
      inTurn(() => runStudy(context, studyId, handle, stop)).finally(() => live.delete(studyId)),
    );
    const ended = context.jobs.wait(job.id).then(({ status }) => {
      if (status === 'cancelled') markCancelled(context, studyId);
    });
    live.set(studyId, { job, stop, ended });
    setStudyJob(context.db, studyId, job.id);
    setStatus(context, studyId, 'running');
    return job;
  }

  async function pause(studyId: string): Promise<void> {
    const { stop, ended } = requireLive(studyId);
    stop.asked ??= 'pause';
    stop.training?.stop({ type: 'pause' });
    stop.pausing.abort(PAUSED);
    await ended;
  }

  async function cancel(studyId: string): Promise<void> {
    const { job, ended } = requireLive(studyId);
    context.jobs.cancel(job.id);
    await ended;
  }

  return { start, pause, cancel, isRunning: (studyId) => live.has(studyId) };
}

function setStatus(context: HostContext, studyId: string, status: StudyStatus): void {
  setStudyStatus(context.db, studyId, status);
  context.events.emit({ type: 'study', study: studySummary(context.db, studyId) });
}

/** A study that was stopped is `interrupted` until its job turns out to have been cancelled. */
function markCancelled(context: HostContext, studyId: string): void {
  cancelStudyRuns(context.db, studyId);
  setStatus(context, studyId, 'cancelled');
}

/** Trains what is not done, compares, reports. Throws what stopped it. */
async function runStudy(
  context: HostContext,
  studyId: string,
  handle: JobHandle,
  stop: StudyStop,
): Promise<string> {
  const abort = (): void => {
    stop.asked = 'cancel';
    stop.training?.stopNow({ type: 'cancel' });
  };
  handle.signal.addEventListener('abort', abort);
  if (handle.signal.aborted) abort();
  try {
    const study = refreshed(context, studyId);
    const ended = await trainAll(context, { id: studyId, study }, handle, stop);
    const done = ended && (await concluded(context, { id: studyId, study }, handle, stop));
    handle.signal.throwIfAborted();
    setStatus(context, studyId, done ? 'done' : 'paused');
    return studyId;
  } catch (error) {
    const status = handle.signal.aborted ? 'interrupted' : 'failed';
    attempt(() => setStatus(context, studyId, status));
    throw error;
  } finally {
    handle.signal.removeEventListener('abort', abort);
  }
}

interface StoredStudy {
  id: string;
  study: ExpandedStudy;
}

async function trainAll(
  context: HostContext,
  { id: studyId, study }: StoredStudy,
  handle: JobHandle,
  stop: Stop,
): Promise<boolean> {
  const waiting = study.runs.filter((run) => !isFinished(context, run.id, run.keepEpochs));
  await checkPresent(placesOf(waiting));
  const total = waiting.reduce((sum, run) => sum + imagesOfRun(run), 0);
  const progress = new StudyProgress(total, (each) => handle.progress(each));
  for (const run of waiting) {
    if (stop.asked !== null) return false;
    if (!(await trainRun(context, run, studyId, progress, stop))) return false;
  }
  return stop.asked === null;
}

/** Of all images that the runs need: a lost one is to stop hours of training first. */
function placesOf(runs: readonly PlannedRun[]): Place[] {
  const lists = new Set(
    runs.flatMap((run) => [run.train, run.source ?? [], run.validation ?? [], run.test ?? []]),
  );
  return [...lists].flatMap((images) => images.map(({ place }) => place));
}

/** False when it was paused; a cancel is thrown. */
async function concluded(
  context: HostContext,
  study: StoredStudy,
  handle: JobHandle,
  { pausing }: StudyStop,
): Promise<boolean> {
  const signal = AbortSignal.any([handle.signal, pausing.signal]);
  const progress: JobHandle['progress'] = (each) => handle.progress(each);
  try {
    await conclude(context, study, { id: handle.id, signal, progress });
    return true;
  } catch (error) {
    if (error === PAUSED) return false;
    throw error;
  }
}

async function conclude(
  context: HostContext,
  { id: studyId, study }: StoredStudy,
  handle: JobHandle,
): Promise<void> {
  const tell = (phase: string, done: number, total: number, unit: string) =>
    handle.progress({ phase, done, total, unit, rate: null, secondsLeft: null });
  const basic = await computeResults(
    context,
    studyId,
    study,
    (done, total) => tell('comparing runs', done, total, 'pairs'),
    handle.signal,
  );
  const view = viewOf(context, studyId, study);
  const analyses = await computeAnalyses(view, context, handle);
  const claims = judgeClaims(context, study.spec.claims, analyses);
  storeResults(context.db, studyId, { ...basic, analyses, claims });
  tell('writing the report', 0, 1, 'reports');
  await writeReport(context, studyId, handle.signal);
}

/**
 * A stored study laid out over its data as it is now. Throws `bad-input` when it no longer fits.
 * @param file that it is in, named in messages
 */
export function expandStored(
  { db }: Pick<HostContext, 'db'>,
  studyId: string,
  file?: string,
): ExpandedStudy {
  const parsed = readStudy({ db }, storedStudy(db, studyId).yaml);
  if (parsed.spec === null) throw issuesError(parsed.issues, file);
  const { study, problems } = expandStudy(db, parsed.spec);
  if (study === null) throw issuesError(parsed.locate(problems), file);
  return study;
}

/**
 * A study that is to be trained. Its runs are stored anew where they are others than when it was:
 * a newer version computes other numbers from the same file.
 */
function refreshed({ db }: HostContext, studyId: string): ExpandedStudy {
  const study = expandStored({ db }, studyId);
  const planned = study.runs.map(({ id }) => id);
  const stored = storedRuns(db, studyId);
  if (planned.some((id) => !stored.has(id))) {
    storeParts(db, studyId, study);
  }
  return study;
}

/**
 * Whether a study has its report and everything behind it: running it would change nothing. Runs of
 * other labels that are done already are not what its results are of, and analyses of an earlier
 * version or with their pictures gone are not those it asks for. Rejects as `expandStored` throws.
 */
export async function isUpToDate(
  context: HostContext,
  studyId: string,
  file?: string,
): Promise<boolean> {
  const study = expandStored(context, studyId, file);
  const { status, results, reportUrl } = studyDetail(context, studyId);
  if (status !== 'done' || results === null || reportUrl === null) return false;
  const stored = storedRuns(context.db, studyId);
  const isDone = ({ id, keepEpochs }: PlannedRun) =>
    stored.has(id) && isFinished(context, id, keepEpochs);
  if (!study.runs.every(isDone)) return false;
  return areCurrent(viewOf(context, studyId, study), results.analyses);
}
