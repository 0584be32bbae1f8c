/** Pairs of 64-bit hashes that differ in few bits, and the sets that such pairs make. */
import { differingBits } from './phash.ts';

/** Parallel arrays: positions a < b and the bits in which their hashes differ. */
export interface NearPairs {
  a: Int32Array;
  b: Int32Array;
  distance: Uint8Array;
}

/** Up to so many bands comparing within buckets beats comparing everything. */
const MOST_BANDS = 10;

/**
 * All pairs of hashes that differ in at most `most` bits, each once, in the order of (a, b). Two
 * such hashes are equal in at least one of `most` + 1 bands of their bits (the pigeonhole principle;
 * Norouzi, Punjani and Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", CVPR 2012),
 * so only hashes that share a band are compared.
 * @param hashes signed or unsigned 64-bit integers
 * @param most 0 to 64
 */
export function nearPairs(hashes: readonly bigint[], most: number): NearPairs {
  const words = wordsOf(hashes);
  const found: Found = { keys: [], distances: [] };
  if (most + 1 > MOST_BANDS) compareAll(words, most, found);
  else for (let band = 0; band <= most; band++) compareBand(words, most, band, found);
  return inOrder(found, hashes.length);
}

interface Words {
  high: Uint32Array;
  low: Uint32Array;
}

interface Found {
  /** a * count + b */
  keys: number[];
  distances: number[];
}

function wordsOf(hashes: readonly bigint[]): Words {
  const high = new Uint32Array(hashes.length);
  const low = new Uint32Array(hashes.length);
  hashes.forEach((hash, i) => {
    high[i] = Number(BigInt.asUintN(32, hash >> 32n));
    low[i] = Number(BigInt.asUintN(32, hash));
  });
  return { high, low };
}

function distanceOf({ high, low }: Words, i: number, j: number): number {
  return differingBits(high[i]!, high[j]!) + differingBits(low[i]!, low[j]!);
}

function compareAll(words: Words, most: number, found: Found): void {
  const count = words.low.length;
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const distance = distanceOf(words, a, b);
      if (distance <= most) add(found, a * count + b, distance);
    }
  }
}

function add(found: Found, key: number, distance: number): void {
  found.keys.push(key);
  found.distances.push(distance);
}

/** Pairs that are equal in this band and in none before it. */
function compareBand(words: Words, most: number, band: number, found: Found): void {
  const count = words.low.length;
  for (const bucket of bucketsOf(words, most + 1, band)) {
    for (let i = 0; i < bucket.length; i++) {
      for (let j = i + 1; j < bucket.length; j++) {
        const [a, b] = [bucket[i]!, bucket[j]!];
        const distance = distanceOf(words, a, b);
        if (distance <= most && !agreesBefore(words, most + 1, band, a, b)) {
          add(found, a * count + b, distance);
        }
      }
    }
  }
}

function bucketsOf(words: Words, bands: number, band: number): number[][] {
  const buckets = new Map<string, number[]>();
  const [high, low] = maskOf(bands, band);
  for (let i = 0; i < words.low.length; i++) {
    const key = `${words.high[i]! & high} ${words.low[i]! & low}`;
    const bucket = buckets.get(key);
    if (bucket) bucket.push(i);
    else buckets.set(key, [i]);
  }
  return [...buckets.values()].filter((bucket) => bucket.length > 1);
}

/** The bits of one of `bands` nearly equal bands, as masks of the high and the low word. */
function maskOf(bands: number, band: number): [number, number] {
  const [from, to] = [Math.floor((64 * band) / bands), Math.floor((64 * (band + 1)) / bands)];
  const mask = ((1n << BigInt(to - from)) - 1n) << BigInt(from);
  return [Number(mask >> 32n) | 0, Number(mask & 0xffffffffn) | 0];
}

function agreesBefore(words: Words, bands: number, band: number, a: number, b: number): boolean {
  const high = words.high[a]! ^ words.high[b]!;
  const low = words.low[a]! ^ words.low[b]!;
  for (let before = 0; before < band; before++) {
    const [highMask, lowMask] = maskOf(bands, before);
    if ((high & highMask) === 0 && (low & lowMask) === 0) return true;
  }
  return false;
}

function inOrder({ keys, distances }: Found, count: number): NearPairs {
  const order = keys.map((_, i) => i).sort((i, j) => keys[i]! - keys[j]!);
  return {
    a: Int32Array.from(order, (i) => Math.floor(keys[i]! / count)),
    b: Int32Array.from(order, (i) => keys[i]! % count),
    distance: Uint8Array.from(order, (i) => distances[i]!),
  };
}

/**
 * Connected components of two and more: everything that is joined by a chain of pairs within
 * `most` bits. Each sorted, and all by their first member.
 * @param count of the items that the pairs are of
 */
export function connected(pairs: NearPairs, count: number, most: number): number[][] {
  const parent = Int32Array.from({ length: count }, (_, i) => i);
  const top = (i: number): number => {
    while (parent[i] !== i) {
      parent[i] = parent[parent[i]!]!;
      i = parent[i]!;
    }
    return i;
  };
  for (let i = 0; i < pairs.a.length; i++) {
    if (pairs.distance[i]! > most) continue;
    const [a, b] = [top(pairs.a[i]!), top(pairs.b[i]!)];
    parent[Math.max(a, b)] = Math.min(a, b);
  }
  const sets = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const root = top(i);
    const set = sets.get(root);
    if (set) set.push(i);
    else sets.set(root, [i]);
  }
  return [...sets.values()].filter((set) => set.length > 1);
}
