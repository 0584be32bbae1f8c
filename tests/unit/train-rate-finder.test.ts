import { describe, expect, test } from 'vitest';
import { architectureSchema } from '../../contract/architecture.ts';
import { trainingSchema } from '../../contract/study.ts';
import { buildModel, initialise } from '../../engine/models/registry.ts';
import type { ModelOptions } from '../../engine/models/model.ts';
import { RandomState } from '../../engine/random/random-state.ts';
import { findRate, sweepRates } from '../../engine/train/rate-finder.ts';
import reference from '../reference/training.json' with { type: 'json' };
import { blobs } from './train-support.ts';

describe.each(reference.sweeps)('on a quadratic of curvatures $curvatures', (expected) => {
  test('losses, means, end and suggestion are those of NumPy', async () => {
    const { curvatures, start, sweep } = expected;
    let w = start;
    const found = await sweepRates(async (rate) => {
      const loss = w.reduce((sum, x, i) => sum + 0.5 * (curvatures[i] ?? 0) * x * x, 0);
      w = w.map((x, i) => x * (1 - rate * (curvatures[i] ?? 0)));
      return loss;
    }, sweep);
    expect(found.losses).toHaveLength(expected.losses.length);
    expected.losses.forEach((loss, i) => expect(found.losses[i]! / loss).toBeCloseTo(1, 6));
    expected.smoothed.forEach((loss, i) => expect(found.smoothed[i]! / loss).toBeCloseTo(1, 6));
    expect(found.suggestion! / expected.suggestion).toBeCloseTo(1, 9);
    expect(found.suggestion).toBeLessThan(2 / Math.max(...curvatures));
  });
});

test('stops at a loss that is not a number, and says at which rate', async () => {
  const losses = [3, 2, NaN, 1];
  const found = await sweepRates(async (_, i) => losses[i] ?? 0, { from: 1, to: 1000, steps: 4 });
  expect(found.losses).toEqual([3, 2]);
  expect(found.suggestion).toBeNull();
  expect(found.why).toBe(
    'the loss falls no more than batches differ; it explodes at 1.0e+2: try a tenth of that',
  );
});

test('refuses a sweep that goes nowhere', async () => {
  const backwards = sweepRates(async () => 1, { from: 1, to: 0.1, steps: 10 });
  await expect(backwards).rejects.toMatchObject({ code: 'bad-input' });
});

test('on a network: the suggestion trains it, ten thousand times more does not', async () => {
  const options: ModelOptions = {
    architecture: architectureSchema.parse({ name: 'fixup-resnet10', width: 4, image: 16 }),
    classes: 3,
    batch: 8,
  };
  const training = trainingSchema.parse({ epochs: 1, lr: { peak: 1 } });
  const weights = initialise(buildModel(options).parameters, 1);
  const before = structuredClone(weights);
  const train = blobs(20, options);
  const search = { options, training, weights, train, session: { threads: 1 } };
  const found = await findRate({ ...search, sweep: { from: 1e-5, to: 100, steps: 60 } });
  expect(weights).toEqual(before);
  expect(found.rates.length).toBeLessThan(60);
  expect(found.why).toMatch(/^the loss falls fastest at .*; it explodes at /);
  const rate = found.suggestion ?? NaN;
  const hold = { from: rate, to: rate * 1.001, steps: 40 };
  const { losses } = await findRate({ ...search, sweep: hold });
  expect(losses.at(-1)!).toBeLessThan(losses[0]! * 0.9);
  const wild = { from: rate * 1e4, to: rate * 1.001e4, steps: 40 };
  expect((await findRate({ ...search, sweep: wild })).why).toContain('it explodes');
});

describe('between batches that differ', () => {
  /** A loss that falls around a rate by `depth` and explodes later, with noise. */
  const sweep = (depth: number, seed: number) => {
    const random = new RandomState(seed);
    return sweepRates(async (rate) => {
      const fallen = depth / (1 + (0.01 / rate) ** 2);
      return 4 - fallen + (rate > 1 ? rate ** 3 : 0) + 0.05 * random.normal();
    });
  };

  test('a fall is found where it is', async () => {
    for (const seed of [1, 2, 3]) {
      const { suggestion } = await sweep(1, seed);
      expect(suggestion).toBeGreaterThan(0.003);
      expect(suggestion).toBeLessThan(0.03);
    }
  });

  test('no fall is made up', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { suggestion, why } = await sweep(0, seed);
      expect(suggestion).toBeNull();
      expect(why).toContain('falls no more than batches differ');
    }
  });
});
