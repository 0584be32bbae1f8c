/** H-score of features (Bao et al. 2019), plain and with a shrunk covariance. */
import { momentsOfRows } from './matrix.ts';
import { symmetricEigen } from './tridiagonal.ts';

/** Directions of less variance than this share of the largest are left out. */
const LEAST_SHARE = 1e-12;

export interface HScores {
  /** tr(cov(f)^+ cov(E[f | y])); 0 .. classes - 1, drawn upwards where images are few. */
  plain: number;
  /** With the Ledoit-Wolf estimate of cov(f), as much shrunk between classes (arXiv 2110.06893). */
  regularised: number;
  /** How much the covariance was shrunk, 0 .. 1. */
  shrinkage: number;
}

/**
 * How well features separate classes by their means: higher is easier to transfer. Covariances are
 * maximum-likelihood estimates, divided by the number of rows.
 * @param rows [row, feature]
 * @param labels class of each row
 */
export function hScores(
  rows: ArrayLike<number>,
  features: number,
  labels: Int32Array,
  classes: number,
): HScores {
  const { count, means, covariance: unbiased } = momentsOfRows(rows, features);
  const covariance = unbiased.map((value) => (value * (count - 1)) / count);
  const shrinkage = ledoitWolfShrinkage(rows, features, means, covariance);
  const { values, vectors } = symmetricEigen(covariance, features);
  const average = values.reduce((sum, value) => sum + value, 0) / features;
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  const between = betweenClasses(rows, { features, means, labels, classes });
  let [plain, regularised] = [0, 0];
  for (let k = 0; k < features; k++) {
    const spread = spreadAlong(between, vectors.subarray(k * features, (k + 1) * features));
    const shrunk = (1 - shrinkage) * Math.max(0, values[k]!) + shrinkage * average;
    if (values[k]! > LEAST_SHARE * largest) plain += spread / values[k]!;
    if (shrunk > LEAST_SHARE * largest) regularised += ((1 - shrinkage) * spread) / shrunk;
  }
  return { plain, regularised, shrinkage };
}

/**
 * Share of the average variance on the diagonal in Ledoit and Wolf's (2004) estimate of a covariance,
 * as scikit-learn's `ledoit_wolf_shrinkage` computes it.
 * @param rows [row, feature]
 * @param covariance of them, divided by the number of rows
 */
export function ledoitWolfShrinkage(
  rows: ArrayLike<number>,
  features: number,
  means: Float64Array,
  covariance: Float64Array,
): number {
  const count = rows.length / features;
  let average = 0;
  let squares = 0;
  for (let i = 0; i < features; i++) average += covariance[i * features + i]! / features;
  for (const value of covariance) squares += value * value;
  // sum over rows of |x|^4: the sum of all products of squared features
  let fourth = 0;
  for (let at = 0; at < rows.length; at += features) {
    let length = 0;
    for (let i = 0; i < features; i++) length += (rows[at + i]! - means[i]!) ** 2;
    fourth += length * length;
  }
  const beta = (fourth / count - squares) / (features * count);
  const delta = (squares - features * average * average) / features;
  return beta <= 0 || delta <= 0 ? 0 : Math.min(beta, delta) / delta;
}

/** Rows sqrt(share) * (mean of the class - mean of all): their products are cov(E[f | y]). */
function betweenClasses(
  rows: ArrayLike<number>,
  of: { features: number; means: Float64Array; labels: Int32Array; classes: number },
): Float64Array[] {
  const { features, means, labels, classes } = of;
  const sums = Array.from({ length: classes }, () => new Float64Array(features));
  const counts = new Int32Array(classes);
  for (const [row, label] of labels.entries()) {
    counts[label]! += 1;
    const sum = sums[label]!;
    for (let i = 0; i < features; i++) sum[i]! += rows[row * features + i]! - means[i]!;
  }
  return sums
    .map((sum, label) => sum.map((each) => each / Math.sqrt(counts[label]! * labels.length)))
    .filter((_, label) => counts[label]! > 0);
}

function spreadAlong(between: readonly Float64Array[], direction: Float64Array): number {
  let sum = 0;
  for (const row of between) {
    let along = 0;
    for (let i = 0; i < row.length; i++) along += row[i]! * direction[i]!;
    sum += along * along;
  }
  return sum;
}
