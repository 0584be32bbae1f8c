import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addRange, cutRange, inRanges, rangesSize } from '../../../renderer/src/lib/ranges.ts';
import type { Ranges } from '../../../renderer/src/lib/ranges.ts';

const positions = (ranges: Ranges) => Array.from({ length: 60 }, (_, at) => inRanges(ranges, at));

describe('selected positions', () => {
  it('joins what touches, keeps what does not, and counts', () => {
    const two = addRange(addRange([], 10, 20), 30, 31);
    expect(two).toEqual([
      [10, 20],
      [30, 31],
    ]);
    expect(addRange(two, 20, 30)).toEqual([[10, 31]]);
    expect(rangesSize(two)).toBe(11);
    expect(cutRange([[0, 100_000]], 57_311, 57_312)).toEqual([
      [0, 57_311],
      [57_312, 100_000],
    ]);
    expect(cutRange([[3, 4]], 3, 4)).toEqual([]);
  });

  it('is what a set of positions would be, whatever is added and cut', () => {
    const step = fc.tuple(fc.boolean(), fc.nat(50), fc.integer({ min: 1, max: 9 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const expected = Array<boolean>(60).fill(false);
        let ranges: Ranges = [];
        for (const [adds, from, length] of steps) {
          ranges = adds
            ? addRange(ranges, from, from + length)
            : cutRange(ranges, from, from + length);
          expected.fill(adds, from, from + length);
        }
        expect(positions(ranges)).toEqual(expected);
        expect(rangesSize(ranges)).toBe(expected.filter(Boolean).length);
        const edges = ranges.flat();
        expect(edges).toEqual([...new Set(edges)].toSorted((a, b) => a - b));
      }),
    );
  });
});
