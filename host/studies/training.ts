import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CarryoverError, toFailure } from '../../contract/errors.ts';
import type { RunProgress } from '../../contract/runs.ts';
import { stream } from '../../engine/random/streams.ts';
import { cacheBound } from '../cache.ts';
import { checkpointFile } from '../checkpoints/store.ts';
import type { HostContext } from '../context.ts';
import { databaseError } from '../db/errors.ts';
import type { DeviceInUse } from '../devices/use.ts';
import { deviceToTrainOn } from '../devices/use.ts';
import { fileError, writeFileAtomic } from '../files.ts';
import type { TrainerCommand, TrainerJob, TrainerMessage } from '../trainer/protocol.ts';
import type { Child } from './child.ts';
import { startChild, TRAINER } from './child.ts';
import type { StudyImage } from './data.ts';
import { itemsOf } from './data.ts';
import type { PlannedRun } from './plan.ts';
import { sourceList } from './plan-sources.ts';
import { imagesOfRun, learntImages, runTitle } from './progress.ts';
import type { StudyProgress } from './progress.ts';
import { isPresent, runFiles, runFolder, startFile } from './run-files.ts';
import { runSummary } from './run-rows.ts';
import { addRunNote, resetRun, setRunStatus, storeEpoch, storeFinishedRun } from './store.ts';

/** What ends a training before its time. */
export interface Stop {
  /** Set by a pause or a cancel; the training under way, if any, is told. */
  asked: 'pause' | 'cancel' | null;
  training: Child<TrainerMessage, TrainerCommand> | null;
}

/**
 * Trains one run in a child process to its end, from its journal where it has one, and stores what
 * comes of it. False when it was paused or cancelled. Throws CarryoverError after the run is marked
 * as failed.
 */
export async function trainRun(
  context: HostContext,
  run: PlannedRun,
  studyId: string,
  progress: StudyProgress,
  stop: Stop,
): Promise<boolean> {
  try {
    const device = await deviceToTrainOn(context, {
      onProgress: (phase) => progress.phase(`testing devices: ${phase}`),
    });
    const jobFile = await prepare(context, run, device);
    if (stop.asked !== null) return false;
    mark(context, run.id, 'running');
    progress.phase(runTitle(run));
    stop.training = startChild(TRAINER, jobFile, (message) =>
      hear(context, run, studyId, progress, message),
    );
    const done = await stop.training.ended;
    if (done === null) {
      mark(context, run.id, 'paused');
      return false;
    }
    finish(context, run.id, done);
    progress.runEnded(imagesOfRun(run));
    return true;
  } catch (thrown) {
    const error = databaseError(thrown, context.home.database);
    attempt(() => {
      setRunStatus(context.db, run.id, 'failed', toFailure(error));
      tell(context, run.id);
    });
    throw error;
  } finally {
    stop.training = null;
  }
}

async function prepare(
  context: HostContext,
  run: PlannedRun,
  device: DeviceInUse,
): Promise<string> {
  const folder = runFolder(context, run.id);
  const kept = await dropSpoilt(context, run, folder);
  const file = join(folder, 'job.json');
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw fileError(error, folder, 'create the folder');
  });
  await writeFileAtomic(file, JSON.stringify(trainerJob(context, run, device, { folder, kept })));
  return file;
}

/**
 * A run that was finished but lacks files (deleted, or weights of an epoch that nobody wanted then)
 * is trained anew from its start. Returns the epochs whose weights it had.
 */
async function dropSpoilt({ db }: HostContext, run: PlannedRun, folder: string): Promise<number[]> {
  const files = runFiles(db, run.id);
  if (files.length === 0) return [];
  await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
    throw fileError(error, folder, 'clear');
  });
  resetRun(db, run.id);
  return files.flatMap(({ kind, epoch }) => (kind === 'weights' && epoch !== null ? [epoch] : []));
}

/** What the child is told of a run. `kept`: further epochs whose weights are wanted. */
export function trainerJob(
  context: HostContext,
  run: PlannedRun,
  device: DeviceInUse,
  { folder, kept }: { folder: string; kept: number[] },
): TrainerJob {
  const { spec } = run;
  const { epochs } = spec.training;
  const keep = new Set([...run.keepEpochs, ...kept]);
  const labels = new Map(spec.classNames.map((name, index) => [name, index]));
  const items = (images: readonly StudyImage[]) => itemsOf(images, labels);
  const source = sourceList(run, items);
  return {
    runId: run.id,
    folder,
    cacheFolder: context.home.cache,
    cacheBytes: cacheBound(context.db),
    architecture: spec.architecture,
    classNames: spec.classNames,
    ...(spec.task && { task: spec.task }),
    recipe: spec.recipe,
    training: spec.training,
    seed: trainingSeed(spec),
    shuffle: spec.shuffle,
    train: items(run.train),
    ...(source && { source }),
    validation: run.validation && items(run.validation),
    test: run.test && items(run.test),
    start: startOf(context, run),
    keepEpochs: [...keep].filter((epoch) => epoch > 0 && epoch < epochs).sort((a, b) => a - b),
    device: device.id,
    adapter: device.description,
  };
}

