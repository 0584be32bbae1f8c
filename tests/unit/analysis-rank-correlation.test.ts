/** Against SciPy (tests/reference/make_visual.py). */
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rankCorrelation } from '../../engine/analysis/rank-correlation.ts';

const file = new URL('../reference/visual.json', import.meta.url);
const { correlations } = JSON.parse(await readFile(file, 'utf8')) as {
  correlations: { a: number[]; b: number[]; rho: number }[];
};

describe("Spearman's rank correlation", () => {
  test.each(correlations)("is SciPy's, with and without ties", ({ a, b, rho }) => {
    expect(rankCorrelation(a, b)).toBeCloseTo(rho, 12);
  });

  test('does not change under increasing functions, and turns with the sign', () => {
    const values = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 5, maxLength: 40 });
    fc.assert(
      fc.property(values, fc.infiniteStream(fc.integer({ min: -20, max: 20 })), (a, more) => {
        const b = a.map(() => more.next().value);
        const rho = rankCorrelation(a, b);
        expect(
          rankCorrelation(
            a.map((v) => v ** 3 + v),
            b,
          ),
        ).toBe(rho);
        const turned = rankCorrelation(
          a,
          b.map((v) => -v),
        );
        if (rho === null) expect(turned).toBeNull();
        else expect(turned).toBeCloseTo(-rho, 12);
        if (new Set(a).size > 1) expect(rankCorrelation(a, a)).toBeCloseTo(1, 12);
      }),
    );
  });

  test('is not defined where nothing is ranked, and refuses lengths that differ', () => {
    expect(rankCorrelation([0, 0, 0], [1, 2, 3])).toBeNull();
    expect(() => rankCorrelation([1, 2], [1, 2, 3])).toThrow(/2 with 3 values/);
  });
});
