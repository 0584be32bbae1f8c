/** A study's numbers by finding and by subgroup of its test images. */
import type { RunSummary } from '../../contract/runs.ts';
import type { StudyResults } from '../../contract/study-results.ts';
import { aucPerFinding, findingAccuracy, meanAuc } from '../../engine/analysis/auc.ts';
import type { ScoredFindings } from '../../engine/analysis/auc.ts';
import { accuracy, argmaxRows } from '../../engine/analysis/metrics.ts';
import { maskedTargets } from '../../engine/train/uncertain.ts';
import type { HostContext } from '../context.ts';
import { overSeeds } from './over-seeds.ts';
import { readLogits, type RunLogits } from './predictions.ts';
import type { Subgroup } from './subgroups.ts';

/** Numbers of one run on its test images. */
export interface Breakdown {
  run: RunSummary;
  /** By finding; empty for runs on classes. */
  findings: { finding: string; positives: number; negatives: number; auc: number | null }[];
  /** In the order of the subgroups; null where the run has no known value there. */
  subgroups: ({ images: number; accuracy: number; auc: number | null } | null)[];
}

/** Reads a finished run's logits once for all that is asked of them. Throws as `readLogits`. */
export function breakDown(
  place: Pick<HostContext, 'db' | 'home'>,
  run: RunSummary,
  subgroups: readonly Subgroup[],
): Breakdown {
  const said = readLogits(place, run.id, 'test');
  const { items } = said;
  return {
    run,
    findings: items.findings ? findingsOf(said) : [],
    subgroups: subgroups.map(({ positions }) => measure(said, positions)),
  };
}

function findingsOf(said: RunLogits): Breakdown['findings'] {
  const { classNames } = said;
  const scored = scoredAt(said, [...said.items.imageIds.keys()]);
  const areas = aucPerFinding(scored, classNames.length);
  return classNames.map((finding, at) => {
    let [positives, negatives] = [0, 0];
    for (let i = at; i < scored.mask.length; i += classNames.length) {
      if (scored.mask[i] === 0) continue;
      if (scored.targets[i] === 1) positives += 1;
      else negatives += 1;
    }
    return { finding, positives, negatives, auc: areas[at] ?? null };
  });
}

function measure(said: RunLogits, positions: readonly number[]): Breakdown['subgroups'][number] {
  const { classNames, items } = said;
  const images = positions.length;
  if (images === 0) return null;
  if (!items.findings) {
    const truth = positions.map((at) => items.labels[at]!);
    const predicted = argmaxRows(rowsAt(said, positions), classNames.length);
    return { images, accuracy: accuracy(truth, predicted), auc: null };
  }
  const scored = scoredAt(said, positions);
  if (scored.mask.every((known) => known === 0)) return null;
  const auc = meanAuc(aucPerFinding(scored, classNames.length));
  return { images, accuracy: findingAccuracy(scored), auc };
}

function rowsAt({ logits, classNames }: RunLogits, positions: readonly number[]): Float32Array {
  const width = classNames.length;
  const rows = new Float32Array(positions.length * width);
  positions.forEach((at, row) =>
    rows.set(logits.subarray(at * width, (at + 1) * width), row * width),
  );
  return rows;
}

function scoredAt(said: RunLogits, positions: readonly number[]): ScoredFindings {
  const rows = positions.map((at) => said.items.findings![at]!);
  return {
    scores: rowsAt(said, positions),
    ...maskedTargets(rows, said.classNames.length),
  };
}

/** The area of each finding over the seeds of an arm. */
export function findingResults(
  cell: { arm: string; shuffle: string },
  own: readonly Breakdown[],
): StudyResults['findings'] {
  const [first] = own;
  return (first?.findings ?? []).map(({ finding, positives, negatives }, at) => ({
    finding,
    ...cell,
    positives,
    negatives,
    auc: overSeeds(own, ({ findings }) => findings[at]!.auc),
  }));
}

/** Accuracy on each subgroup over the seeds of an arm. */
export function subgroupResults(
  cell: { arm: string; shuffle: string },
  subgroups: readonly Subgroup[],
  own: readonly Breakdown[],
): StudyResults['subgroups'] {
  return subgroups.flatMap(({ attribute, value }, at) => {
    const images = own[0]?.subgroups[at]?.images;
    const accuracies = overSeeds(own, (each) => each.subgroups[at]?.accuracy ?? null);
    if (images === undefined || accuracies === null) return [];
    const auc = overSeeds(own, (each) => each.subgroups[at]?.auc ?? null);
    return [{ attribute, value, ...cell, images, accuracy: accuracies, auc }];
  });
}
