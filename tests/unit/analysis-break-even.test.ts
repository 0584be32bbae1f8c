import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { breakEven, reaches } from '../../engine/analysis/break-even.ts';

const curve = (...values: [number, number][]) => values.map(([x, y]) => ({ x, y }));

describe('where a curve reaches a height', () => {
  const rising = curve([1, 0.2], [10, 0.4], [100, 0.8]);

  test('between its points, straight in log x', () => {
    expect(reaches(rising, 0.3)).toEqual({ x: expect.closeTo(Math.sqrt(10), 12), where: 'within' });
    expect(reaches(rising, 0.5)).toEqual({ x: expect.closeTo(10 ** 1.25, 10), where: 'within' });
    expect(reaches(rising, 0.8)).toEqual({ x: expect.closeTo(100, 10), where: 'within' });
  });

  test('outside it only bounds are known', () => {
    expect(reaches(rising, 0.2)).toEqual({ x: 1, where: 'before' });
    expect(reaches(rising, 0.9)).toEqual({ x: 100, where: 'beyond' });
    expect(() => reaches([], 1)).toThrow('a curve needs points');
  });

  test('of a curve that falls again it is the first time', () => {
    expect(reaches(curve([1, 0], [2, 1], [4, 0], [8, 1]), 1).x).toBeCloseTo(2, 12);
  });

  test('interpolating at the x that was found gives the height', () => {
    const heights = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(heights, fc.integer({ min: 1, max: 50 }), (ys, height) => {
        const points = ys.map((y, at) => ({ x: 2 ** at, y }));
        const { x, where } = reaches(points, height);
        fc.pre(where === 'within');
        const place = Math.log2(x);
        const left = Math.min(Math.floor(place + 1e-9), ys.length - 2);
        const y = ys[left]! + (place - left) * (ys[left + 1]! - ys[left]!);
        expect(y).toBeCloseTo(height, 6);
      }),
    );
  });
});

describe('break-even', () => {
  test('is the last crossing', () => {
    const lower = curve([1, 0], [4, 0.5], [16, 1]);
    const found = breakEven(curve([1, 0.5], [4, 0.6], [16, 0.9]), lower);
    // The gap goes from 0.1 to -0.1: half way from 4 to 16 in log.
    expect(found).toEqual({ x: expect.closeTo(8, 10), where: 'within' });
  });

  test('is not within where one is above all along', () => {
    const [low, high] = [curve([1, 0], [2, 0.1]), curve([1, 0.5], [2, 0.6])];
    expect(breakEven(high, low)).toEqual({ x: 2, where: 'beyond' });
    expect(breakEven(low, high)).toEqual({ x: 1, where: 'before' });
    expect(breakEven(low, low)).toEqual({ x: 1, where: 'before' });
    expect(() => breakEven([], [])).toThrow('a curve needs points');
  });
});
