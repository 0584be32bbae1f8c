import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SplitItem, SplitOptions } from '../../host/studies/split.ts';
import { splitItems } from '../../host/studies/split.ts';

const item = fc.record({
  labels: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
  group: fc.integer({ min: 0, max: 12 }).map((n) => `g${n}`),
});
const items = fc.array(item, { minLength: 1, maxLength: 120 });
const fractions = fc
  .tuple(fc.integer({ min: 1, max: 98 }), fc.integer({ min: 1, max: 98 }))
  .filter(([train, test]) => train + test <= 100)
  .map(([train, test]) => ({ train: train / 100, test: test / 100 }));
const seed = fc.integer({ min: 0, max: 0xffffffff });

function counts(sides: readonly string[]): Record<string, number> {
  const result: Record<string, number> = { train: 0, test: 0, unused: 0 };
  for (const side of sides) result[side] = (result[side] ?? 0) + 1;
  return result;
}

describe('splitItems', () => {
  test('keeps every group on one side', () => {
    fc.assert(
      fc.property(items, fractions, seed, (list, share, s) => {
        const sides = splitItems(list, { ...share, grouped: true, seed: s });
        const byGroup = new Map<string, Set<string>>();
        list.forEach(({ group }, at) => {
          byGroup.set(group, (byGroup.get(group) ?? new Set()).add(sides[at]!));
        });
        expect([...byGroup.values()].every((set) => set.size === 1)).toBe(true);
      }),
    );
  });

  test('is the same for the same seed', () => {
    fc.assert(
      fc.property(items, fractions, seed, fc.boolean(), (list, share, s, grouped) => {
        const options: SplitOptions = { ...share, grouped, seed: s };
        expect(splitItems(list, options)).toEqual(splitItems(list, options));
      }),
    );
  });

  test('uses every image when the fractions add up to 1', () => {
    fc.assert(
      fc.property(items, fc.integer({ min: 1, max: 99 }), seed, (list, percent, s) => {
        const train = percent / 100;
        const sides = splitItems(list, { train, test: 1 - train, grouped: true, seed: s });
        expect(sides).not.toContain('unused');
      }),
    );
  });

  test('misses the train fraction by at most the largest group', () => {
    fc.assert(
      fc.property(items, fc.integer({ min: 10, max: 90 }), seed, (list, percent, s) => {
        const one = list.map(({ group }): SplitItem => ({ labels: [0], group }));
        const train = percent / 100;
        const sides = splitItems(one, { train, test: 1 - train, grouped: true, seed: s });
        const sizes = Object.values(counts(one.map(({ group }) => group))).filter((n) => n > 0);
        const missed = Math.abs((counts(sides)['train'] ?? 0) - train * one.length);
        expect(missed).toBeLessThanOrEqual(Math.max(...sizes) + 1e-9);
      }),
    );
  });

  test('without groups every class is divided as asked, to the image', () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: 2, max: 6 }), (s, classes) => {
        const list = Array.from({ length: classes * 20 }, (_, i) => ({
          labels: [i % classes],
          group: 'all of one group',
        }));
        const sides = splitItems(list, { train: 0.6, test: 0.3, grouped: false, seed: s });
        for (let label = 0; label < classes; label++) {
          const own = counts(sides.filter((_, at) => list[at]!.labels[0] === label));
          expect(own).toMatchObject({ train: 12, test: 6, unused: 2 });
        }
      }),
    );
  });

  test('another seed divides otherwise', () => {
    const list = Array.from({ length: 60 }, (_, i) => ({ labels: [i % 3], group: `g${i}` }));
    const by = (s: number) => splitItems(list, { train: 0.5, test: 0.5, grouped: true, seed: s });
    expect(by(1)).not.toEqual(by(2));
  });

  test('a single group goes to one side whole', () => {
    const list = Array.from({ length: 9 }, () => ({ labels: [0], group: 'one' }));
    const sides = splitItems(list, { train: 0.7, test: 0.3, grouped: true, seed: 0 });
    expect(new Set(sides)).toEqual(new Set(['train']));
  });
});
