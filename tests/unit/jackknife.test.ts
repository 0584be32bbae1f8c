import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jackknife } from '../../engine/analysis/jackknife.ts';
import { tInterval } from '../../engine/analysis/t-interval.ts';

const mean = (values: number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;

describe('the jackknife', () => {
  it('of a mean is the t interval', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 2 }), (x) => {
        const { value, interval } = jackknife(x.length, (kept) => mean(kept.map((i) => x[i]!)));
        const expected = tInterval(x);
        expect(value).toBeCloseTo(expected.mean, 9);
        expect(interval![0]).toBeCloseTo(expected.interval![0], 6);
        expect(interval![1]).toBeCloseTo(expected.interval![1], 6);
      }),
    );
  });

  it('of a mean over pairs, by hand', () => {
    // pairs 01: 1, 02: 2, 12: 6; mean 3; without 0: 6, 1: 2, 2: 1; pseudo-values -3, 5, 7
    const pairs = [
      [0, 1, 1],
      [0, 2, 2],
      [1, 2, 6],
    ] as const;
    const statistic = (kept: readonly number[]) => {
      const own = pairs.filter(([a, b]) => kept.includes(a) && kept.includes(b));
      return own.length === 0 ? null : mean(own.map(([, , value]) => value));
    };
    const { value, interval } = jackknife(3, statistic);
    const half = 4.302652729749464 * Math.sqrt(28 / 3); // s^2 of (-3, 5, 7) is 28
    expect(value).toBe(3);
    expect(interval![0]).toBeCloseTo(3 - half, 9);
    expect(interval![1]).toBeCloseTo(3 + half, 9);
    expect(jackknife(2, (kept) => statistic(kept)).interval).toBeNull();
  });
});
