import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RunLogits } from '../../host/studies/predictions.ts';
import {
  clearest,
  disagreementsOf,
} from '../../host/studies/analyses/what-layers-see/disagreements.ts';
import type { Disagreement } from '../../host/studies/analyses/what-layers-see/measured.ts';

const run = (logits: number[], items: Partial<RunLogits['items']>, classNames: string[]) => ({
  classNames,
  items: { imageIds: [], places: [], labels: [], hashes: [], ...items },
  logits: Float32Array.from(logits),
});

describe('disagreements', () => {
  test('are the images that exactly one is right about', () => {
    const names = ['cat', 'dog'];
    const items = { labels: [0, 1, 1, 0] };
    const a = run([2, 0, 0, 1, 3, 0, 0, 1], items, names);
    const b = run([0, 1, 0, 5, 0, 1, 0, 2], items, names);
    const found = disagreementsOf(a, b);
    expect(found.map(({ row, truth, right, said }) => ({ row, truth, right, said }))).toEqual([
      { row: 0, truth: 0, right: 'a', said: { a: 0, b: 1 } },
      { row: 2, truth: 1, right: 'b', said: { a: 0, b: 1 } },
    ]);
    expect(found[0]!.confidence.a).toBeCloseTo(1 / (1 + Math.exp(-2)), 6);
    expect(found[0]!.confidence.b).toBeCloseTo(1 / (1 + Math.exp(1)), 6);
  });

  test('of findings are those that are there and that exactly one sees', () => {
    const names = ['effusion', 'mass'];
    const items: Partial<RunLogits['items']> = {
      findings: [
        [1, 0],
        [null, 1],
      ],
    };
    const found = disagreementsOf(
      run([1, 3, 2, -1], items, names),
      run([-2, -3, -2, 4], items, names),
    );
    expect(found.map(({ row, truth, right, said }) => ({ row, truth, right, said }))).toEqual([
      { row: 0, truth: 0, right: 'a', said: { a: 1, b: 0 } },
      { row: 1, truth: 1, right: 'b', said: { a: 0, b: 1 } },
    ]);
    expect(found[1]!.confidence.b).toBeCloseTo(1 / (1 + Math.exp(-4)), 6);
  });

  test('more than 200 are drawn down, the same each time, and keep their order', () => {
    const labels = Array.from({ length: 500 }, () => 0);
    const right = run(
      labels.flatMap(() => [1, 0]),
      { labels },
      ['x', 'y'],
    );
    const wrong = run(
      labels.flatMap(() => [0, 1]),
      { labels },
      ['x', 'y'],
    );
    const rows = disagreementsOf(right, wrong).map(({ row }) => row);
    expect(new Set(rows).size).toBe(200);
    expect(rows).toEqual(rows.toSorted((x, y) => x - y));
    expect(disagreementsOf(right, wrong).map(({ row }) => row)).toEqual(rows);
  });
});

describe('the clearest', () => {
  const made = fc.record({
    right: fc.constantFrom('a' as const, 'b' as const),
    a: fc.double({ min: 0, max: 1, noNaN: true }),
    b: fc.double({ min: 0, max: 1, noNaN: true }),
  });

  test('are as many as asked for, half of either kind where there are enough, clearest first', () => {
    fc.assert(
      fc.property(
        fc.array(made, { maxLength: 20 }),
        fc.integer({ min: 1, max: 9 }),
        (all, most) => {
          const found = all.map(({ right, a, b }, row): Disagreement => ({
            ...{ row, truth: 0, right, said: { a: 0, b: 0 } },
            confidence: { a, b },
          }));
          const chosen = clearest(found, most).map((at) => found[at]!);
          expect(chosen).toHaveLength(Math.min(most, found.length));
          for (const side of ['a', 'b'] as const) {
            const margin = ({ confidence }: Disagreement) =>
              side === 'a' ? confidence.a - confidence.b : confidence.b - confidence.a;
            const own = chosen.filter(({ right }) => right === side);
            const there = found.filter(({ right }) => right === side);
            expect(own.length).toBeGreaterThanOrEqual(Math.min(Math.floor(most / 2), there.length));
            const best = there.map(margin).sort((x, y) => y - x);
            expect(own.map(margin)).toEqual(best.slice(0, own.length));
          }
        },
      ),
    );
  });
});
