/** Numbers of arms over seeds, with intervals. */
import type { Quantity, Unit } from '../../../contract/figures.ts';
import { jackknife } from '../../../engine/analysis/jackknife.ts';
import { tInterval } from '../../../engine/analysis/t-interval.ts';

/** A number of one run, or of what was made of several. */
export interface SeedValue {
  seed: number;
  value: number;
  /** Absent: of several. */
  run?: string;
}

export type Estimate = Pick<Quantity, 'value' | 'interval' | 'method' | 'n'>;

/** Mean over seeds with Student's t interval. */
export function overSeeds(values: readonly SeedValue[]): Estimate {
  const n = values.length;
  if (n === 0) return { value: null, interval: null, method: 'no seeds', n };
  const { mean, interval } = tInterval(values.map(({ value }) => value));
  return { value: mean, interval, method: n === 1 ? 'one seed' : `t over ${n} seeds`, n };
}

/** First less second, seed by seed; seeds that one of them lacks are left out. */
export function paired(first: readonly SeedValue[], second: readonly SeedValue[]): SeedValue[] {
  const others = new Map(second.map(({ seed, value }) => [seed, value]));
  return first.flatMap(({ seed, value }) => {
    const other = others.get(seed);
    return other === undefined ? [] : [{ seed, value: value - other }];
  });
}

/** Mean of the paired differences, first less second, with Student's t interval. */
export function pairedOverSeeds(
  first: readonly SeedValue[],
  second: readonly SeedValue[],
): Estimate {
  const estimate = overSeeds(paired(first, second));
  return { ...estimate, method: estimate.method.replace('t over', 't over paired differences of') };
}

/**
 * A number of several arms' means, such as a ratio, with the jackknife interval over the seeds that
 * all of them have.
 * @param of null where it is not defined
 */
export function ofMeans(
  arms: readonly (readonly SeedValue[])[],
  of: (means: number[]) => number | null,
): Estimate {
  const byArm = arms.map((values) => new Map(values.map(({ seed, value }) => [seed, value])));
  const [first = new Map<number, number>()] = byArm;
  const seeds = [...first.keys()].filter((seed) => byArm.every((own) => own.has(seed)));
  const n = seeds.length;
  const found = jackknife(n, (kept) => {
    if (kept.length === 0) return null;
    const mean = (own: ReadonlyMap<number, number>) =>
      kept.reduce((sum, at) => sum + own.get(seeds[at]!)!, 0) / kept.length;
    return of(byArm.map(mean));
  });
  return { ...found, method: n === 1 ? 'one seed' : `jackknife over ${n} seeds`, n };
}

/** An estimate under its name. */
export function quantity(key: string, title: string, unit: Unit, estimate: Estimate): Quantity {
  return { key, title, ...estimate, unit };
}
