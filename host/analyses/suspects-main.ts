/** The child process that looks for label errors: `node suspects-main.ts <job.json>`. */
import { rocAuc } from '../../engine/analysis/auc.ts';
import { confidentLearning, groupedFolds } from '../../engine/analysis/confident-learning.ts';
import type { Components } from '../../engine/analysis/pca.ts';
import { principalComponents } from '../../engine/analysis/pca.ts';
import {
  momentsOf,
  probeProbabilities,
  standardised,
  trainProbe,
} from '../../engine/analysis/probe.ts';
import { runChild } from '../trainer/child.ts';
import { readRows } from './arrays.ts';
import type { FeatureRows, SuspectsFound, SuspectsJob, SuspectsMessage } from './protocol.ts';

/** Principal components (made without the labels) that the probe is trained on. */
const DIMENSIONS = 64;
/** Of scikit-learn's C: less than its default 1, as the classes are many and the images few. */
const INVERSE_STRENGTH = 0.1;
const MOST_CONFUSIONS = 100;

await runChild<SuspectsJob, SuspectsMessage>(async (job, send) => {
  const { features, classes, folds, seed, groups } = job;
  const labels = Int32Array.from(job.labels);
  const tell = (phase: string, done: number): void =>
    send({ type: 'progress', phase, done, total: folds, unit: 'folds' });
  tell('principal components', 0);
  const { scores, count } = await components(features);
  const foldOf = groupedFolds(labels, groups, folds, seed);
  const probabilities = new Float32Array(labels.length * classes);
  for (let fold = 0; fold < folds; fold++) {
    tell('training probes', fold);
    const inside = [...foldOf.keys()].filter((index) => foldOf[index] !== fold);
    const outside = [...foldOf.keys()].filter((index) => foldOf[index] === fold);
    const probe = trainProbe(
      pick(scores, count, inside),
      Int32Array.from(inside, (index) => labels[index]!),
      { features: count, classes, standardise: false, inverseStrength: INVERSE_STRENGTH },
    );
    const found = probeProbabilities(probe, pick(scores, count, outside));
    for (const [at, index] of outside.entries()) {
      probabilities.set(found.subarray(at * classes, (at + 1) * classes), index * classes);
    }
  }
  tell('training probes', folds);
  send({ type: 'done', found: resultOf(probabilities, labels, classes) });
});

/**
 * Of standardised features. They are turned only, not scaled: the penalty means the same as on the
 * features themselves, and noise is not blown up.
 */
async function components(rows: FeatureRows): Promise<Components> {
  const values = await readRows(rows);
  const { dimensions: features } = rows;
  const scaled = standardised(values, { features, ...momentsOf(values, features) });
  return principalComponents(Float32Array.from(scaled), features, DIMENSIONS);
}

function pick(values: Float32Array, width: number, rows: readonly number[]): Float32Array {
  const result = new Float32Array(rows.length * width);
  for (const [at, row] of rows.entries()) {
    result.set(values.subarray(row * width, (row + 1) * width), at * width);
  }
  return result;
}

function resultOf(probabilities: Float32Array, labels: Int32Array, classes: number): SuspectsFound {
  const { thresholds, estimated, issues } = confidentLearning(probabilities, labels, classes);
  const pairs = new Map<number, number>();
  for (const { index, suggested } of issues) {
    const pair = labels[index]! * classes + suggested;
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  const confusions = [...pairs].map(([pair, images]) => ({
    label: Math.floor(pair / classes),
    suggested: pair % classes,
    images,
  }));
  confusions.sort((a, b) => b.images - a.images || a.label - b.label);
  return {
    accuracy: accuracyOf(probabilities, labels, classes),
    auc:
      classes === 2
        ? rocAuc(
            probabilities.filter((_, at) => at % 2 === 1),
            labels,
          )
        : null,
    estimated,
    thresholds: [...thresholds],
    confusions: confusions.slice(0, MOST_CONFUSIONS),
    suspects: issues,
  };
}

function accuracyOf(probabilities: Float32Array, labels: Int32Array, classes: number): number {
  let right = 0;
  for (const [index, label] of labels.entries()) {
    const own = probabilities[index * classes + label]!;
    const row = probabilities.subarray(index * classes, (index + 1) * classes);
    if (row.every((p, c) => c === label || p < own)) right += 1;
  }
  return right / Math.max(1, labels.length);
}
