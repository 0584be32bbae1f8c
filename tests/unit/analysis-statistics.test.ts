import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bootstrap,
  bootstrapOne,
  bootstrapP,
  percentileInterval,
  timesOfImages,
  unitsOf,
} from '../../engine/analysis/bootstrap.ts';
import { averageLinkage, leafOrder } from '../../engine/analysis/clustering.ts';
import {
  incompleteBeta,
  normalCdf,
  studentCritical,
  studentTwoSided,
} from '../../engine/analysis/distributions.ts';
import { benjaminiHochberg, holm } from '../../engine/analysis/multiple-testing.ts';
import { tInterval } from '../../engine/analysis/t-interval.ts';
import { RandomState } from '../../engine/random/random-state.ts';
import { quantile } from '../../engine/analysis/metrics.ts';
import reference from '../reference/metrics.json' with { type: 'json' };

/** Of the size of the number, however small. */
function expectRelative(value: number, expected: number, share = 1e-11) {
  expect(Math.abs(value - expected)).toBeLessThanOrEqual(share * Math.abs(expected) + 1e-300);
}

describe('distributions are those of SciPy', () => {
  test.each(reference.normal)('normal below %f', (z, p) => {
    expectRelative(normalCdf(z!), p!);
  });
  test.each(reference.student)('outside of t = %f with %i degrees of freedom', (t, freedom, p) => {
    expectRelative(studentTwoSided(t!, freedom!), p!);
  });
  test.each(reference.critical)('97.5 %% of Student with %i degrees', (freedom, critical) => {
    // SciPy's own inverse is right to about ten digits.
    expectRelative(studentCritical(0.05, freedom!), critical!, 1e-10);
  });
  test('with one and two degrees of freedom the quantiles have closed forms', () => {
    expectRelative(studentCritical(0.05, 1), Math.tan(0.475 * Math.PI), 1e-13);
    expectRelative(studentCritical(0.05, 2), 0.95 * Math.sqrt(2 / (1 - 0.95 ** 2)), 1e-13);
  });

  test('I_x(a, b) is 1 - I_(1-x)(b, a), and x^a at b = 1', () => {
    const size = fc.double({ min: 0.3, max: 40, noNaN: true });
    fc.assert(
      fc.property(size, size, fc.integer({ min: 0, max: 64 }), (a, b, step) => {
        const x = step / 64;
        expect(incompleteBeta(a, b, x) + incompleteBeta(b, a, 1 - x)).toBeCloseTo(1, 11);
        expect(incompleteBeta(a, 1, x)).toBeCloseTo(x ** a, 11);
      }),
    );
  });
});

describe('the interval over seeds', () => {
  test.each(reference.t)('is that of SciPy', ({ values, interval, p }) => {
    const found = tInterval(values);
    // SciPy's quantile of t is right to about ten digits.
    expect(found.interval![0]).toBeCloseTo(interval[0]!, 8);
    expect(found.interval![1]).toBeCloseTo(interval[1]!, 8);
    expect(found.p).toBeCloseTo(p, 12);
  });

  test('of one value there is none; of equal values it is that value', () => {
    expect(tInterval([0.3])).toEqual({ mean: 0.3, interval: null, p: null, n: 1 });
    expect(tInterval([2, 2, 2])).toEqual({ mean: 2, interval: [2, 2], p: 0, n: 3 });
    expect(tInterval([0, 0])).toEqual({ mean: 0, interval: [0, 0], p: 1, n: 2 });
    expect(() => tInterval([])).toThrow('no values');
  });
});

describe('p values adjusted for their number', () => {
  test.each(reference.adjusted)('are those of statsmodels', ({ p, ...expected }) => {
    holm(p).forEach((value, at) => expect(value).toBeCloseTo(expected.holm[at]!, 14));
    benjaminiHochberg(p).forEach((value, at) =>
      expect(value).toBeCloseTo(expected.benjaminiHochberg[at]!, 14),
    );
  });

  test('are never below p or above 1, Holm never below Benjamini-Hochberg', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(share, { minLength: 1, maxLength: 12 }), (p) => {
        const [strict, lenient] = [holm(p), benjaminiHochberg(p)];
        for (const [at, value] of p.entries()) {
          expect(lenient[at]!).toBeGreaterThanOrEqual(value - 1e-15);
          expect(strict[at]!).toBeGreaterThanOrEqual(lenient[at]! - 1e-12);
          expect(strict[at]!).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe('average linkage', () => {
  test.each(reference.clustering)('of $n points is that of SciPy', (expected) => {
    const merges = averageLinkage(expected.distances, expected.n);
    merges.forEach(({ a, b, distance, size }, at) => {
      const [left, right, height, members] = expected.merges[at]!;
      expect([a, b, size]).toEqual([left, right, members]);
      expect(distance).toBeCloseTo(height!, 12);
    });
    expect(leafOrder(merges)).toEqual(expected.leaves);
  });

  test('one thing is its own order, and the numbers must be square', () => {
    expect(leafOrder(averageLinkage([0], 1))).toEqual([0]);
    expect(() => averageLinkage([0, 1], 2)).toThrow('2 distances');
  });
});

describe('the bootstrap', () => {
  test('draws what NumPy draws, unit by unit', () => {
    const values = [3, 1, 4, 1, 5, 9, 2];
    const state = new RandomState([7, ...new TextEncoder().encode('bootstrap')]);
    const sums = Array.from({ length: 200 }, () => {
      let sum = 0;
      for (let i = 0; i < values.length; i++) sum += values[state.randint(0, values.length)]!;
      return sum;
    }).sort((a, b) => a - b);
    const sum = (times: Int32Array) => times.reduce((all, n, at) => all + n * values[at]!, 0);
    expect(bootstrapOne(7, sum, { replicates: 200, seed: 7 })).toEqual([
      quantile(sums, 0.025),
      quantile(sums, 0.975),
    ]);
  });

  test('groups are drawn whole', () => {
    const units = unitsOf(5, [8, -1, 8, 8, -1]);
    expect(units).toEqual({ count: 2, of: Int32Array.from([0, 1, 0, 0, 1]) });
    expect([...timesOfImages(units, Int32Array.from([2, 0]))]).toEqual([2, 0, 2, 2, 0]);
    expect(unitsOf(3)).toEqual({ count: 3, of: Int32Array.from([0, 1, 2]) });
    expect(() => unitsOf(2, [1])).toThrow('1 group numbers for 2 images');
  });

  test('p is twice the share on the other side of 0, one counted in', () => {
    const draws = [-1, 0, ...Array.from({ length: 97 }, (_, at) => at + 1)];
    expect(bootstrapP(draws)).toBeCloseTo((2 * (2 + 1)) / 100, 14);
    expect(bootstrapP(draws.map((value) => -value))).toBeCloseTo(0.06, 14);
    expect(bootstrapP([0, 0, 0])).toBe(1);
    expect(bootstrapP([1, null])).toBeNull();
    expect(percentileInterval([1, null])).toBeNull();
    expect(percentileInterval([])).toBeNull();
  });

  test('what is often undefined has no interval; its neighbour does', () => {
    const [often, constant] = bootstrap(2, (times) => [times[0] === 0 ? null : 1, 5], {
      replicates: 400,
    });
    expect(often).toBeNull(); // a quarter of the draws
    expect(constant).toEqual([5, 5]);
    expect(() => bootstrapOne(0, () => 1)).toThrow('nothing to resample');
  });
});
