/** Distances between domains in features: Fréchet, MMD^2 and proxy A-distance, with intervals. */
import { stream } from '../random/streams.ts';
import { bootstrapOne, timesOfImages, unitsOf } from './bootstrap.ts';
import { frechetFromRoot } from './frechet.ts';
import { jackknife, jackknifeCorrected, type Jackknifed } from './jackknife.ts';
import {
  momentsOfSums,
  squareRoot,
  sumsOf,
  withoutSums,
  type Moments,
  type Sums,
} from './matrix.ts';
import { quantile } from './metrics.ts';
import { kernelSums, medianDistance, permutedMmd, unbiasedMmd } from './mmd.ts';
import { principalComponents } from './pca.ts';
import { classifyDomains, pick, proxyDistance } from './proxy-distance.ts';

/** Features of the images of one domain. */
export interface DomainSample {
  /** [image, feature] */
  rows: Float32Array;
  /** Group of each image; the same number in several samples is the same group. */
  groups: Int32Array;
}

export interface DistanceOptions {
  features: number;
  permutations: number;
  replicates: number;
  seed: number;
  /** Told after each pair. */
  told?: (done: number, total: number) => void;
}

type Corrected = ReturnType<typeof jackknifeCorrected>;

export interface PairDistance {
  /** Numbers of the samples. */
  a: number;
  b: number;
  /** Jackknife over blocks of groups; `corrected` is without the bias of few images. */
  frechet: Corrected;
  /** Jackknife over blocks of groups. */
  mmd2: Jackknifed;
  /** Of `permutations` exchanges: the 95 % quantile, and the share that comes to as much. */
  permuted: { quantile: number; p: number } | null;
  /** Bootstrap over groups, the classifiers kept. */
  proxy: { value: number; interval: [number, number] | null };
}

export interface DomainDistances {
  pairs: PairDistance[];
  /** Of the Gaussian kernel: the median distance of images, all domains together. */
  bandwidth: number;
  /** Directions in which the Fréchet distance is taken, and their share of the variance. */
  directions: number;
  variance: number;
}

/** Parts that the jackknife leaves out one after the other. */
const MOST_BLOCKS = 20;
/** Directions of the Fréchet distance: more take long and more images. */
const MOST_DIRECTIONS = 128;
/** Images that the median is taken over. */
const MEDIAN_OF = 1000;

/**
 * Distances of all pairs of samples. Fréchet is taken in all features where the smallest sample has
 * more than twice as many images, else in so many principal directions of all images together.
 * @param samples at least two, of at least eight images each
 */
export async function domainDistances(
  samples: readonly DomainSample[],
  options: DistanceOptions,
): Promise<DomainDistances> {
  const { features, seed } = options;
  const pooled = joined(samples.map(({ rows }) => rows));
  const bandwidth = medianDistance(someRows(pooled, features, seed), features);
  const projected = await project(samples, pooled, features);
  const blocks = blocksOf(samples, seed);
  const frechet = frechetDistances(samples, projected, blocks);
  const indices = samples.flatMap((_, a) => samples.slice(a + 1).map((_, at) => [a, a + 1 + at]));
  const pairs: PairDistance[] = [];
  for (const [a, b] of indices as [number, number][]) {
    options.told?.(pairs.length, indices.length);
    const both = pairOf(samples[a]!, samples[b]!);
    pairs.push({
      ...{ a, b, frechet: frechet(a, b) },
      ...mmdOf(both, blocks, bandwidth, options),
      proxy: proxyOf(both, options),
    });
  }
  const { directions, variance } = projected;
  return { pairs, bandwidth, directions, variance };
}

interface Projected {
  /** [image, direction] of each sample. */
  rows: ArrayLike<number>[];
  directions: number;
  variance: number;
}

async function project(
  samples: readonly DomainSample[],
  pooled: Float32Array,
  features: number,
): Promise<Projected> {
  const fewest = Math.min(...samples.map(({ groups }) => groups.length));
  const most = Math.min(MOST_DIRECTIONS, Math.floor((fewest - 1) / 2));
  if (features <= most) {
    return { rows: samples.map(({ rows }) => rows), directions: features, variance: 1 };
  }
  const { scores, count, variances } = await principalComponents(pooled, features, most);
  const variance = variances.reduce((sum, value) => sum + value, 0) / spreadOf(pooled, features);
  let from = 0;
  const rows = samples.map(({ groups }) => {
    const part = scores.subarray(from * count, (from + groups.length) * count);
    from += groups.length;
    return part;
  });
  return { rows, directions: count, variance: Math.min(1, variance) };
}

/** Total variance, divided by rows - 1. */
function spreadOf(rows: Float32Array, features: number): number {
  const count = rows.length / features;
  let spread = 0;
  for (let i = 0; i < features; i++) {
    let [sum, squares] = [0, 0];
    for (let at = i; at < rows.length; at += features) sum += rows[at]!;
    for (let at = i; at < rows.length; at += features) squares += (rows[at]! - sum / count) ** 2;
    spread += squares / (count - 1);
  }
  return spread;
}

interface Blocks {
  count: number;
  /** Of each group. */
  of: ReadonlyMap<number, number>;
}

