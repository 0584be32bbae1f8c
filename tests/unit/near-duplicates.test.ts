import fc from 'fast-check';
import { expect, test } from 'vitest';
import { connected, nearPairs } from '../../engine/analysis/near-duplicates.ts';
import { hammingDistance } from '../../engine/analysis/phash.ts';

function byLookingAtAll(hashes: bigint[], most: number) {
  const found: [number, number, number][] = [];
  for (let a = 0; a < hashes.length; a++) {
    for (let b = a + 1; b < hashes.length; b++) {
      const distance = hammingDistance(hashes[a]!, hashes[b]!);
      if (distance <= most) found.push([a, b, distance]);
    }
  }
  return found;
}

function listed(hashes: bigint[], most: number) {
  const { a, b, distance } = nearPairs(hashes, most);
  return [...a].map((first, i) => [first, b[i], distance[i]]);
}

/** Hashes that lie near each other: a few centres with some bits turned. */
const crowded = fc
  .array(
    fc.tuple(
      fc.constantFrom(0n, 0x0123456789abcdefn, -1n, 1n << 63n),
      fc.array(fc.nat(63), { maxLength: 12 }),
    ),
    { maxLength: 40 },
  )
  .map((all) =>
    all.map(([centre, bits]) => bits.reduce((hash, bit) => hash ^ (1n << BigInt(bit)), centre)),
  );

test('nearPairs finds what looking at all pairs finds, at any distance', () => {
  fc.assert(
    fc.property(crowded, fc.integer({ min: 0, max: 20 }), (hashes, most) => {
      expect(listed(hashes, most)).toEqual(byLookingAtAll(hashes, most));
    }),
  );
});

test('a hash and its complement differ in all bits; signed and unsigned are the same', () => {
  expect(listed([0n, -1n], 64)).toEqual([[0, 1, 64]]);
  expect(listed([-1n, 0xffffffffffffffffn], 0)).toEqual([[0, 1, 0]]);
});

test('connected joins by chains of pairs, and only of those that are near enough', () => {
  const hashes = [0b0n, 0b11n, 0b1111n, 1n << 60n, (1n << 60n) | 1n, 0xffff0000n];
  const pairs = nearPairs(hashes, 6);
  expect(connected(pairs, hashes.length, 2)).toEqual([[0, 1, 2, 3, 4]]);
  expect(connected(pairs, hashes.length, 1)).toEqual([[0, 3, 4]]);
  expect(connected(pairs, hashes.length, 0)).toEqual([]);
});
