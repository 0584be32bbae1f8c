import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  complementOf,
  countCommon,
  hasBit,
  noBits,
  setBit,
  unionOf,
} from '../../host/datasets/bits.ts';

const LENGTH = 101;
const positions = fc.uniqueArray(fc.nat(LENGTH - 1));

function bitsOf(list: number[]): Uint32Array {
  const bits = noBits(LENGTH);
  for (const position of list) setBit(bits, position);
  return bits;
}

const listOf = (bits: Uint32Array): number[] =>
  Array.from({ length: LENGTH }, (_, i) => i).filter((position) => hasBit(bits, position));

test('bits are sets of positions', () => {
  fc.assert(
    fc.property(positions, positions, (a, b) => {
      const [bitsA, bitsB] = [bitsOf(a), bitsOf(b)];
      expect(new Set(listOf(bitsA))).toEqual(new Set(a));
      expect(new Set(listOf(unionOf([bitsA, bitsB], LENGTH)))).toEqual(new Set([...a, ...b]));
      expect(countCommon(bitsA, bitsB)).toBe(a.filter((position) => b.includes(position)).length);
      expect(listOf(complementOf(bitsA))).toHaveLength(LENGTH - a.length);
      expect(countCommon(bitsA, complementOf(bitsA))).toBe(0);
    }),
  );
});

test('the union of nothing is empty', () => {
  expect(listOf(unionOf([], LENGTH))).toEqual([]);
});
