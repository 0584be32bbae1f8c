import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  cka,
  featureCka,
  halfSampleInterval,
  permutationNull,
  type GramPair,
} from '../../engine/analysis/cka.ts';
import { gramOf, rowsOf, type Features } from '../../engine/analysis/gram.ts';
import { RandomState } from '../../engine/random/random-state.ts';
import { stream } from '../../engine/random/streams.ts';
import reference from '../reference/similarity.json' with { type: 'json' };
import {
  demoFeatures,
  noise,
  pairOf,
  planeGram,
  rotated,
  wideFeatures,
} from './similarity-support.ts';

const DEMO = demoFeatures();
const WIDE = wideFeatures();

test('the features are those that the references were made of', () => {
  expect([DEMO.x.values[0], DEMO.y.values[0]]).toEqual(reference.demo.first);
  expect([WIDE.x.values[0], WIDE.y.values[0]]).toEqual(reference.wide.first);
});

test.each([
  ['demo', DEMO],
  ['wide', WIDE],
] as const)('CKA of %s is that of NumPy, by images and by features', async (name, { x, y }) => {
  const pair = await pairOf(x, y);
  for (const estimator of ['biased', 'unbiased'] as const) {
    expect(cka([pair], estimator)).toBeCloseTo(reference[name][estimator], 6);
    expect(await featureCka(x, y, estimator)).toBeCloseTo(reference[name][estimator], 6);
  }
});

test("the demo's values are those that its notebook prints", async () => {
  const pair = await pairOf(DEMO.x, DEMO.y);
  expect(cka([pair], 'biased')).toBeCloseTo(0.55761, 5);
  expect(cka([pair], 'unbiased')).toBeCloseTo(0.51346, 5);
});

test.each([
  ['demo', DEMO],
  ['wide', WIDE],
] as const)('minibatches of %s are averaged before the ratio', async (name, { x, y }) => {
  const batches: GramPair[] = [];
  for (let from = 0; from < x.rows; from += 10) {
    const kept = Array.from({ length: 10 }, (_, i) => from + i);
    batches.push(await pairOf(rowsOf(x, kept), rowsOf(y, kept)));
  }
  expect(cka(batches, 'unbiased')).toBeCloseTo(reference[name].batchesOf10, 6);
});

test('CKA is 1 on itself, and sees neither rotation, scale nor shift', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 5, max: 24 }),
      fc.integer({ min: 1, max: 12 }),
      fc.nat(1e6),
      fc.double({ min: 0.01, max: 100, noNaN: true }),
      async (rows, dimensions, seed, scale) => {
        const x = noise(rows, dimensions, seed);
        const y = rotated(x, seed + 1, scale);
        const shifted = { ...y, values: y.values.map((value) => value + scale) };
        for (const estimator of ['biased', 'unbiased'] as const) {
          const own = await gramOf(x);
          expect(cka([{ x: own, y: own }], estimator)).toBeCloseTo(1, 12);
          expect(cka([await pairOf(x, y)], estimator)).toBeCloseTo(1, 4);
          expect(cka([await pairOf(x, shifted)], estimator)).toBeCloseTo(1, 4);
        }
      },
    ),
    { numRuns: 8 },
  );
});

test('on independent noise the unbiased estimate is near 0 where the biased one is not', async () => {
  const pair = await pairOf(noise(64, 4096, 1), noise(64, 4096, 2));
  expect(Math.abs(cka([pair], 'unbiased')!)).toBeLessThan(0.02);
  expect(cka([pair], 'biased')!).toBeGreaterThan(0.95);
});

test('features that are the same for all images have no similarity', async () => {
  const constant: Features = { values: new Float32Array(30).fill(3), rows: 10, dimensions: 3 };
  const pair = await pairOf(constant, noise(10, 3, 1));
  expect(cka([pair], 'unbiased')).toBeNull();
  expect(permutationNull([pair], 'unbiased', { permutations: 5, seed: 0 })).toBeNull();
});

