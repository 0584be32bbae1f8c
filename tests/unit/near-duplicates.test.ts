import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  connected,
  diameterOf,
  eachNearPair,
  nearSets,
} from '../../engine/analysis/near-duplicates.ts';
import { hammingDistance } from '../../engine/analysis/phash.ts';

type Pair = [a: number, b: number, distance: number];

function byLookingAtAll(hashes: bigint[], most: number): Pair[] {
  const found: Pair[] = [];
  for (let a = 0; a < hashes.length; a++) {
    for (let b = a + 1; b < hashes.length; b++) {
      const distance = hammingDistance(hashes[a]!, hashes[b]!);
      if (distance <= most) found.push([a, b, distance]);
    }
  }
  return found;
}

function listed(hashes: bigint[], most: number): Pair[] {
  const found: Pair[] = [];
  eachNearPair(hashes, most, (a, b, distance) => found.push([a, b, distance]));
  return found.sort(([a, b], [c, d]) => a - c || b - d);
}

/** Sets as a flood from each position over the pairs finds them. */
function byFlooding(hashes: bigint[], most: number): number[][] {
  const sets: number[][] = [];
  const seen = new Set<number>();
  for (const start of hashes.keys()) {
    if (seen.has(start)) continue;
    const set = new Set([start]);
    for (const a of set) {
      for (const [b, hash] of hashes.entries()) {
        if (hammingDistance(hashes[a]!, hash) <= most) set.add(b);
      }
    }
    set.forEach((one) => seen.add(one));
    if (set.size > 1) sets.push([...set].sort((a, b) => a - b));
  }
  return sets;
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
const most = fc.integer({ min: 0, max: 20 });

test('eachNearPair finds what looking at all pairs finds, each once, at any distance', () => {
  fc.assert(
    fc.property(crowded, most, (hashes, bits) => {
      expect(listed(hashes, bits)).toEqual(byLookingAtAll(hashes, bits));
    }),
  );
});

test('nearSets are what a flood over the pairs reaches', () => {
  fc.assert(
    fc.property(crowded, most, (hashes, bits) => {
      expect(nearSets(hashes, bits)).toEqual(byFlooding(hashes, bits));
    }),
  );
});

test('connected joins what is joined in any order, and nothing alone', () => {
  const sets = connected(6, (join) => {
    join(4, 1);
    join(3, 4);
    join(5, 2);
  });
  expect(sets).toEqual([
    [1, 3, 4],
    [2, 5],
  ]);
});

test('diameterOf is the largest distance of any two', () => {
  fc.assert(
    fc.property(crowded, (hashes) => {
      const distances = byLookingAtAll(hashes, 64).map(([, , distance]) => distance);
      expect(diameterOf(hashes)).toBe(Math.max(0, ...distances));
    }),
  );
});

test('a hash and its complement differ in all bits; signed and unsigned are the same', () => {
  expect(listed([0n, -1n], 64)).toEqual([[0, 1, 64]]);
  expect(listed([-1n, 0xffffffffffffffffn], 0)).toEqual([[0, 1, 0]]);
  expect(diameterOf([-1n, 0xffffffffffffffffn])).toBe(0);
});

test('sets join by chains of pairs, and only of those that are near enough', () => {
  const hashes = [0b0n, 0b11n, 0b1111n, 1n << 60n, (1n << 60n) | 1n, 0xffff0000n];
  expect(nearSets(hashes, 2)).toEqual([[0, 1, 2, 3, 4]]);
  expect(nearSets(hashes, 1)).toEqual([[0, 3, 4]]);
  expect(nearSets(hashes, 0)).toEqual([]);
  expect(nearSets([5n, 9n, 5n, 9n], 0)).toEqual([
    [0, 2],
    [1, 3],
  ]);
});

test('how much is done goes up to the end, and not beyond', () => {
  const hashes = Array.from({ length: 600 }, (_, i) => BigInt(i) * 0x9e3779b97f4a7c15n);
  for (const bits of [6, 16]) {
    const shares: number[] = [];
    eachNearPair(
      hashes,
      bits,
      () => undefined,
      (share) => shares.push(share),
    );
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBeLessThanOrEqual(1);
    expect(shares.at(-1)).toBeGreaterThan(0.5);
  }
});
