/** Pairs of 64-bit hashes that differ in few bits, and the sets that such pairs make. */
import { bitsSet } from './phash.ts';

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

/** Signed: what a Uint32Array gives is a floating-point number to the engine, and slow. */
interface Words {
  high: Int32Array;
  low: Int32Array;
}

function wordsOf(hashes: readonly bigint[]): Words {
  const high = new Int32Array(hashes.length);
  const low = new Int32Array(hashes.length);
  hashes.forEach((hash, i) => {
    high[i] = Number(BigInt.asIntN(32, hash >> 32n));
    low[i] = Number(BigInt.asIntN(32, hash));
  });
  return { high, low };
}

/** Rows of comparisons between two reports of how much is done. */
const ROWS = 256;

/** Compares all; positions are those in `words`. */
function compareAll({ high, low }: Words, most: number, visit: PairVisitor, onShare?: ShareDone) {
  const count = low.length;
  for (let a = 0; a < count; a++) {
    const [ownHigh, ownLow] = [high[a]!, low[a]!];
    for (let b = a + 1; b < count; b++) {
      const distance = bitsSet(ownHigh ^ high[b]!, ownLow ^ low[b]!);
      if (distance <= most) visit(a, b, distance);
    }
    if (a % ROWS === 0) onShare?.(1 - ((count - a) / count) ** 2);
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
    const own = {
      high: Int32Array.from(bucket, (i) => words.high[i]!),
      low: Int32Array.from(bucket, (i) => words.low[i]!),
    };
    compareAll(own, most, (i, j, distance) => {
      const [a, b] = [bucket[i]!, bucket[j]!];
      if (!agreesIn(words, before, a, b)) visit(a, b, distance);
    });
  }
}

/** Positions of hashes that agree in the mask, and perhaps some more. */
function bucketsOf(words: Words, [high, low]: Mask): number[][] {
  const buckets = new Map<number, number[]>();
  for (let i = 0; i < words.low.length; i++) {
    // Exact for up to 53 bits: only a single band of all 64 may mix some.
    const key = (words.high[i]! & high) * 2 ** 32 + (words.low[i]! & low);
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
  for (let a = 0; a < words.low.length; a++) largest = Math.max(largest, farthestAfter(words, a));
  return largest;
}

/** The most bits in which one differs from those after it; a function of its own runs faster. */
function farthestAfter({ high, low }: Words, a: number): number {
  const [ownHigh, ownLow] = [high[a]!, low[a]!];
  let largest = 0;
  for (let b = a + 1; b < low.length; b++) {
    const distance = bitsSet(ownHigh ^ high[b]!, ownLow ^ low[b]!);
    if (distance > largest) largest = distance;
  }
  return largest;
}
