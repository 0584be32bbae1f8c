import { describe, expect, test } from 'vitest';
import { RandomState } from '../../engine/random/random-state.ts';
import { stream } from '../../engine/random/streams.ts';
import { drawMix, mixImages } from '../../engine/transforms/mixup.ts';
import reference from '../reference/training.json' with { type: 'json' };

describe.each(reference.beta)('RandomState($seed).beta($a, $b)', ({ seed, a, b, values }) => {
  test('draws what NumPy draws, to the last bits of logarithms and powers', () => {
    const random = new RandomState(seed);
    for (const value of values) {
      expect(Math.abs(random.beta(a, b) - value)).toBeLessThanOrEqual(1e-13 * value);
    }
  });
});

test('a batch is mixed with a permutation of itself, by the same lambda for all', () => {
  const { partner, lambda } = drawMix(stream(4, 'mixup', 1, 0), 0.7, 6);
  expect([...partner].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  const images = Float32Array.from({ length: 6 * 4 }, (_, i) => Math.sin(i));
  const mixed = mixImages(images, { partner, lambda });
  mixed.forEach((value, i) => {
    const [example, pixel] = [Math.floor(i / 4), i % 4];
    const other = images[(partner[example] ?? NaN) * 4 + pixel] ?? NaN;
    expect(value).toBeCloseTo(lambda * (images[i] ?? NaN) + (1 - lambda) * other, 6);
  });
});

test('lambda 1 leaves the images as they are, lambda 0 gives the partners', () => {
  const images = Float32Array.of(1, 2, 3, 4);
  const partner = Int32Array.of(1, 0);
  expect([...mixImages(images, { partner, lambda: 1 })]).toEqual([1, 2, 3, 4]);
  expect([...mixImages(images, { partner, lambda: 0 })]).toEqual([3, 4, 1, 2]);
});