/** Groups dealt to blocks of about as many each. */
function blocksOf(samples: readonly DomainSample[], seed: number): Blocks {
  const groups = [...new Set(samples.flatMap(({ groups }) => [...groups]))];
  const count = Math.min(MOST_BLOCKS, groups.length);
  const order = stream(seed, 'blocks of groups').permutation(groups.length);
  return { count, of: new Map(groups.map((group, at) => [group, order[at]! % count])) };
}

/** The Fréchet distance of two samples by their numbers; moments are kept between pairs. */
function frechetDistances(
  samples: readonly DomainSample[],
  { rows, directions }: Projected,
  blocks: Blocks,
): (a: number, b: number) => Corrected {
  const origin = new Float64Array(directions);
  const sums = samples.map(({ groups }, at) => ({
    whole: sumsOf(rows[at]!, directions, origin),
    parts: Array.from({ length: blocks.count }, (_, block) =>
      sumsOf(rowsIn(rows[at]!, directions, groups, blocks, block), directions, origin),
    ),
  }));
  const kept = new Map<string, { moments: Moments; root: Float64Array }>();
  const momentsWithout = (sample: number, block: number) => {
    const key = `${sample} ${block}`;
    const known = kept.get(key);
    if (known) return known;
    const { whole, parts } = sums[sample]!;
    const left: Sums = block < 0 ? whole : withoutSums(whole, parts[block]!);
    const moments = momentsOfSums(left, directions);
    const made = { moments, root: squareRoot(moments.covariance, directions) };
    kept.set(key, made);
    return made;
  };
  return (a, b) =>
    jackknifeCorrected(blocks.count, (units) => {
      const block = missing(units, blocks.count);
      const [first, second] = [momentsWithout(a, block), momentsWithout(b, block)];
      if (Math.min(first.moments.count, second.moments.count) < 2) return null;
      return frechetFromRoot(first.moments, first.root, second.moments);
    });
}

/** The block that is left out, or -1. */
function missing(kept: readonly number[], count: number): number {
  if (kept.length === count) return -1;
  const at = kept.findIndex((unit, index) => unit !== index);
  return at < 0 ? count - 1 : at;
}

function rowsIn(
  rows: ArrayLike<number>,
  features: number,
  groups: Int32Array,
  blocks: Blocks,
  block: number,
): Float64Array {
  const own = Array.from(groups.keys()).filter((row) => blocks.of.get(groups[row]!) === block);
  const result = new Float64Array(own.length * features);
  own.forEach((row, at) => {
    for (let i = 0; i < features; i++) result[at * features + i] = rows[row * features + i]!;
  });
  return result;
}

/** Two samples as one. */
interface Pair {
  rows: Float32Array;
  domains: Int32Array;
  groups: Int32Array;
}

function pairOf(a: DomainSample, b: DomainSample): Pair {
  const domains = new Int32Array(a.groups.length + b.groups.length);
  domains.fill(1, a.groups.length);
  const groups = Int32Array.from([...a.groups, ...b.groups]);
  return { rows: joined([a.rows, b.rows]), domains, groups };
}

function mmdOf(
  { rows, domains, groups }: Pair,
  blocks: Blocks,
  bandwidth: number,
  { features, permutations, seed }: DistanceOptions,
): Pick<PairDistance, 'mmd2' | 'permuted'> {
  const numbers = new Map<string, number>();
  const units: { group: number; side: number }[] = [];
  const unitOf = Int32Array.from(groups, (group, row) => {
    const key = `${group} ${domains[row]}`;
    if (!numbers.has(key)) {
      numbers.set(key, units.length);
      units.push({ group, side: domains[row]! });
    }
    return numbers.get(key)!;
  });
  const kernel = kernelSums(
    ...([rows, features, bandwidth, unitOf] as const),
    Int32Array.from(units, ({ group }) => group),
  );
  const side = Int32Array.from(units, (unit) => unit.side);
  const mmd2 = jackknife(blocks.count, (kept) => {
    const block = missing(kept, blocks.count);
    const left = units.map((unit) => (blocks.of.get(unit.group) === block ? 2 : unit.side));
    const value = unbiasedMmd(kernel, left);
    return Number.isFinite(value) ? value : null;
  });
  if (permutations === 0 || mmd2.value === null) return { mmd2, permuted: null };
  const random = stream(seed, 'exchanged domains');
  const values = permutedMmd(kernel, side, permutations, random).sort();
  const above = values.filter((value) => value >= mmd2.value!).length;
  const p = (1 + above) / (1 + permutations);
  return { mmd2, permuted: { quantile: quantile(values, 0.95), p } };
}

function proxyOf(
  { rows, domains, groups }: Pair,
  { features, replicates, seed }: DistanceOptions,
): PairDistance['proxy'] {
  const { wrong } = classifyDomains(rows, features, domains, Array.from(groups, String), seed);
  const units = unitsOf(groups.length, groups);
  const statistic = (times: Int32Array): number | null => {
    const value = proxyDistance(wrong, domains, timesOfImages(units, times));
    return Number.isFinite(value) ? value : null;
  };
  const interval = bootstrapOne(units.count, statistic, { replicates, seed });
  return { value: proxyDistance(wrong, domains), interval };
}

function someRows(rows: Float32Array, features: number, seed: number): Float32Array {
  const count = rows.length / features;
  if (count <= MEDIAN_OF) return rows;
  const drawn = stream(seed, 'median distance').permutation(count).subarray(0, MEDIAN_OF);
  return pick(rows, features, Array.from(drawn));
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
