import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import {
  legalBlockSizes,
  shuffleIndex,
  shufflePermutation,
  shufflePlanar,
} from '../../engine/transforms/shuffle.ts';
import type { Shuffle } from '../../contract/study.ts';
import reference from '../reference/shuffle.json' with { type: 'json' };

function failure(act: () => unknown): CarryoverError {
  try {
    act();
  } catch (error) {
    if (error instanceof CarryoverError) return error;
    throw error;
  }
  throw new Error('did not throw');
}

describe('shuffles equal NumPy, byte for byte', () => {
  test.each(reference.cases.filter(({ bits }) => bits === 8))(
    '$channels x $height x $width, block $block, seed $seed',
    ({ channels, height, width, block, seed, sha256 }) => {
      const source = Uint8Array.from(
        { length: channels * height * width },
        (_, i) => (i * 7919 + 13) % 251,
      );
      const plan = shufflePermutation(block as Shuffle, { width, height }, channels, seed)!;
      const target = new Uint8Array(source.length);
      shufflePlanar(source, target, shuffleIndex(plan, { width, height }, channels));
      expect(createHash('sha256').update(target).digest('hex')).toBe(sha256);
    },
  );
});

test('output block k shows input block permutation[k], at an offset in both arrays', () => {
  const plan = shufflePermutation(1, 2, 1, 1)!;
  expect([...plan.permutation]).toEqual([1, 0, 2, 3]);
  const target = new Float32Array(6);
  const source = new Float32Array([9, 9, 9, 10, 11, 12, 13]);
  shufflePlanar(source, target, shuffleIndex(plan, 2, 1), 3, 1);
  expect([...target]).toEqual([0, 11, 10, 12, 13, 0]);
});

test('block 112 of 224 is the identity at seed 0 and not at seeds 1 and 2', () => {
  const plans = [0, 1, 2].map((seed) => shufflePermutation(112, 224, 3, seed)!);
  expect(plans.map((plan) => plan.identity)).toEqual([true, false, false]);
  expect(plans.map((plan) => [...plan.permutation].join(' '))).toEqual([
    '0 1 2 3',
    '1 0 2 3',
    '2 0 1 3',
  ]);
  expect(shufflePermutation(224, 224, 3, 5)!.identity).toBe(true);
});

test('no shuffle has no permutation', () => {
  expect(shufflePermutation('none', 48, 3, 0)).toBeNull();
});

test('a block that does not divide is refused with the sizes that do', () => {
  const error = failure(() => shufflePermutation(5, 48, 3, 0));
  expect(error.code).toBe('bad-input');
  expect(error.message).toContain('block size 5');
  expect(error.message).toContain('48 x 48');
  expect(error.detail.wayOut).toContain('1, 2, 3, 4, 6, 8, 12, 16, 24, 48');
  const oblong = failure(() => shufflePermutation(48, { width: 48, height: 36 }, 3, 0));
  expect(oblong.detail.wayOut).toContain('1, 2, 3, 4, 6, 12;');
  for (const block of [0, -1, 1.5, 96]) {
    expect(failure(() => shufflePermutation(block, 48, 3, 0)).code).toBe('bad-input');
  }
});

test('a seed whose sum with 1234 leaves 32 bits is refused', () => {
  const error = failure(() => shufflePermutation(1, 4, 3, 4294967295));
  expect(error.message).toContain('4294967295');
  expect(error.message).toContain('4294966061');
  expect(shufflePermutation(1, 4, 3, 4294966061)!.permutation.length).toBe(16);
});

test('the paper block sizes are legal at 224', () => {
  expect(legalBlockSizes(224)).toEqual([1, 2, 4, 7, 8, 14, 16, 28, 32, 56, 112, 224]);
});

test('every table holds every offset once', () => {
  const shapes = fc.record({
    block: fc.integer({ min: 1, max: 6 }),
    columns: fc.integer({ min: 1, max: 6 }),
    rows: fc.integer({ min: 1, max: 6 }),
    channels: fc.constantFrom(1, 3),
    pixel: fc.boolean(),
    seed: fc.nat(1e9),
  });
  fc.assert(
    fc.property(shapes, ({ block, columns, rows, channels, pixel, seed }) => {
      const size = { width: block * columns, height: block * rows };
      const plan = shufflePermutation(pixel ? 'pixel' : block, size, channels, seed)!;
      const sorted = shuffleIndex(plan, size, channels).slice().sort();
      expect(sorted).toEqual(Int32Array.from(sorted, (_, i) => i));
      expect(sorted.length).toBe(channels * size.width * size.height);
    }),
  );
});
