import { CarryoverError } from '../../../../contract/errors.ts';
import { transferScores } from '../../../../engine/analysis/transfer-scores.ts';
import type { ScoreEstimate, TransferScore } from '../../../../engine/analysis/transfer-scores.ts';
import type { NetworkRef } from '../definition.ts';
import type { ImagesRef, Lab, Measure } from '../lab.ts';

/** A start of one arm, by the runs that began with it. */
export interface ScoredStart {
  arm: string;
  /** One start, or one of each seed where they differ. */
  starts: NetworkRef[];
  /** Pretrained network with its own head; null: none. */
  source: NetworkRef | null;
  /** What fine-tuning came to. */
  outcomes: { run: string; seed: number; score: number }[];
}

export interface TransferabilityJob {
  starts: ScoredStart[];
  images: ImagesRef & { only: number[] };
  /** Of each image, in the order of the split. */
  groups: number[];
  replicates: number;
}

export type StartScores = Record<TransferScore, ScoreEstimate>;

/** By start, in the job's order. */
export interface Transferability {
  scores: StartScores[];
  /** Images that they are of. */
  images: number;
}

export const measure: Measure<TransferabilityJob, Transferability> = async (job, lab) => {
  const scores: StartScores[] = [];
  for (const start of job.starts) {
    lab.tell('scores of starts', scores.length, job.starts.length, 'starts');
    scores.push(await lab.memo(`${start.arm} ${scores.length}`, () => scoresOf(start, job, lab)));
  }
  return { scores, images: job.groups.length };
};

async function scoresOf(start: ScoredStart, job: TransferabilityJob, lab: Lab) {
  const { images } = job;
  const { train, classNames } = lab.job(images.run);
  const labels = Int32Array.from(lab.rows(images), (row) => train.labels[row]!);
  const groups = Int32Array.from(job.groups);
  const logits = start.source && (await outputsOf(start.source, images, lab, 'logits'));
  const all: StartScores[] = [];
  for (const network of start.starts) {
    const { values: features, dimensions } = await outputsOf(network, images, lab, 'pool');
    const seen = { features, dimensions, labels, classes: classNames.length, groups };
    const head = { logits: logits?.values ?? null, sourceClasses: logits?.dimensions ?? 0 };
    all.push(transferScores({ ...seen, ...head }, 0));
  }
  return averaged(all);
}

async function outputsOf(network: NetworkRef, images: ImagesRef, lab: Lab, tap: string) {
  const weights = await lab.weights(network);
  const found = (await lab.activations(network.run, weights, images, [tap], 'mean')).get(tap);
  if (!found) throw new CarryoverError('internal', `the network has no ${tap}`);
  return found;
}

/** Means over the starts of several seeds; the interval is then that of one start, moved. */
function averaged(all: readonly StartScores[]): StartScores {
  const [first] = all;
  const entries = Object.entries(first!).map(([name, { value, interval }]) => {
    const values = all.map((each) => each[name as TransferScore].value);
    if (value === null || values.includes(null)) return [name, { value: null, interval: null }];
    const mean = values.reduce<number>((sum, each) => sum + each!, 0) / values.length;
    const moved = interval?.map((bound) => bound + mean - value) ?? null;
    return [name, { value: mean, interval: moved }];
  });
  return Object.fromEntries(entries) as StartScores;
}
