import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plateau } from '../../engine/analysis/change-point.ts';
import { RandomState } from '../../engine/random/random-state.ts';
import reference from '../reference/change-point.json' with { type: 'json' };

const STEP = 1 / 100;

test('place, slope and interval are those of SciPy, to the grid', () => {
  const found = plateau(reference);
  expect(found.rises).toBe(true);
  expect(Math.abs(found.from! - reference.from)).toBeLessThan(STEP);
  expect(found.slope).toBeCloseTo(reference.slope, 3);
  expect(Math.abs(found.interval![0] - reference.interval[0]!)).toBeLessThan(STEP);
  expect(Math.abs(found.interval![1] - reference.interval[1]!)).toBeLessThan(STEP);
});

test('without noise the place is exact', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 101, max: 299 }),
      fc.double({ min: 0.01, max: 5, noNaN: true }),
      fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 4 }),
      (step, slope, levels) => {
        const x = [0, 1, 2, 3, 4];
        const from = step / 100;
        const y = levels.map((level) => x.map((at) => level - slope * Math.max(0, from - at)));
        const found = plateau({ x, y });
        expect(found.from).toBeCloseTo(from, 6);
        expect(found.slope).toBeCloseTo(slope, 6);
      },
    ),
    { numRuns: 50 },
  );
});

test('a step from the first place is a plateau from the second', () => {
  const found = plateau({
    x: [0, 1, 2, 3],
    y: [
      [0, 1, 1, 1],
      [0, 1, 1, 1],
    ],
  });
  expect(found.from).toBeCloseTo(1, 10);
});

test('curves that do not rise have no plateau to reach', () => {
  const flat = plateau({
    x: [0, 1, 2],
    y: [
      [0.4, 0.4, 0.4],
      [0.5, 0.5, 0.5],
    ],
  });
  expect(flat).toMatchObject({ from: null, interval: null, rises: false });
  const falling = plateau({
    x: [0, 1, 2, 3],
    y: [
      [3, 2, 1, 1],
      [3, 2, 1, 1],
    ],
  });
  expect(falling).toMatchObject({ from: null, rises: false });
  expect(falling.slope).toBeLessThan(0);
  expect(() =>
    plateau({
      x: [0, 1],
      y: [
        [0, 1],
        [0, 1],
      ],
    }),
  ).toThrow('2 places are too few');
});

test('a curve that still rises at its end has the last place, and its interval ends there', () => {
  const x = [0, 1, 2, 3, 4];
  const found = plateau({ x, y: [x, x.map((at) => at + 0.01 * (at % 2))] });
  expect(found.from).toBeCloseTo(4, 1);
  expect(found.interval![1]).toBe(4);
});

test('intervals hold the true place as often as they say, and noise seldom rises', () => {
  const random = new RandomState(4);
  const x = [0, 1, 2, 3, 4, 5];
  const curves = (slope: number) =>
    [0, 1, 2].map((seed) =>
      x.map((at) => seed - slope * Math.max(0, 2.5 - at) + 0.3 * random.normal()),
    );
  let [held, rose] = [0, 0];
  for (let trial = 0; trial < 200; trial++) {
    const [low, high] = plateau({ x, y: curves(1) }).interval!;
    if (low <= 2.5 && 2.5 <= high) held++;
    if (plateau({ x, y: curves(0) }).rises) rose++;
  }
  expect(held / 200).toBeGreaterThan(0.9);
  expect(held / 200).toBeLessThan(0.995);
  expect(rose / 200).toBeLessThan(0.08);
});
