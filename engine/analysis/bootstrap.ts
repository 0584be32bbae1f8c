/** The percentile bootstrap over units that are drawn whole: images, or groups of them. */
import { CarryoverError } from '../../contract/errors.ts';
import { stream } from '../random/streams.ts';
import { quantile } from './metrics.ts';

/** Fewer resampling units than this make a percentile bootstrap's interval too narrow. */
export const FEW_UNITS = 20;

export const REPLICATES = 2000;

/** Share of the replicates in which a statistic must be defined for its interval to be given. */
const DEFINED = 0.9;

export interface BootstrapOptions {
  replicates?: number;
  seed?: number;
}

/** What is drawn: each image belongs to one unit. */
export interface Units {
  count: number;
  /** Unit of each image, numbered by first appearance. */
  of: Int32Array;
}

/**
 * The resampling units of images.
 * @param groups a number per image (any integers): images of one group are one unit. Absent: each
 *   image is
 */
export function unitsOf(images: number, groups?: ArrayLike<number>): Units {
  if (groups === undefined) {
    return { count: images, of: Int32Array.from({ length: images }, (_, image) => image) };
  }
  if (groups.length !== images) {
    throw new CarryoverError('bad-input', `${groups.length} group numbers for ${images} images`);
  }
  const numbers = new Map<number, number>();
  const of = Int32Array.from(groups, (group) => {
    if (!numbers.has(group)) numbers.set(group, numbers.size);
    return numbers.get(group)!;
  });
  return { count: numbers.size, of };
}

/** How often each image was drawn, from how often its unit was. */
export function timesOfImages({ of }: Units, times: Int32Array): Int32Array {
  return of.map((unit) => times[unit]!);
}

/**
 * Statistics of bootstrap replicates (Efron and Tibshirani 1993). Each draws as many units as there
 * are, with replacement, from `stream(seed, 'bootstrap')`; all statistics see the same draws.
 * @param units how many there are, at least 1
 * @param statistics given how often each unit was drawn, its values; null where one is not defined
 * @returns [statistic][replicate]
 */
export function bootstrapDraws(
  units: number,
  statistics: (times: Int32Array) => readonly (number | null)[],
  { replicates = REPLICATES, seed = 0 }: BootstrapOptions = {},
): (number | null)[][] {
  if (units < 1) throw new CarryoverError('bad-input', 'nothing to resample');
  const rng = stream(seed, 'bootstrap');
  const times = new Int32Array(units);
  const values: (number | null)[][] = [];
  for (let replicate = 0; replicate < replicates; replicate++) {
    times.fill(0);
    for (let i = 0; i < units; i++) times[rng.randint(0, units)]! += 1;
    for (const [at, value] of statistics(times).entries()) (values[at] ??= []).push(value);
  }
  return values;
}

/**
 * 95 % percentile interval of a statistic's draws (Efron and Tibshirani 1993, section 13.3),
 * quantiles as NumPy's default; over the draws in which it is defined.
 * @returns null where those are fewer than nine in ten
 */
export function percentileInterval(draws: readonly (number | null)[]): [number, number] | null {
  const defined = draws.filter((value) => value !== null);
  if (defined.length === 0 || defined.length < DEFINED * draws.length) return null;
  const sorted = Float64Array.from(defined).sort();
  return [quantile(sorted, 0.025), quantile(sorted, 0.975)];
}

/**
 * Two-sided p of a statistic being 0: twice the share of its draws on the smaller side of 0, one
 * counted in (Davison and Hinkley 1997, section 4.4), 1 at most. It is not below 2 / (draws + 1).
 * @returns null where fewer than nine draws in ten are defined
 */
export function bootstrapP(draws: readonly (number | null)[]): number | null {
  const defined = draws.filter((value) => value !== null);
  if (defined.length === 0 || defined.length < DEFINED * draws.length) return null;
  const below = defined.filter((value) => value <= 0).length;
  const above = defined.filter((value) => value >= 0).length;
  return Math.min(1, (2 * (Math.min(below, above) + 1)) / (defined.length + 1));
}

/** The intervals of `bootstrapDraws`. */
export function bootstrap(
  units: number,
  statistics: (times: Int32Array) => readonly (number | null)[],
  options?: BootstrapOptions,
): ([number, number] | null)[] {
  return bootstrapDraws(units, statistics, options).map(percentileInterval);
}

/** The interval of one statistic. */
export function bootstrapOne(
  units: number,
  statistic: (times: Int32Array) => number | null,
  options?: BootstrapOptions,
): [number, number] | null {
  return bootstrap(units, (times) => [statistic(times)], options)[0] ?? null;
}