/** Pretraining draws from streams of its own, so that no random start of an arm is also its start. */
function trainingSeed({ kind, seed }: PlannedRun['spec']): number {
  return kind === 'pretraining' ? stream(seed, 'pretraining').nextUint32() : seed;
}

function startOf(context: HostContext, { spec, checkpoint }: PlannedRun): TrainerJob['start'] {
  if (spec.start === 'random') return { kind: 'random' };
  const { weights, 'keep-to': to, head } = spec.start;
  const taken = {
    ...(weights && { redrawn: weights }),
    ...(to !== undefined && { keep: { to } }),
    ...(head && { keep: 'all' as const }),
  };
  if (checkpoint) {
    const file = checkpointFile(context.home, checkpoint.id);
    if (existsSync(file)) return { kind: 'checkpoint', file, ...taken };
    throw new CarryoverError('io', `the weights of checkpoint "${checkpoint.name}" are not there`, {
      file,
      wayOut: 'import the checkpoint again',
    });
  }
  if (!('run' in spec.start)) throw new Error('a start from a checkpoint names it');
  const { run, epoch } = spec.start;
  const file = startFile(context, spec.start);
  if (file !== null) return { kind: 'weights', file, ...taken };
  throw new CarryoverError('io', `the weights of ${run} after epoch ${epoch} are not there`, {
    file: runFolder(context, run),
    wayOut: 'start the study again; it trains what is missing',
  });
}

type Report = Exclude<TrainerMessage, { type: 'done' | 'failed' }>;
type Done = Extract<TrainerMessage, { type: 'done' }>;

/** Stores and passes on what the trainer says. */
function hear(
  { db, events }: HostContext,
  run: PlannedRun,
  studyId: string,
  progress: StudyProgress,
  message: Report,
): void {
  const images = learntImages(run);
  switch (message.type) {
    case 'paused':
      return;
    case 'preparing':
      progress.phase(`${runTitle(run)}: reading images (${message.done} of ${message.total})`);
      return;
    case 'note':
      addRunNote(db, run.id, message.text);
      return;
    case 'epoch':
      storeEpoch(db, run.id, message.metrics);
      events.emit({ type: 'epoch', runId: run.id, metrics: message.metrics });
      progress.at(message.metrics.epoch * images, !message.resumed);
      return;
    case 'step': {
      const passed = Math.round((images * message.step) / message.stepsPerEpoch);
      events.emit({ type: 'run', progress: runProgress(run, studyId, message) });
      progress.phase(runTitle(run));
      progress.at((message.epoch - 1) * images + passed, true, message.imagesPerSecond);
    }
  }
}

function runProgress(
  run: PlannedRun,
  studyId: string,
  step: Extract<TrainerMessage, { type: 'step' }>,
): RunProgress {
  const { epoch, step: at, stepsPerEpoch, imagesPerSecond, secondsLeft, loss } = step;
  const { epochs } = run.spec.training;
  return {
    runId: run.id,
    studyId,
    epoch,
    epochs,
    step: at,
    stepsPerEpoch,
    imagesPerSecond,
    secondsLeft,
    loss,
  };
}

function finish(context: HostContext, runId: string, done: Done): void {
  const missing = done.files.find((file) => !isPresent(context, runId, file));
  if (missing) {
    throw new CarryoverError('io', `the trainer's file ${missing.name} is not there as it said`, {
      file: join(runFolder(context, runId), missing.name),
      wayOut: 'start the study again',
    });
  }
  storeFinishedRun(context.db, runId, done);
  tell(context, runId);
}

function mark(context: HostContext, runId: string, status: 'running' | 'paused'): void {
  setRunStatus(context.db, runId, status);
  tell(context, runId);
}

function tell({ db, events }: HostContext, runId: string): void {
  events.emit({ type: 'run-status', run: runSummary(db, runId) });
}

/** Bookkeeping after a failure: where it fails too (a full disk), the first failure is what counts. */
export function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    console.error('a failure could not be stored:', error);
  }
}
