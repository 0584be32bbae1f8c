/** Pairs of 64-bit hashes that differ in few bits, and the sets that such pairs make. */
import { differingBits } from './phash.ts';

/** Up to so many bands comparing within buckets beats comparing all of 100,000 hashes. */
const MOST_BANDS = 13;

/** Takes two positions, a < b, and the bits in which their hashes differ. */
export type PairVisitor = (a: number, b: number, distance: number) => void;

/** Told now and then how much is done, in [0, 1]. */
export type ShareDone = (share: number) => void;

/**
 * Visits all pairs of hashes that differ in at most `most` bits, each once, in no order. Two such
 * hashes are equal in at least one of `most` + 1 bands of their bits (the pigeonhole principle;
 * Norouzi, Punjani and Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", CVPR 2012),
 * so only hashes that share a band are compared.
 * @param hashes signed or unsigned 64-bit integers
 * @param most 0 to 64
 */
export function eachNearPair(
  hashes: readonly bigint[],
  most: number,
  visit: PairVisitor,
  onShare: ShareDone = () => undefined,
): void {
  const words = wordsOf(hashes);
  const bands = most + 1;
  if (bands > MOST_BANDS) {
    compareAll(words, most, visit, onShare);
    return;
  }
  const masks = Array.from({ length: bands }, (_, band) => maskOf(bands, band));
  for (let band = 0; band < bands; band++) {
    compareBand(words, most, masks, band, visit);
    onShare((band + 1) / bands);
  }
}

interface Words {
  high: Uint32Array;
  low: Uint32Array;
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

/** Rows of comparisons between two reports of how much is done. */
const ROWS = 256;

function compareAll(words: Words, most: number, visit: PairVisitor, onShare: ShareDone): void {
  const count = words.low.length;
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const distance = distanceOf(words, a, b);
      if (distance <= most) visit(a, b, distance);
    }
    if (a % ROWS === 0) onShare(1 - ((count - a) / count) ** 2);
  }
}

/** Pairs that are equal in this band and in none before it. */
function compareBand(
  words: Words,
  most: number,
  masks: readonly Mask[],
  band: number,
  visit: PairVisitor,
): void {
  const before = masks.slice(0, band);
  for (const bucket of bucketsOf(words, masks[band]!)) {
    for (let i = 0; i < bucket.length; i++) {
      for (let j = i + 1; j < bucket.length; j++) {
        const [a, b] = [bucket[i]!, bucket[j]!];
        const distance = distanceOf(words, a, b);
        if (distance <= most && !agreesIn(words, before, a, b)) visit(a, b, distance);
      }
    }
  }
}

function bucketsOf(words: Words, [high, low]: Mask): number[][] {
  const buckets = new Map<string, number[]>();
  for (let i = 0; i < words.low.length; i++) {
    const key = `${words.high[i]! & high} ${words.low[i]! & low}`;
    const bucket = buckets.get(key);
    if (bucket) bucket.push(i);
    else buckets.set(key, [i]);
  }
  return [...buckets.values()].filter((bucket) => bucket.length > 1);
}

/** Of the high and the low word. */
type Mask = readonly [high: number, low: number];

/** The bits of one of `bands` nearly equal bands. */
function maskOf(bands: number, band: number): Mask {
  const [from, to] = [Math.floor((64 * band) / bands), Math.floor((64 * (band + 1)) / bands)];
  const mask = ((1n << BigInt(to - from)) - 1n) << BigInt(from);
  return [Number(mask >> 32n) | 0, Number(mask & 0xffffffffn) | 0];
}

/** Whether two hashes are equal in one of these bands. */
function agreesIn(words: Words, masks: readonly Mask[], a: number, b: number): boolean {
  const high = words.high[a]! ^ words.high[b]!;
  const low = words.low[a]! ^ words.low[b]!;
  return masks.some(([highMask, lowMask]) => (high & highMask) === 0 && (low & lowMask) === 0);
}

/**
 * Connected components of two and more of `count` positions; each sorted, all by their first member.
 * @param visit calls `join` for each pair that belongs together, in any order
 */
export function connected(
  count: number,
  visit: (join: (a: number, b: number) => void) => void,
): number[][] {
  const parent = Int32Array.from({ length: count }, (_, i) => i);
  const top = (i: number): number => {
    while (parent[i] !== i) {
      parent[i] = parent[parent[i]!]!;
      i = parent[i]!;
    }
    return i;
  };
  visit((i, j) => {
    const [a, b] = [top(i), top(j)];
    parent[Math.max(a, b)] = Math.min(a, b);
  });
  const sets = Map.groupBy(parent.keys(), top);
  return [...sets.values()].filter((set) => set.length > 1);
}

/**
 * Sets of two and more positions that are joined by chains of pairs within `most` bits, equal
 * hashes among them. Each sorted, and all by their first member.
 */
export function nearSets(hashes: readonly bigint[], most: number, onShare?: ShareDone): number[][] {
  const equal = [...Map.groupBy(hashes.keys(), (i) => BigInt.asUintN(64, hashes[i]!)).entries()];
  const distinct = equal.map(([hash]) => hash);
  return connected(hashes.length, (join) => {
    for (const [, [first, ...rest]] of equal) for (const one of rest) join(first!, one);
    const firsts = equal.map(([, positions]) => positions[0]!);
    eachNearPair(distinct, most, (a, b) => join(firsts[a]!, firsts[b]!), onShare);
  });
}

/** The most bits in which two of these hashes differ; 0 for a single one. */
export function diameterOf(hashes: readonly bigint[]): number {
  const words = wordsOf([...new Set(hashes.map((hash) => BigInt.asUintN(64, hash)))]);
  let largest = 0;
  for (let a = 0; a < words.low.length; a++) {
    for (let b = a + 1; b < words.low.length; b++) {
      largest = Math.max(largest, distanceOf(words, a, b));
    }
  }
  return largest;
}