test('what cannot be compared is refused', async () => {
  await expect(
    pairOf(noise(3, 2, 1), noise(3, 2, 2)).then((p) => cka([p], 'unbiased')),
  ).rejects.toThrow('CKA needs 4 images or more, not 3');
  const x = noise(8, 2, 1);
  x.values[5] = NaN;
  await expect(gramOf(x)).rejects.toThrow('column 1 has a value that is not finite');
  await expect(featureCka(noise(8, 2, 1), noise(9, 2, 1), 'biased')).rejects.toThrow('8 rows');
});

test('the null of unrelated sides holds the estimate, that of related sides does not', async () => {
  const options = { permutations: 199, seed: 3 };
  const related = permutationNull([await pairOf(DEMO.x, DEMO.y)], 'unbiased', options)!;
  expect(related.p).toBeCloseTo(1 / 200, 12);
  expect(Math.abs(related.mean)).toBeLessThan(0.01);
  const strange = await pairOf(noise(50, 20, 1), noise(50, 20, 2));
  const unrelated = permutationNull([strange], 'unbiased', options)!;
  expect(unrelated.p).toBeGreaterThan(0.05);
  // What the biased estimate is by its bias alone.
  const biased = permutationNull([strange], 'biased', options)!;
  expect(biased.mean).toBeCloseTo(cka([strange], 'biased')!, 1);
  expect(permutationNull([strange], 'unbiased', options)).toEqual(unrelated);
});

test('the permutation null equals CKA of permuted features', async () => {
  const { x, y } = WIDE;
  const found = permutationNull([await pairOf(x, y)], 'unbiased', { permutations: 1, seed: 9 })!;
  const order = stream(9, 'permutation').permutation(x.rows);
  const permuted = cka([await pairOf(x, rowsOf(y, order))], 'unbiased')!;
  expect(found.mean).toBeCloseTo(permuted, 6);
});

test('half-sample intervals hold the true value as often as they say', () => {
  // X normal with unit covariance, Y = X + noise of the same: |I|^2 / (|I| |2 I|) = 1/2.
  const random = new RandomState(11);
  const [trials, rows] = [120, 60];
  let held = 0;
  for (let trial = 0; trial < trials; trial++) {
    const x = Float64Array.from({ length: 2 * rows }, () => random.normal());
    const y = x.map((value) => value + random.normal());
    const pair = { x: planeGram(x), y: planeGram(y) };
    const [low, high] = halfSampleInterval([pair], { replicates: 100, seed: trial })!;
    if (low <= 0.5 && 0.5 <= high) held++;
  }
  // 95 % of 120 is 114 with a standard deviation of 2.4.
  expect(held).toBeGreaterThan(106);
  expect(held).toBeLessThan(120);
});

test('images of one unit are kept or left together, which widens the interval', async () => {
  // Every image four times, nearly: forty images are worth ten.
  const spread = (features: Features): Features => {
    const rows = Array.from({ length: 4 * features.rows }, (_, row) => row >> 2);
    const more = rowsOf(features, rows);
    const own = new RandomState(1);
    return { ...more, values: more.values.map((value) => value + 0.01 * own.normal()) };
  };
  const x = noise(16, 5, 1);
  const y = { ...x, values: x.values.map((value, i) => value + noise(16, 5, 2).values[i]!) };
  const pair = await pairOf(spread(x), spread(y));
  const units = [Int32Array.from({ length: 64 }, (_, row) => row >> 2)];
  const options = { replicates: 200, seed: 0 };
  const [low, high] = halfSampleInterval([pair], { ...options, units })!;
  const [lowAlone, highAlone] = halfSampleInterval([pair], options)!;
  expect(high - low).toBeGreaterThan(1.3 * (highAlone - lowAlone));
  const two = [Int32Array.from({ length: 64 }, (_, row) => row % 2)];
  expect(halfSampleInterval([pair], { ...options, units: two })).toBeNull();
});
