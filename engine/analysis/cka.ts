/** Centred kernel alignment of two sets of features of the same images, with a linear kernel. */
import { CarryoverError } from '../../contract/errors.ts';
import { stream } from '../random/streams.ts';
import type { Features, Gram } from './gram.ts';
import { crossProduct, gramAmong, squaredLengths } from './gram.ts';
import { mean, quantile } from './metrics.ts';

export type Estimator = 'unbiased' | 'biased';

/** Inner products of the same images in two feature spaces. */
export interface GramPair {
  x: Gram;
  y: Gram;
}

/** What CKA is where the images of the two sides are paired at random. */
export interface PermutationNull {
  permutations: number;
  mean: number;
  /** 95th percentile. */
  upper: number;
  /** (1 + those at least as large as the estimate) / (1 + permutations). */
  p: number;
}

/** The unbiased estimator divides by n (n - 3). */
const FEWEST = 4;

/**
 * Linear CKA (Kornblith et al. 2019): HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)). Unbiased: HSIC_1 of
 * Song et al. 2012, as in Nguyen et al. 2021, in the form of Szekely and Rizzo 2014 (inner product
 * of U-centred matrices). Of several batches: their HSIC are averaged before the ratio is taken
 * (Nguyen et al. 2021, equation 2), which is right only for the unbiased estimator; batches must
 * have the same number of images.
 * @param batches one, or several of one size
 * @returns about 0..1, below 0 where the unbiased estimate is; null where the features of a side do
 *   not differ between images
 * @throws bad-input with fewer than four images, or batches of different sizes
 */
export function cka(batches: readonly GramPair[], estimator: Estimator): number | null {
  return ratio(batches.map((pair) => productsOf(centredPair(pair, estimator))));
}

/**
 * The same from features, without matrices of images by images: for more images than dimensions.
 * Biased: |X^T Y|^2 / (|X^T X| |Y^T Y|) of centred columns. Unbiased: the formula of Kornblith's
 * notebook (google-research, representation_similarity).
 */
export async function featureCka(
  x: Features,
  y: Features,
  estimator: Estimator,
): Promise<number | null> {
  checkCount(x.rows);
  const similarity = async (a: Features, b: Features): Promise<number> => {
    const biased = (await crossProduct(a, b)).reduce((sum, value) => sum + value * value, 0);
    return estimator === 'biased' ? biased : debiased(biased, squaredLengths(a), squaredLengths(b));
  };
  return ratio([
    { xy: await similarity(x, y), xx: await similarity(x, x), yy: await similarity(y, y) },
  ]);
}

function debiased(biased: number, x: Float64Array, y: Float64Array): number {
  const n = x.length;
  let [together, sumX, sumY] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    together += x[i]! * y[i]!;
    sumX += x[i]!;
    sumY += y[i]!;
  }
  return biased - (n / (n - 2)) * together + (sumX * sumY) / ((n - 1) * (n - 2));
}

/**
 * CKA under the hypothesis that the two sides have nothing to do with each other: the images of one
 * are put in random order, within their batch.
 * @param seed of `stream(seed, 'permutation')`
 * @returns null where CKA is
 */
export function permutationNull(
  batches: readonly GramPair[],
  estimator: Estimator,
  { permutations, seed }: { permutations: number; seed: number },
): PermutationNull | null {
  const centred = batches.map((pair) => centredPair(pair, estimator));
  const own = centred.map(productsOf);
  const estimate = ratio(own);
  if (estimate === null || permutations === 0) return null;
  const random = stream(seed, 'permutation');
  const values = new Float64Array(permutations);
  for (let at = 0; at < permutations; at++) {
    const mixed = centred.map((pair, batch) => ({
      ...own[batch]!,
      xy: permutedProduct(pair, random.permutation(pair.x.rows)),
    }));
    values[at] = ratio(mixed)!;
  }
  values.sort();
  const asLarge = values.filter((value) => value >= estimate).length;
  return {
    ...{ permutations, mean: mean(values), upper: quantile(values, 0.95) },
    p: (1 + asLarge) / (1 + permutations),
  };
}

/**
 * 95 % interval over images by half-sampling: percentiles of the unbiased estimate on random halves,
 * drawn without replacement. The spread of halves around the whole is that of wholes around the
 * truth, since 1 / (n / 2) - 1 / n = 1 / n (Politis and Romano 1994; McCarthy 1969). A bootstrap
 * would draw images twice; a pair of an image with itself counts as the most similar of all, which
 * the unbiased estimator leaves out for good reason. Where the two sides are independent, intervals
 * are too wide rather than too narrow.
 * @param units which images are drawn together, by batch (groups of a patient); absent: none are
 * @param seed of `stream(seed, 'half')`
 * @returns null with fewer than eight units, or where CKA is null
 */
