/** Intervals over few repetitions: Student's t. */
import { studentCritical, studentTwoSided } from './distributions.ts';
import { mean } from './metrics.ts';

export interface MeanInterval {
  mean: number;
  /** 95 %: mean +- t(0.975, n - 1) s / sqrt(n); null with one value. */
  interval: [number, number] | null;
  /** Two-sided p of the mean being 0; null with one value. 0 where all values are one that is not 0. */
  p: number | null;
  n: number;
}

/**
 * Mean of values that are repetitions of one another (seeds), with Student's t interval, as
 * `scipy.stats.ttest_1samp`. Of paired differences: give their differences.
 * @throws bad-input when there are no values
 */
export function tInterval(values: readonly number[]): MeanInterval {
  const n = values.length;
  const centre = mean(values);
  if (n < 2) return { mean: centre, interval: null, p: null, n };
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  const error = Math.sqrt(squares / (n - 1) / n);
  const half = studentCritical(0.05, n - 1) * error;
  const interval: [number, number] = [centre - half, centre + half];
  if (error === 0) return { mean: centre, interval, p: centre === 0 ? 1 : 0, n };
  return { mean: centre, interval, p: studentTwoSided(centre / error, n - 1), n };
}
