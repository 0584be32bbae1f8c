import fc from 'fast-check';
import { expect, test } from 'vitest';
import { barriersOf, lambdasOf } from '../../engine/analysis/barrier.ts';
import {
  basinOf,
  boundaryShares,
  lengthBetween,
  mixed,
  movedOn,
  shaken,
  uniformShares,
} from '../../engine/analysis/basin.ts';
import { interpolate } from '../../engine/analysis/interpolation.ts';
import type { ParameterSpec } from '../../engine/models/model.ts';
import type { Weights } from '../../engine/models/registry.ts';
import { RandomState } from '../../engine/random/random-state.ts';

const ROOT: Omit<ParameterSpec, 'name' | 'role' | 'module'> = {
  shape: [2],
  initialiser: { kind: 'constant', value: 0 },
  stage: 'stem',
};
const PARAMETERS: ParameterSpec[] = [
  { ...ROOT, name: 'w', role: 'weight', module: 'a' },
  { ...ROOT, name: 'running', role: 'statistic', module: 'a' },
];

function network(w: number[], running = [1, 1]): Weights {
  return new Map([
    ['w', Float32Array.from(w)],
    ['running', Float32Array.from(running)],
  ]);
}

test('both barriers of a line worked by hand; points past the ends do not count', () => {
  const points = [
    { lambda: -0.5, value: 9 },
    { lambda: 0, value: 0.2 },
    { lambda: 0.5, value: 0.7 },
    { lambda: 1, value: 0.6 },
    { lambda: 1.5, value: 9 },
  ];
  const { frankle, entezari } = barriersOf(points);
  expect(frankle).toBeCloseTo(0.3, 12); // 0.7 - (0.2 + 0.6) / 2
  expect(entezari).toBeCloseTo(0.3, 12); // 0.7 - 0.4
  // Where the ends differ and nothing rises between, only Frankle's is above 0.
  const slope = [0, 0.25, 1].map((lambda) => ({ lambda, value: lambda }));
  expect(barriersOf(slope)).toEqual({ frankle: 0.5, entezari: 0 });
  expect(() => barriersOf([{ lambda: 0, value: 1 }])).toThrow('both ends');
});

test('the barrier of a run with itself is 0, and Entezari never less', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -5, max: 5, noNaN: true }),
      fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 2, maxLength: 12 }),
      (own, values) => {
        const a = network([own, -own]);
        const line = lambdasOf(11, 0).map((lambda) => ({
          lambda,
          value: interpolate(a, a, lambda)
            .get('w')!
            .reduce((sum, value) => sum + value * value, 0),
        }));
        expect(barriersOf(line).frankle).toBeCloseTo(0, 5);
        expect(barriersOf(line).entezari).toBeCloseTo(0, 5);
        const points = values.map((value, i) => ({ lambda: i / (values.length - 1), value }));
        const { frankle, entezari } = barriersOf(points);
        expect(entezari).toBeGreaterThanOrEqual(0);
        const half = Math.abs(values[0]! - values.at(-1)!) / 2;
        expect(frankle).toBeGreaterThanOrEqual(half - 1e-12);
        expect(frankle).toBeLessThanOrEqual(entezari + half + 1e-12);
      },
    ),
  );
});

test('the line goes on past both ends with the same step', () => {
  expect(lambdasOf(3, 0)).toEqual([0, 0.5, 1]);
  expect(lambdasOf(3, 1)).toEqual([-1, -0.5, 0, 0.5, 1, 1.5, 2]);
  const wide = lambdasOf(11, 0.35);
  expect(wide).toHaveLength(17);
  expect(wide[3]).toBe(0);
  expect(wide[13]).toBe(1);
  expect(wide[0]).toBeCloseTo(-0.3, 12);
});

test('the way out of a triangle', () => {
  expect(boundaryShares([0.5, 0.5], [0.25, 0.75])).toEqual([0, 1]);
  // From the middle through a point towards the first corner.
  expect(boundaryShares([1 / 3, 1 / 3, 1 / 3], [0.6, 0.2, 0.2])).toEqual([
    expect.closeTo(1, 12),
    expect.closeTo(0, 12),
    expect.closeTo(0, 12),
  ]);
  expect(boundaryShares([0.2, 0.8], [0.2, 0.8])).toEqual([0.2, 0.8]);
  fc.assert(
    fc.property(fc.nat(1e6), fc.integer({ min: 2, max: 5 }), (seed, count) => {
      const random = new RandomState(seed);
      const edge = boundaryShares(uniformShares(count, random), uniformShares(count, random));
      expect(edge.reduce((sum, share) => sum + share)).toBeCloseTo(1, 10);
      expect(Math.min(...edge)).toBe(0);
    }),
  );
});

test('points of the set are uniform: their mean shares and spread are those of Dirichlet(1)', () => {
  const random = new RandomState(2);
  const drawn = Array.from({ length: 4000 }, () => uniformShares(3, random)[0]!);
  const mean = drawn.reduce((sum, value) => sum + value) / 4000;
  const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4000;
  expect(mean).toBeCloseTo(1 / 3, 2);
  expect(variance).toBeCloseTo(1 / 18, 2);
});

test('moving on and shaking leave running statistics as they are', () => {
  const [a, b] = [network([0, 0]), network([3, 4], [2, 2])];
  expect(lengthBetween(a, b, PARAMETERS)).toBe(5);
  const on = movedOn(a, b, 10, PARAMETERS);
  expect([...on.get('w')!]).toEqual([9, 12]);
  expect([...on.get('running')!]).toEqual([2, 2]);
  expect([...mixed([a, b], [0.25, 0.75]).get('running')!]).toEqual([1.75, 1.75]);
  const wide: Weights = new Map([
    ['w', new Float32Array(20_000)],
    ['running', Float32Array.of(1, 1)],
  ]);
  const noisy = shaken(wide, 3, PARAMETERS, new RandomState(1));
  expect(lengthBetween(wide, noisy, PARAMETERS)).toBeCloseTo(3, 1);
  expect(noisy.get('running')).toBe(wide.get('running'));
});

test('the basin of a bowl with a flat floor, worked by hand', () => {
  const rise = (delta: number) => 1 + delta ** 2;
  const basin = basinOf({
    inside: [0.9, 1.1, 1.0, 1.0],
    beyond: [0.25, 0.5, 1].map((delta) => ({
      delta,
      noise: [rise(delta)],
      line: [1 + delta / 10],
    })),
  });
  expect(basin.mu).toBeCloseTo(1, 12);
  expect(basin.epsilon).toBeCloseTo(0.05, 12);
  // A rise of 0.1 lies between 0.25 (0.0625) and 0.5 (0.25); along the line it is at 1.
  expect(basin.deltaNoise).toBeCloseTo(0.25 + 0.25 * (0.0375 / 0.1875), 10);
  expect(basin.deltaLine).toBeCloseTo(1, 10);
  expect(basin.delta).toBe(basin.deltaLine);
  const open = basinOf({ inside: [1, 2], beyond: [{ delta: 1, noise: [1.5], line: [9] }] });
  expect(open).toMatchObject({ delta: null, deltaNoise: null });
});