export function halfSampleInterval(
  batches: readonly GramPair[],
  { replicates, seed, units }: { replicates: number; seed: number; units?: readonly Int32Array[] },
): [number, number] | null {
  const members = batches.map(({ x }, batch) => membersOf(x.rows, units?.[batch]));
  if (replicates === 0 || members.some((own) => own.length < 2 * FEWEST)) return null;
  const random = stream(seed, 'half');
  const values = new Float64Array(replicates);
  for (let replicate = 0; replicate < replicates; replicate++) {
    const products = batches.map(({ x, y }, batch) => {
      const kept = halfOf(members[batch]!, (n) => random.permutation(n));
      const half = { x: gramAmong(x, kept), y: gramAmong(y, kept) };
      return productsOf(centredPair(half, 'unbiased'));
    });
    const value = ratio(products);
    if (value === null) return null;
    values[replicate] = value;
  }
  values.sort();
  return [quantile(values, 0.025), quantile(values, 0.975)];
}

/** Images by unit. */
function membersOf(rows: number, units: Int32Array | undefined): number[][] {
  const images = Array.from({ length: rows }, (_, image) => image);
  if (units === undefined) return images.map((image) => [image]);
  return [...Map.groupBy(images, (image) => units[image]!).values()];
}

function halfOf(members: readonly number[][], permute: (n: number) => Int32Array): number[] {
  const drawn = permute(members.length).subarray(0, members.length >> 1);
  return [...drawn].flatMap((unit) => members[unit]!).sort((a, b) => a - b);
}

interface Products {
  xy: number;
  xx: number;
  yy: number;
}

function ratio(batches: readonly Products[]): number | null {
  let [xy, xx, yy] = [0, 0, 0];
  for (const each of batches) {
    xy += each.xy;
    xx += each.xx;
    yy += each.yy;
  }
  // A sum of squares; what is left of equal features is rounding, which is exactly none.
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : null;
}

function centredPair({ x, y }: GramPair, estimator: Estimator): GramPair {
  if (x.rows !== y.rows) {
    throw new CarryoverError('bad-input', `${x.rows} images do not go with ${y.rows} images`);
  }
  checkCount(x.rows);
  const centre = estimator === 'unbiased' ? uCentred : doublyCentred;
  return { x: centre(x), y: x === y ? centre(x) : centre(y) };
}

function checkCount(rows: number): void {
  if (rows >= FEWEST) return;
  throw new CarryoverError('bad-input', `CKA needs ${FEWEST} images or more, not ${rows}`, {
    value: String(rows),
    wayOut: 'take the features of more images',
  });
}

function productsOf({ x, y }: GramPair): Products {
  return { xy: inner(x, y), xx: inner(x, x), yy: inner(y, y) };
}

function inner(a: Gram, b: Gram): number {
  let sum = 0;
  for (let i = 0; i < a.values.length; i++) sum += a.values[i]! * b.values[i]!;
  return sum;
}

function permutedProduct({ x, y }: GramPair, order: Int32Array): number {
  const { rows } = x;
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    const from = order[i]! * rows;
    for (let j = 0; j < rows; j++) sum += x.values[i * rows + j]! * y.values[from + order[j]!]!;
  }
  return sum;
}

/** Off the diagonal K_ij - r_i / (n - 2) - r_j / (n - 2) + s / ((n - 1)(n - 2)), 0 on it. */
function uCentred({ values, rows }: Gram): Gram {
  const sums = new Float64Array(rows);
  let total = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rows; j++) if (i !== j) sums[i]! += values[i * rows + j]!;
    total += sums[i]!;
  }
  const all = total / ((rows - 1) * (rows - 2));
  const centred = new Float64Array(values.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rows; j++) {
      if (i === j) continue;
      centred[i * rows + j] = values[i * rows + j]! - (sums[i]! + sums[j]!) / (rows - 2) + all;
    }
  }
  return { values: centred, rows };
}

/** K_ij - mean_i - mean_j + mean. */
function doublyCentred({ values, rows }: Gram): Gram {
  const means = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rows; j++) means[i]! += values[i * rows + j]! / rows;
  }
  const all = mean(means);
  const centred = values.map(
    (value, at) => value - means[Math.floor(at / rows)]! - means[at % rows]! + all,
  );
  return { values: centred, rows };
}
