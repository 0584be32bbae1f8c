import { expect, test } from 'vitest';
import {
  checkpointPath,
  criticalityGrid,
  criticalityOf,
  directPath,
  modulesOf,
  sigmasOf,
  withModule,
  withNoise,
  type Grid,
} from '../../engine/analysis/criticality.ts';
import { normalCdf } from '../../engine/analysis/distributions.ts';
import type { ParameterSpec } from '../../engine/models/model.ts';
import type { Weights } from '../../engine/models/registry.ts';

function parameter(name: string, module: string, role: ParameterSpec['role'] = 'weight') {
  const initialiser = { kind: 'constant', value: 0 } as const;
  return { name, module, role, shape: [2], stage: 'stem', initialiser } satisfies ParameterSpec;
}

const PARAMETERS = [
  parameter('a.w', 'a'),
  parameter('a.mean', 'a', 'statistic'),
  parameter('b.w', 'b'),
  parameter('c.mean', 'c', 'statistic'),
];

function network(a: number[], b: number[], mean = 0): Weights {
  return new Map([
    ['a.w', Float32Array.from(a)],
    ['a.mean', Float32Array.of(mean, mean)],
    ['b.w', Float32Array.from(b)],
    ['c.mean', Float32Array.of(mean, mean)],
  ]);
}

const START = network([0, 0], [5, 5]);
const END = network([3, 4], [5, 5], 1);
const DRAWS = { replicates: 200, seed: 0 };

test('modules are those with something that is trained', () => {
  expect(modulesOf(PARAMETERS)).toEqual(['a', 'b']);
});

test('rewinding takes a module back with its running statistics and leaves the rest', () => {
  const rewound = withModule(END, START, 'a', PARAMETERS);
  expect([...rewound.get('a.w')!, ...rewound.get('a.mean')!]).toEqual([0, 0, 0, 0]);
  expect(rewound.get('c.mean')).toBe(END.get('c.mean'));
  expect(END.get('a.w')![0]).toBe(3);
});

test('the straight path, and that of checkpoints', () => {
  const path = directPath(START, END, 'a', PARAMETERS, 3);
  expect(path.map(({ alpha }) => alpha)).toEqual([0, 0.5, 1]);
  expect(path.map(({ squaredDistance }) => squaredDistance)).toEqual([0, 6.25, 25]);
  expect([...path[1]!.weights.get('a.w')!]).toEqual([1.5, 2]);
  expect(path[0]!.weights.get('b.w')).toBe(END.get('b.w'));
  const aside = network([0, 2], [9, 9]);
  const kept = [START, aside, END].map((weights, i) => ({ epoch: 4 * i, weights }));
  const taken = checkpointPath(kept, 'a', PARAMETERS);
  expect(taken.map(({ squaredDistance }) => squaredDistance)).toEqual([0, 4, 25]);
  expect(taken[1]!.alpha).toBe(0.5);
  expect([...taken[1]!.weights.get('b.w')!]).toEqual([5, 5]);
});

test('noise goes to what is trained of one module, the same draw at every sigma', () => {
  const of = (sigma: number, sample: number) =>
    withNoise(START, 'a', PARAMETERS, { sigma, sample, seed: 1 });
  const [small, large] = [of(0.5, 0).get('a.w')!, of(1, 0).get('a.w')!];
  expect(large[0]).toBeCloseTo(2 * small[0]!, 5);
  expect(of(1, 1).get('a.w')![0]).not.toBe(large[0]);
  expect(of(1, 0).get('a.mean')).toBe(START.get('a.mean'));
  expect(of(1, 0).get('b.w')).toBe(START.get('b.w'));
  expect(of(0, 0).get('a.w')).toEqual(START.get('a.w'));
});

test('sigmas are evenly spaced in their logarithms', () => {
  const sigmas = sigmasOf(4);
  [0.001, 0.01, 0.1, 1].forEach((sigma, i) => expect(sigmas[i]).toBeCloseTo(sigma, 12));
  expect(sigmasOf(1)).toEqual([1]);
});

test('the criticality of a module that did not move is 0', async () => {
  const path = directPath(START, END, 'b', PARAMETERS, 3);
  const options = { module: 'b', parameters: PARAMETERS, sigmas: [0.1, 1], samples: 2, seed: 0 };
  const grid = await criticalityGrid(path, async () => 0.2, options);
  expect(criticalityOf(grid, 0.2, DRAWS)).toMatchObject({ value: 0, interval: [0, 0] });
});

test('the least over the grid, worked by hand', () => {
  // Squared distances 0, 4, 16; errors by [alpha][sigma].
  const grid = (errors: number[][]): Grid => ({
    alphas: [0, 0.5, 1],
    sigmas: [0.5, 1, 2],
    squaredDistances: [0, 4, 16],
    errors: errors.map((row) => row.map((error) => [error])),
  });
  const found = criticalityOf(
    grid([
      [0.9, 0.9, 0.9],
      [0.1, 0.3, 0.9],
      [0.1, 0.1, 0.2],
    ]),
    0.2,
    DRAWS,
  );
  // alpha 0.5, sigma 0.5: 16; alpha 1, sigma 2: 4.
  expect(found).toEqual({ value: 4, interval: null, at: { alpha: 1, sigma: 2 }, atLeast: 64 });
  const rewindable = criticalityOf(
    grid([
      [0.1, 0.9, 0.9],
      [0, 0, 0],
      [0, 0, 0],
    ]),
    0.2,
    DRAWS,
  );
  expect(rewindable).toMatchObject({ value: 0, at: { alpha: 0, sigma: 0.5 } });
  const nowhere = criticalityOf(
    grid([
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 1],
    ]),
    0.2,
    DRAWS,
  );
  expect(nowhere).toEqual({ value: null, interval: null, at: null, atLeast: 64 });
});

test('errors under noise are those of the normal distribution', async () => {
  // Wrong where the first number of module a is below 1: P = Phi((1 - 3 alpha) / sigma).
  const wrong = async (weights: Weights) => (weights.get('a.w')![0]! < 1 ? 1 : 0);
  const path = directPath(START, END, 'a', PARAMETERS, 4);
  const options = { module: 'a', parameters: PARAMETERS, sigmas: [0.5, 2], samples: 800, seed: 3 };
  const grid = await criticalityGrid(path, wrong, options);
  grid.errors.forEach((row, i) =>
    row.forEach((cell, j) => {
      const rate = cell.reduce((sum, value) => sum + value) / cell.length;
      const expected = normalCdf((1 - 3 * grid.alphas[i]!) / grid.sigmas[j]!);
      expect(Math.abs(rate - expected)).toBeLessThan(0.05);
    }),
  );
  // Only the end under the least noise is wrong in at most one of twenty.
  const { value, interval, at } = criticalityOf(grid, 0.05, DRAWS);
  expect(at).toEqual({ alpha: 2 / 3, sigma: 0.5 });
  expect(value).toBeCloseTo((4 * 25) / 9 / 0.25, 3);
  expect(interval![0]).toBeLessThanOrEqual(value!);
  expect(interval![1]).toBeGreaterThanOrEqual(value!);
});
