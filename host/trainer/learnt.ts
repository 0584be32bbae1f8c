import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { usesTargetLabels, type LearntFrom } from '../../contract/source.ts';
import {
  boostedWeights,
  importanceWeights,
  kliepWeights,
  pseudoLabels,
  type Material,
} from '../../engine/analysis/feature-transfer.ts';
import { effectiveSampleSize, toMeanOne } from '../../engine/analysis/importance.ts';
import { buildModel } from '../../engine/models/registry.ts';
import { pooledFeatures } from '../../engine/train/features.ts';
import { systemCode, writeFileAtomic } from '../files.ts';
import type { SplitName } from './batches.ts';
import { modelOptions, openLoader } from './open-loader.ts';
import type { LearnList, SourceList, TrainerJob, TrainerMessage } from './protocol.ts';
import { startOf } from './start.ts';

type Send = (message: TrainerMessage) => void;

/** A job with the images that it learns from, where those are not its training images. */
export type LearningJob = TrainerJob & { learn?: LearnList };

/** What a run learnt from, in its folder. `rows`: positions among source, then training images. */
interface Stored extends LearntFrom {
  rows: number[];
}

const NAME = 'source.json';

/** What a run learnt from; null where it has no source, or has not found out yet. */
export async function readLearnt(folder: string): Promise<LearntFrom | null> {
  return readStored(folder);
}

/**
 * Finds out which images a job learns from and what each counts, on the features of its start, by
 * streams of fixed seeds; says so in notes.
 * @param keep writes it into the job's folder, and takes it from there where it was found before
 */
export async function withLearnt(job: TrainerJob, send: Send, keep: boolean): Promise<LearningJob> {
  const { source, folder } = job;
  if (!source) return job;
  let found = keep ? await readStored(folder) : null;
  if (!found) {
    found = await find(job, source, send);
    if (keep) await writeFileAtomic(join(folder, NAME), JSON.stringify(found));
  }
  for (const text of notesOf(found)) send({ type: 'note', text });
  return { ...job, learn: listOf(job, source, found) };
}

async function readStored(folder: string): Promise<Stored | null> {
  const text = await readFile(join(folder, NAME), 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : (JSON.parse(text) as Stored);
}

async function find(job: TrainerJob, source: SourceList, send: Send): Promise<Stored> {
  const { way } = source;
  const ones = source.labels.map(() => 1);
  const own = job.train.labels.map((label, row) => ({ row, label }));
  switch (way) {
    case 'joint':
      return stored(job, source, ones, own);
    case 'source-only':
    case 'coral':
    case 'adabn':
      return stored(job, source, ones, []);
    case 'pseudo-labels': {
      const { rows, labels } = pseudoLabels(await materialOf(job, source, send));
      const given = rows.map((row, at) => ({ row, label: labels[at]! }));
      return stored(job, source, ones, given);
    }
    default: {
      const weights = WEIGHTS[way](await materialOf(job, source, send));
      return stored(job, source, Array.from(weights), own);
    }
  }
}

const WEIGHTS = {
  'importance-weights': importanceWeights,
  kliep: kliepWeights,
  tradaboost: boostedWeights,
} satisfies Partial<Record<SourceList['way'], (material: Material) => Float64Array>>;

/** Features of the run's start. */
async function materialOf(job: TrainerJob, source: SourceList, send: Send): Promise<Material> {
  const options = modelOptions(job);
  const { weights } = await startOf(job, buildModel(options).parameters);
  const loader = await openLoader(job, send, { only: ['source', 'train'] });
  const settings = { threads: availableParallelism() };
  const of = (split: SplitName) =>
    pooledFeatures(options, weights, loader.source(split)!, settings);
  try {
    const { features, ...from } = await of('source');
    return {
      ...{ features, classes: job.classNames.length },
      source: { ...from, groups: source.groups },
      target: { ...(await of('train')), groups: source.targetGroups },
    };
  } finally {
    await loader.close();
  }
}

function stored(
  { train }: TrainerJob,
  { way, labels, imageIds }: SourceList,
  weights: readonly number[],
  own: readonly { row: number; label: number }[],
): Stored {
  const right = own.filter(({ row, label }) => train.labels[row] === label).length;
  return {
    way,
    imageIds: [...imageIds, ...own.map(({ row }) => train.imageIds[row]!)],
    sources: labels.length,
    rows: [...labels.keys(), ...own.map(({ row }) => row)],
    labels: [...labels, ...own.map(({ label }) => label)],
    weights: [...weights, ...own.map(() => 1)],
    effectiveSources: effectiveSampleSize(weights),
    pseudoLabelled:
      way === 'pseudo-labels' ? { given: own.length, of: train.labels.length, right } : null,
  };
}

/** Weights are brought to mean 1, so that the ways differ in no step size (TrAdaBoost's are less). */
function listOf(
  { train }: TrainerJob,
  source: SourceList,
  { rows, sources, labels, weights }: Stored,
): LearnList {
  const all = <T>(of: (list: Pick<SourceList, 'imageIds' | 'places' | 'hashes'>) => T[]): T[] =>
    rows.map((row, at) => of(at < sources ? source : train)[row]!);
  return {
    imageIds: all(({ imageIds }) => imageIds),
    places: all(({ places }) => places),
    hashes: all(({ hashes }) => hashes),
    labels,
    weights: Array.from(toMeanOne(Float64Array.from(weights))),
  };
}

function notesOf({ way, sources, effectiveSources, pseudoLabelled }: LearntFrom): string[] {
  const count = (value: number) => Math.round(value).toLocaleString('en');
  if (pseudoLabelled) {
    const { given, of, right } = pseudoLabelled;
    return [
      `${count(given)} of ${count(of)} target images were given a label, ${count(right)} of them right`,
    ];
  }
  if (!usesTargetLabels(way) || way === 'joint') return [];
  return [`${count(sources)} source images weigh like ${count(effectiveSources)}`];
}
