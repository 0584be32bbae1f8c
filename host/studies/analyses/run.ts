import { hash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CarryoverError, toFailure } from '../../../contract/errors.ts';
import type {
  AnalysisName,
  AnalysisState,
  StudyAnalysis,
} from '../../../contract/study-analyses.ts';
import { entryName, optionsOf } from '../../../contract/study-analyses.ts';
import type { HostContext, JobHandle } from '../../context.ts';
import { fileError, writeFileAtomic } from '../../files.ts';
import { RateMeter } from '../../jobs/rate.ts';
import { startChild } from '../child.ts';
import { canonicalJson } from '../identity.ts';
import type { AnalysisDefinition, Planned, StudyView } from './definition.ts';
import type { MeasureJob, MeasureMessage } from './protocol.ts';
import { definitionOf, isDefined } from './registry.ts';
import { analysisFolder, storeStudyAnalysis, wholeAnalysis } from './store.ts';
import { weightsFiles } from './view.ts';

const PROGRAM = fileURLToPath(new URL('./main.ts', import.meta.url));
const TOLD = {
  name: 'process of the analysis',
  wayOut: 'start the study again: it goes on with the analyses that are missing',
};

/** After the id of an analysis: where it is measured. */
const PARTS = '.parts';
const FORGOTTEN_MS = 30 * 24 * 3600 * 1000;

/** What is wrong with the study's data or options, not with the program. */
const OF_THE_STUDY = new Set(['unsupported', 'bad-input', 'conflict', 'not-found']);

/**
 * Computes the analyses that a study asks for, each once for the same input. One that the study has
 * nothing for is told of in its state; anything else that fails is thrown, and so is the signal's
 * reason.
 */
export async function computeAnalyses(
  view: StudyView,
  context: HostContext,
  handle: JobHandle,
): Promise<AnalysisState[]> {
  const states: AnalysisState[] = [];
  await dropForgotten(context);
  for (const name of namesIn(view)) {
    handle.signal.throwIfAborted();
    try {
      const { id, alerts = [] } = await computeAnalysis(view, context, name, handle);
      states.push({ name, id, failure: null, alerts });
    } catch (error) {
      const failure = toFailure(error);
      if (handle.signal.aborted || !OF_THE_STUDY.has(failure.code)) throw error;
      states.push({ name, id: null, failure });
    }
  }
  return states;
}

/** Parts of analyses that were stopped, and that nobody went on with for a month. */
async function dropForgotten({ home }: HostContext): Promise<void> {
  const folders = (await readdir(home.analyses)).filter((name) => name.endsWith(PARTS));
  for (const name of folders) {
    const folder = join(home.analyses, name);
    const { mtimeMs } = await stat(folder);
    if (Date.now() - mtimeMs > FORGOTTEN_MS) await rm(folder, { recursive: true, force: true });
  }
}

function namesIn({ study }: StudyView): AnalysisName[] {
  return study.spec.analyses.map(entryName).filter((name) => isDefined(name));
}

/** One analysis of a study, from the store where it is there. */
async function computeAnalysis(
  view: StudyView,
  context: HostContext,
  name: AnalysisName,
  handle: JobHandle,
): Promise<StudyAnalysis> {
  const { id, definition, options, planned } = await planAnalysis(view, name);
  const known = wholeAnalysis(context, id);
  if (known) return known;
  const began = performance.now();
  const folder = analysisFolder(context.home, id);
  const measured = await measureApart(context, handle, definition, planned, folder + PARTS);
  const presented = definition.present(view, options as never, measured, planned.job);
  await keepPictures(folder);
  const analysis: StudyAnalysis = {
    ...{ id, name, title: definition.title, options, runIds: planned.uses },
    createdAt: new Date().toISOString(),
    seconds: (performance.now() - began) / 1000,
    ...presented,
  };
  storeStudyAnalysis(context.db, analysis);
  return analysis;
}

async function planAnalysis(view: StudyView, name: AnalysisName) {
  const definition = definitionOf(name);
  const options = optionsOf(view.study.spec, name)!;
  const planned = await definition.plan(view, options as never);
  return { id: idOf(view, definition, options, planned), definition, options, planned };
}

/** Whether computing the analyses of a study again would come to the same states. */
export async function areCurrent(
  view: StudyView,
  states: readonly AnalysisState[],
): Promise<boolean> {
  const names = namesIn(view);
  if (names.length !== states.length) return false;
  for (const [at, name] of names.entries()) {
    const state = states[at]!;
    if (state.name !== name || !(await isCurrent(view, state))) return false;
  }
  return true;
}

async function isCurrent(view: StudyView, { name, id, failure }: AnalysisState): Promise<boolean> {
  try {
    const wanted = (await planAnalysis(view, name)).id;
    return wanted === id && wholeAnalysis(view.context, id) !== null;
  } catch (error) {
    return id === null && failure?.message === toFailure(error).message;
  }
}

function idOf(
  { context: { db } }: StudyView,
  { name, version }: AnalysisDefinition<AnalysisName>,
  options: unknown,
  { job, uses }: Planned<unknown>,
): string {
  const hashes = uses.map((run) => [
    run,
    db.prepare('SELECT weights_sha256 FROM runs WHERE id = ?').pluck().get(run) ?? null,
  ]);
  const text = canonicalJson({ name, version, options, job, hashes });
  return `a${hash('sha256', text).slice(0, 16)}`;
}

async function measureApart(
  context: HostContext,
  handle: JobHandle,
  { name, title }: AnalysisDefinition<AnalysisName>,
  { job, uses }: Planned<unknown>,
  folder: string,
): Promise<unknown> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw fileError(error, folder, 'create the folder');
  });
  const given: MeasureJob = {
    ...{ name, job, folder },
    runs: context.home.runs,
    weights: weightsFiles(context, uses),
  };
  const jobFile = join(folder, 'job.json');
  await writeFileAtomic(jobFile, JSON.stringify(given));
  const tell = progressTo(handle, title);
  const child = startChild<MeasureMessage, never>(PROGRAM, jobFile, tell, TOLD);
  const abort = (): void => child.kill();
  handle.signal.addEventListener('abort', abort);
  const done = await child.ended.finally(() => handle.signal.removeEventListener('abort', abort));
  handle.signal.throwIfAborted();
  if (done === null) throw new CarryoverError('internal', `${name} ended without a result`);
  return done.measured;
}

function progressTo(handle: JobHandle, title: string) {
  let meter = new RateMeter();
  let last = '';
  return ({ phase, done, total, unit }: Extract<MeasureMessage, { type: 'progress' }>): void => {
    if (phase !== last) meter = new RateMeter();
    last = phase;
    const whole = `${title}: ${phase}`;
    handle.progress({ phase: whole, done, total, unit, ...meter.update(done, total) });
  };
}

/** What was found on the way is dropped; the pictures get their place. */
async function keepPictures(folder: string): Promise<void> {
  const parts = folder + PARTS;
  for (const name of await readdir(parts)) {
    if (!name.endsWith('.png')) await rm(join(parts, name), { force: true });
  }
  await rm(folder, { recursive: true, force: true });
  await rename(parts, folder).catch((error: unknown) => {
    throw fileError(error, folder, 'move the pictures to');
  });
}
