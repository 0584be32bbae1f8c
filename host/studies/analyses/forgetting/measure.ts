import { bootstrapOne, unitsOf } from '../../../../engine/analysis/bootstrap.ts';
import { findingAccuracy } from '../../../../engine/analysis/auc.ts';
import type { Weights } from '../../../../engine/models/registry.ts';
import { argmaxRows } from '../../../../engine/analysis/metrics.ts';
import { maskedTargets } from '../../../../engine/train/uncertain.ts';
import type { NetworkRef } from '../definition.ts';
import type { ImagesRef, Lab, Measure } from '../lab.ts';

export interface ForgettingJob {
  sources: Source[];
  replicates: number;
}

/** A pretraining after an epoch, and the networks that its head is put on. */
export interface Source {
  network: NetworkRef;
  images: ImagesRef & { split: 'train' | 'test' };
  groups: number[] | null;
  tuned: { arm: string; seed: number; network: NetworkRef }[];
}

export interface SourceResult {
  classNames: string[];
  images: number;
  /** Images of each class; null with findings. */
  perClass: number[] | null;
  before: Score;
  after: (Score & {
    /** After less before; interval over the images. */
    difference: { value: number; interval: [number, number] | null };
  })[];
}

export interface Score {
  accuracy: number;
  auc: number | null;
  /** Accuracy by class; null where it has no images, empty with findings. */
  classes: (number | null)[];
}

export const measure: Measure<ForgettingJob, SourceResult[]> = async (job, lab) => {
  const found: SourceResult[] = [];
  for (const source of job.sources) found.push(await ofSource(source, job, lab));
  return found;
};

async function ofSource(source: Source, job: ForgettingJob, lab: Lab): Promise<SourceResult> {
  const { network, images, tuned } = source;
  const pretrained = await lab.weights(network);
  const head = new Set(
    lab
      .parameters(network.run)
      .filter(({ stage }) => stage === 'head')
      .map(({ name }) => name),
  );
  const key = `${network.run}@${network.epoch}`;
  lab.tell('source images', 0, tuned.length + 1, 'networks');
  const before = await lab.memo(`before ${key}`, () => rightOf(lab, pretrained, images));
  const after: SourceResult['after'] = [];
  for (const { network: target } of tuned) {
    lab.tell('source images', after.length + 1, tuned.length + 1, 'networks');
    const own = await lab.memo(`after ${key} ${target.run}@${target.epoch}`, async () =>
      rightOf(lab, withHead(await lab.weights(target), pretrained, head), images),
    );
    const difference = differenceOf(before.right, own.right, source, job);
    after.push({ ...scoreOf(own, lab, images), difference });
  }
  const { classNames, [images.split]: items } = lab.job(network.run);
  return {
    classNames,
    images: before.right.length,
    perClass: items!.findings
      ? null
      : classNames.map((_, c) => items!.labels.filter((label) => label === c).length),
    before: scoreOf(before, lab, images),
    after,
  };
}

/** A body with another network's head. */
export function withHead(body: Weights, from: Weights, head: ReadonlySet<string>): Weights {
  const names = [...from.keys()];
  return new Map(names.map((name) => [name, (head.has(name) ? from : body).get(name)!]));
}

interface Right {
  /** Share of the image's answers that are right. */
  right: number[];
  accuracy: number;
  auc: number | null;
}

async function rightOf(lab: Lab, weights: Weights, images: Source['images']): Promise<Right> {
  const { logits, accuracy, auc } = await lab.evaluate(weights, images);
  const { classNames, [images.split]: items } = lab.job(images.run);
  const classes = classNames.length;
  const { labels, findings } = items!;
  if (!findings) {
    const told = argmaxRows(logits, classes);
    return { right: [...told].map((c, at) => (c === labels[at] ? 1 : 0)), accuracy, auc };
  }
  const right = findings.map((row, at) => {
    const scores = logits.subarray(at * classes, (at + 1) * classes);
    const share = findingAccuracy({ scores, ...maskedTargets([row], classes) });
    return Number.isNaN(share) ? 0 : share;
  });
  return { right, accuracy, auc };
}

function scoreOf({ right, accuracy, auc }: Right, lab: Lab, images: Source['images']): Score {
  const { classNames, [images.split]: items } = lab.job(images.run);
  const { labels, findings } = items!;
  if (findings) return { accuracy, auc, classes: [] };
  const classes = classNames.map((_, c) => {
    const own = right.filter((__, at) => labels[at] === c);
    return own.length === 0 ? null : own.reduce((sum, value) => sum + value, 0) / own.length;
  });
  return { accuracy, auc, classes };
}

function differenceOf(
  before: readonly number[],
  after: readonly number[],
  { groups }: Source,
  { replicates }: ForgettingJob,
) {
  const units = unitsOf(before.length, groups ?? undefined);
  const statistic = (times: Int32Array) => {
    let [sum, count] = [0, 0];
    for (const [at, unit] of units.of.entries()) {
      sum += times[unit]! * (after[at]! - before[at]!);
      count += times[unit]!;
    }
    return sum / count;
  };
  const value = statistic(new Int32Array(units.count).fill(1));
  return { value, interval: bootstrapOne(units.count, statistic, { replicates }) };
}
