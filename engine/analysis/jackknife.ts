import { tInterval } from './t-interval.ts';

/** A statistic with its jackknife interval. */
export interface Jackknifed {
  value: number | null;
  interval: [number, number] | null;
}

/**
 * A statistic with its 95 % jackknife interval: the t interval of the pseudo-values
 * n s - (n - 1) s(without i) around s (Tukey 1958; for means over pairs of units, which are
 * U-statistics, Arvesen 1969). Units are what is independent, such as seeds.
 * @param n units
 * @param statistic of the units that are kept; null where too few are left
 * @returns null interval where the statistic is not defined without one of the units
 */
export function jackknife(
  n: number,
  statistic: (kept: readonly number[]) => number | null,
): Jackknifed {
  const { value, interval } = jackknifeCorrected(n, statistic);
  return { value, interval };
}

/** The same, and the mean of the pseudo-values: without the bias that falls as 1 / n (Quenouille 1956). */
export function jackknifeCorrected(
  n: number,
  statistic: (kept: readonly number[]) => number | null,
): Jackknifed & { corrected: number | null } {
  const units = Array.from({ length: n }, (_, unit) => unit);
  const value = statistic(units);
  if (value === null || n < 2) return { value, interval: null, corrected: null };
  const without = units.map((left) => statistic(units.filter((unit) => unit !== left)));
  if (without.some((each) => each === null)) return { value, interval: null, corrected: null };
  const pseudo = without.map((each) => n * value - (n - 1) * each!);
  const { mean, interval } = tInterval(pseudo);
  const shift = value - mean;
  return {
    value,
    interval: interval && [interval[0] + shift, interval[1] + shift],
    corrected: mean,
  };
}
