/** Importance weights: how much likelier an image of the source is in the target. */

const MOST_TURNS = 2000;
const TOLERANCE = 1e-7;
/** Keeps quotients finite where no source image is near a kernel. */
const LEAST = 1e-290;

/**
 * (sum w)^2 / sum w^2 (Kish 1965): how many equally weighted images tell as much. 1 .. their number.
 * @returns 0 where all weights are 0
 */
export function effectiveSampleSize(weights: ArrayLike<number>): number {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i]!;
    squares += weights[i]! ** 2;
  }
  return squares === 0 ? 0 : (sum * sum) / squares;
}

/**
 * Weights P(target | x) / P(source | x) of source images, scaled to mean 1 (Bickel, Brueckner and
 * Scheffer 2007). Certain probabilities are taken as 1e-6 short of certain.
 * @param target P(target | x) by a classifier that did not see the image, in [0, 1]
 */
export function classifierWeights(target: ArrayLike<number>): Float64Array {
  const weights = Float64Array.from(target, (p) => {
    const held = Math.min(1 - 1e-6, Math.max(1e-6, p));
    return held / (1 - held);
  });
  return toMeanOne(weights);
}

/** What KLIEP looks at. */
export interface KliepInput {
  /** Both [row, feature]. */
  source: ArrayLike<number>;
  target: ArrayLike<number>;
  features: number;
  /** Of the Gaussian kernels. */
  bandwidth: number;
  /** Rows of the target that kernels stand on; the paper takes 100 at random. */
  centres: readonly number[];
}

export interface KliepFit {
  /** Of each source row; mean 1. */
  weights: Float64Array;
  /** Mean log weight of the target rows: what is maximised. */
  objective: number;
}

/**
 * Kullback-Leibler importance estimation (Sugiyama et al. 2008): w(x) = sum_b alpha_b k(x, c_b), alpha
 * at least 0, maximises the mean of log w over the target while w has mean 1 over the source. With
 * alpha_b times the source's mean of k(., c_b) as shares, which sum to 1, this is the likelihood of a
 * mixture in its shares; it is climbed by expectation maximisation, which ends at the same, only
 * maximum.
 */
export function kliep(input: KliepInput): KliepFit {
  const { source, target, centres } = input;
  const count = centres.length;
  const ofSource = kernel(source, input);
  const ofTarget = kernel(target, input);
  const means = columnMeans(ofSource, count).map((mean) => Math.max(mean, LEAST));
  scaleColumns(ofTarget, means);
  const { shares, objective } = mixtureShares(ofTarget, count);
  scaleColumns(ofSource, means);
  const weights = new Float64Array(ofSource.length / count);
  for (let row = 0; row < weights.length; row++) {
    for (let b = 0; b < count; b++) weights[row]! += shares[b]! * ofSource[row * count + b]!;
  }
  return { weights: toMeanOne(weights), objective };
}

/**
 * The bandwidth of the largest mean log weight on target rows that were left out, in folds (Sugiyama et
 * al. 2008, Fig. 2).
 * @param folds of each target row, 0 .. ; at least two
 */
export function kliepBandwidth(
  input: Omit<KliepInput, 'bandwidth'>,
  candidates: readonly number[],
  folds: Int32Array,
): number {
  const { features, target } = input;
  const numbers = [...new Set(folds)];
  const score = (bandwidth: number): number => {
    let sum = 0;
    for (const fold of numbers) {
      const rows = (held: boolean) =>
        Float64Array.from(
          Array.from(folds.keys())
            .filter((row) => (folds[row] === fold) === held)
            .flatMap((row) =>
              Array.from({ length: features }, (_, i) => target[row * features + i]!),
            ),
        );
      sum += heldOut({ ...input, bandwidth }, rows(false), rows(true));
    }
    return sum;
  };
  const scores = candidates.map(score);
  return candidates[scores.indexOf(Math.max(...scores))]!;
}

/** Sum of log weights of held target rows, kernels on the rows of `input.target` as they are. */
function heldOut(input: KliepInput, kept: Float64Array, held: Float64Array): number {
  const count = input.centres.length;
  const ofSource = kernel(input.source, input);
  const means = columnMeans(ofSource, count).map((mean) => Math.max(mean, LEAST));
  const ofKept = kernel(kept, input);
  scaleColumns(ofKept, means);
  const { shares } = mixtureShares(ofKept, count);
  const ofHeld = kernel(held, input);
  scaleColumns(ofHeld, means);
  let sum = 0;
  for (let row = 0; row * count < ofHeld.length; row++) {
    let weight = 0;
    for (let b = 0; b < count; b++) weight += shares[b]! * ofHeld[row * count + b]!;
    sum += Math.log(Math.max(weight, Number.MIN_VALUE));
  }
  return sum;
}

/** Maximum-likelihood shares of components with these densities, [row, component]. */
function mixtureShares(densities: Float64Array, components: number) {
  const rows = densities.length / components;
  let shares = new Float64Array(components).fill(1 / components);
  let objective = -Infinity;
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const next = new Float64Array(components);
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const from = row * components;
      let density = 0;
      for (let b = 0; b < components; b++) density += shares[b]! * densities[from + b]!;
      density = Math.max(density, Number.MIN_VALUE);
      sum += Math.log(density);
      for (let b = 0; b < components; b++) {
        next[b]! += (shares[b]! * densities[from + b]!) / density / rows;
      }
    }
    const gain = sum / rows - objective;
    objective = sum / rows;
    if (gain < TOLERANCE) break;
    const total = next.reduce((all, each) => all + each, 0);
    shares = next.map((each) => each / total);
  }
  return { shares, objective };
}

/** exp(-|x - c|^2 / (2 bandwidth^2)): [row, centre]. */
function kernel(rows: ArrayLike<number>, { target, features, bandwidth, centres }: KliepInput) {
  const count = rows.length / features;
  const result = new Float64Array(count * centres.length);
  for (let row = 0; row < count; row++) {
    for (const [b, centre] of centres.entries()) {
      let sum = 0;
      for (let i = 0; i < features; i++) {
        sum += (rows[row * features + i]! - target[centre * features + i]!) ** 2;
      }
      result[row * centres.length + b] = Math.exp(-sum / (2 * bandwidth * bandwidth));
    }
  }
  return result;
}

function columnMeans(values: Float64Array, columns: number): Float64Array {
  const means = new Float64Array(columns);
  for (let at = 0; at < values.length; at++) means[at % columns]! += values[at]!;
  return means.map((sum) => (sum * columns) / values.length);
}

function scaleColumns(values: Float64Array, by: Float64Array): void {
  for (let at = 0; at < values.length; at++) values[at]! /= by[at % by.length]!;
}

/** The same in proportion, with mean 1. @param weights not all 0 */
export function toMeanOne(weights: Float64Array): Float64Array {
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  return weights.map((weight) => weight / mean);
}
