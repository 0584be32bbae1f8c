import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SplitItem, SplitOptions } from '../../host/studies/split.ts';
import { perClass, splitByTime, splitItems } from '../../host/studies/split.ts';
import { bandsOf } from '../../host/studies/subgroups.ts';
import { readTimes } from '../../host/studies/times.ts';

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

describe('splitByTime', () => {
  const times = fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 60 });

  test('nothing is trained on that is later than what is tested; equal times are on one side', () => {
    fc.assert(
      fc.property(times, fractions, (list, share) => {
        const sides = splitByTime(list, share);
        const of = (side: string) => list.filter((_, at) => sides[at] === side);
        const [latest, earliest] = [Math.max(...of('train')), Math.min(...of('test'))];
        if (of('train').length > 0 && of('test').length > 0) expect(latest).toBeLessThan(earliest);
        for (const time of new Set(list)) {
          expect(new Set(sides.filter((_, at) => list[at] === time)).size).toBe(1);
        }
      }),
    );
  });

  test('distinct times are divided to the image', () => {
    const list = [9, 3, 7, 1, 5, 0, 8, 2, 6, 4];
    const sides = splitByTime(list, { train: 0.5, test: 0.2 });
    const of = (side: string) => list.filter((_, at) => sides[at] === side).toSorted();
    expect(of('train')).toEqual([0, 1, 2, 3, 4]);
    expect(of('unused')).toEqual([5, 6, 7]);
    expect(of('test')).toEqual([8, 9]);
  });

  test('a border between equal times moves to the nearer end of them', () => {
    expect(splitByTime([1, 2, 2, 2, 3], { train: 0.4, test: 0.6 })).toEqual([
      ...['train', 'test', 'test', 'test', 'test'],
    ]);
  });
});

describe('times', () => {
  test('are all numbers, or all dates; dates without a zone are in UTC', () => {
    expect(readTimes(['3', '-1.5', '20'])).toEqual({ times: [3, -1.5, 20] });
    expect(readTimes(['2019-05-31', '2019-05-31T12:00', '2019-06'])).toEqual({
      times: [Date.UTC(2019, 4, 31), Date.UTC(2019, 4, 31, 12), Date.UTC(2019, 5)],
    });
    expect(readTimes(['2019', '2019-06'])).toEqual({
      times: [Date.UTC(2019, 0), Date.UTC(2019, 5)],
    });
    expect(readTimes(['2019-05-31T12:00:00+02:00', '2019-05-31'])).toMatchObject({
      times: [Date.UTC(2019, 4, 31, 10), Date.UTC(2019, 4, 31)],
    });
    expect(readTimes(['2019-05-31', '7'])).toEqual({ times: null, bad: '7' });
    expect(readTimes(['31.5.2019'])).toEqual({ times: null, bad: '31.5.2019' });
    expect(readTimes(['2019-13-01'])).toEqual({ times: null, bad: '2019-13-01' });
  });
});

describe('perClass', () => {
  const most = fc.integer({ min: 1, max: 8 });

  test('of single labels keeps as many as asked, where there are as many', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 80 }),
        most,
        seed,
        (list, n, s) => {
          const kept = perClass(
            list.map((label) => ({ labels: [label] })),
            n,
            s,
          );
          for (const label of new Set(list)) {
            const own = list.filter((each) => each === label).length;
            const left = list.filter((each, at) => each === label && kept[at]).length;
            expect(left).toBe(Math.min(own, n));
          }
        },
      ),
    );
  });

  test('fewer are among more, also of several findings', () => {
    fc.assert(
      fc.property(items, most, most, seed, (list, a, b, s) => {
        const [few, many] = [Math.min(a, b), Math.max(a, b)].map((n) => perClass(list, n, s));
        few!.forEach((kept, at) => {
          if (kept) expect(many![at]).toBe(true);
        });
        for (const label of new Set(list.flatMap(({ labels }) => labels))) {
          const of = (kept: boolean[]) =>
            list.filter(({ labels }, at) => labels.includes(label) && kept[at]).length;
          const all = of(list.map(() => true));
          expect(of(many!)).toBeGreaterThanOrEqual(Math.min(all, Math.max(a, b)));
        }
      }),
    );
  });
});

describe('bands of numbers', () => {
  test('are of a round width and hold every value; few values and words stand for themselves', () => {
    const ages = Array.from({ length: 70 }, (_, i) => String(20 + i));
    const bandOf = bandsOf(ages);
    expect(bandOf('20')).toBe('20 to <30');
    expect(bandOf('89')).toBe('80 to <90');
    expect(new Set(ages.map(bandOf)).size).toBe(7);
    expect(bandsOf(['1', '2', '30'])('30')).toBe('30');
    expect(bandsOf([...ages, 'unknown'])('25')).toBe('25');
    const tenths = Array.from({ length: 10 }, (_, i) => String((i + 1) / 10));
    expect(tenths.map(bandsOf(tenths)).slice(3, 7)).toEqual([
      '0.4 to <0.6',
      '0.4 to <0.6',
      '0.6 to <0.8',
      '0.6 to <0.8',
    ]);
  });

  test('of any numbers are at most nine', () => {
    const numbers = fc.uniqueArray(
      fc.integer({ min: -1e6, max: 1e6 }).map((n) => n / 100),
      { minLength: 9, maxLength: 40 },
    );
    fc.assert(
      fc.property(numbers, (list) => {
        const texts = list.map(String);
        const bands = texts.map(bandsOf(texts));
        expect(new Set(bands).size).toBeLessThanOrEqual(9);
        bands.forEach((band, at) => {
          const [low, high] = band.split(' to <').map(Number) as [number, number];
          expect(list[at]!).toBeGreaterThanOrEqual(low);
          expect(list[at]!).toBeLessThan(high);
        });
      }),
    );
  });
});
