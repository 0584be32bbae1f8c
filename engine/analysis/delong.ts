/** Variance of areas under ROC curves, and the test of two of them on the same images. */
import { NORMAL_95, normalCdf } from './distributions.ts';

export interface DeLong {
  /** Area of each scorer. */
  areas: number[];
  /** Covariance of the areas, [scorer][scorer]. */
  covariance: number[][];
  positives: number;
  negatives: number;
}

/**
 * Areas under the ROC curves of scorers of the same images, with the covariance of DeLong, DeLong
 * and Clarke-Pearson (1988) by midranks, in n log n (Sun and Xu 2014, IEEE SPL 21(11), eq. 5-7).
 * @param scores [scorer][image]: anything that rises with the chance of being positive
 * @param truth 1 or 0 per image
 * @returns null with fewer than two positives or two negatives: there is no variance then
 */
export function deLong(
  scores: readonly ArrayLike<number>[],
  truth: ArrayLike<number>,
): DeLong | null {
  const [positive, negative]: [number[], number[]] = [[], []];
  for (let i = 0; i < truth.length; i++) (truth[i] === 1 ? positive : negative).push(i);
  const [m, n] = [positive.length, negative.length];
  if (m < 2 || n < 2) return null;
  const parts = scores.map((own) => structure(own, positive, negative));
  const covariance = parts.map((a) =>
    parts.map((b) => covarianceOf(a.v01, b.v01) / m + covarianceOf(a.v10, b.v10) / n),
  );
  return { areas: parts.map(({ area }) => area), covariance, positives: m, negatives: n };
}

/** Structural components: of each positive the share of negatives below it, and the reverse. */
function structure(scores: ArrayLike<number>, positive: number[], negative: number[]) {
  const [m, n] = [positive.length, negative.length];
  const all = midranks([...positive, ...negative].map((at) => scores[at]!));
  const ofPositives = midranks(positive.map((at) => scores[at]!));
  const ofNegatives = midranks(negative.map((at) => scores[at]!));
  const v01 = ofPositives.map((rank, i) => (all[i]! - rank) / n);
  const v10 = ofNegatives.map((rank, j) => 1 - (all[m + j]! - rank) / m);
  return { area: v01.reduce((sum, value) => sum + value, 0) / m, v01, v10 };
}

/** Ranks from 1, equal values sharing the mean of theirs. */
function midranks(values: readonly number[]): Float64Array {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(values.length);
  for (let start = 0, end = 0; start < order.length; start = end) {
    const value = values[order[start]!];
    while (end < order.length && values[order[end]!] === value) end += 1;
    for (let at = start; at < end; at++) ranks[order[at]!] = (start + 1 + end) / 2;
  }
  return ranks;
}

/** Unbiased. */
function covarianceOf(a: Float64Array, b: Float64Array): number {
  const n = a.length;
  const [meanA, meanB] = [a, b].map((v) => v.reduce((sum, value) => sum + value, 0) / n);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (a[i]! - meanA!) * (b[i]! - meanB!);
  return sum / (n - 1);
}

/** 95 % interval of one area: area +- 1.96 standard errors, within [0, 1]. */
export function areaInterval({ areas, covariance }: DeLong, scorer = 0): [number, number] {
  const half = NORMAL_95 * Math.sqrt(Math.max(0, covariance[scorer]![scorer]!));
  const area = areas[scorer]!;
  return [Math.max(0, area - half), Math.min(1, area + half)];
}

/** Area of scorer 0 less that of scorer 1: 95 % interval, and DeLong's paired test. */
export function areaDifference({ areas, covariance }: DeLong): {
  difference: number;
  interval: [number, number];
  /** Two-sided; 1 where the two rank alike. */
  p: number;
} {
  const difference = areas[0]! - areas[1]!;
  const [[a, ab], [, b]] = covariance as [[number, number], [number, number]];
  const error = Math.sqrt(Math.max(0, a + b - 2 * ab));
  const half = NORMAL_95 * error;
  const p = error === 0 ? (difference === 0 ? 1 : 0) : 2 * normalCdf(-Math.abs(difference) / error);
  return { difference, interval: [difference - half, difference + half], p };
}
