import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gaussian, moments, permuted, redrawn, rescaled } from '../../engine/models/redrawn.ts';
import { RandomState } from '../../engine/random/random-state.ts';
import reference from '../reference/redrawn.json' with { type: 'json' };

const filters = Float32Array.from(reference.filters);
const vector = Float32Array.from(reference.vector);
const start = Float32Array.from(reference.start);
const CONV = { name: 'conv.weight', shape: reference.shape, role: 'weight' } as const;
const LINEAR = { name: 'fc.weight', shape: [3, 4], role: 'weight' } as const;

function expectClose(values: ArrayLike<number>, expected: readonly number[], digits: number): void {
  expect(values).toHaveLength(expected.length);
  expected.forEach((value, at) => expect(values[at]).toBeCloseTo(value, digits));
}

test('moments of filters are those of NumPy', () => {
  const { mean, covariance } = moments(filters, 9);
  expectClose(mean, reference.mean, 10);
  expectClose(covariance, reference.covariance, 10);
});

test('filters are drawn as wholes, as NumPy draws them from its Cholesky root', () => {
  const drawn = redrawn('gaussian', CONV, { pretrained: filters, start: filters }, 3);
  expectClose(drawn, reference.gaussian, 4);
});

test('other tensors are drawn value by value', () => {
  const drawn = redrawn('gaussian', LINEAR, { pretrained: vector, start }, 3);
  expectClose(drawn, reference.gaussianVector, 5);
});

test('a permutation and a scaled start are those of NumPy', () => {
  const both = { pretrained: vector, start };
  expectClose(redrawn('permuted', LINEAR, both, 3), reference.permuted, 6);
  expectClose(redrawn('rescaled', LINEAR, both, 3), reference.rescaled, 5);
});

test('running statistics stay as they are', () => {
  const statistic = { ...LINEAR, role: 'statistic' } as const;
  for (const kind of ['permuted', 'gaussian', 'rescaled'] as const) {
    expect(redrawn(kind, statistic, { pretrained: vector, start }, 3)).toEqual(vector);
  }
});

test('many Gaussian draws have the covariance that they are drawn from', () => {
  const many = Float32Array.from({ length: 40_000 }, (_, at) => filters[at % filters.length]!);
  const wanted = moments(many.subarray(0, 180 * 222), 9).covariance;
  const drawn = gaussian(many.subarray(0, 180 * 222), [222, 20, 3, 3], new RandomState(1));
  const reached = moments(drawn, 9).covariance;
  const scale = Math.max(...wanted.map(Math.abs));
  wanted.forEach((value, at) => expect(Math.abs(reached[at]! - value) / scale).toBeLessThan(0.06));
});

const tensor = fc.array(fc.float({ min: -8, max: 8, noNaN: true }), {
  minLength: 1,
  maxLength: 40,
});
const seeds = fc.integer({ min: 0, max: 1000 });

test('a permutation keeps every value as often as it is there', () => {
  fc.assert(
    fc.property(tensor, seeds, (values, seed) => {
      const shuffled = permuted(Float32Array.from(values), new RandomState(seed));
      expect(shuffled.toSorted()).toEqual(Float32Array.from(values).toSorted());
    }),
  );
});

test('values without spread are drawn as they are, and starts without spread stay', () => {
  fc.assert(
    fc.property(fc.float({ min: -8, max: 8, noNaN: true }), seeds, (value, seed) => {
      const same = new Float32Array(18).fill(value);
      const drawn = gaussian(same, [2, 1, 3, 3], new RandomState(seed));
      drawn.forEach((each) => expect(each).toBeCloseTo(value, 5));
      expect(rescaled(same, vector)).toEqual(same);
    }),
  );
});

test('a scaled start has the standard deviation of the pretrained tensor', () => {
  fc.assert(
    fc.property(tensor, (values) => {
      const pretrained = Float32Array.from(values);
      const deviation = Math.sqrt(moments(pretrained, 1).covariance[0]!);
      const scaled = rescaled(start, pretrained);
      expect(Math.sqrt(moments(scaled, 1).covariance[0]!)).toBeCloseTo(deviation, 4);
    }),
  );
});
