/** Perceptual hashes: few bits differ between pictures that look alike. */

const SIDE = 32;
const LOW = 8;
/** Frequencies weaker than this (of values up to 255, unscaled sums) are rounding and count as 0. */
const ROUNDING = 1e-3;

const COSINES = Float64Array.from({ length: LOW * SIDE }, (_, i) => {
  const [frequency, at] = [Math.floor(i / SIDE), i % SIDE];
  return 2 * Math.cos((Math.PI * frequency * (2 * at + 1)) / (2 * SIDE));
});

/**
 * The 64-bit hash of a 32 x 32 luma image (rows from the top), as `imagehash.phash` defines it: a
 * bit for each of the 8 x 8 lowest frequencies of the DCT-II, rows of frequencies from the lowest,
 * the first bit the highest; 1 where it is above the median of the 64. Here, frequencies that are 0
 * but for rounding are 0, so that symmetric and blank pictures have one hash everywhere.
 * @returns an unsigned 64-bit integer
 */
export function perceptualHash(luma32: Uint8Array): bigint {
  const low = lowFrequencies(luma32);
  const sorted = Float64Array.from(low).sort();
  const median = (sorted[low.length / 2 - 1]! + sorted[low.length / 2]!) / 2;
  const words = [0, 0] as [number, number];
  for (const [i, value] of low.entries()) {
    const word = i < 32 ? 0 : 1;
    words[word] = ((words[word] << 1) | Number(value > median)) >>> 0;
  }
  return (BigInt(words[0]) << 32n) | BigInt(words[1]);
}

/** DCT-II without scaling (as scipy.fftpack.dct has it) along both sides: LOW x LOW, by rows. */
function lowFrequencies(luma: Uint8Array): Float64Array {
  const across = new Float64Array(SIDE * LOW);
  for (let y = 0; y < SIDE; y++) {
    for (let v = 0; v < LOW; v++) {
      let sum = 0;
      for (let x = 0; x < SIDE; x++) sum += luma[y * SIDE + x]! * COSINES[v * SIDE + x]!;
      across[y * LOW + v] = sum;
    }
  }
  const low = new Float64Array(LOW * LOW);
  for (let u = 0; u < LOW; u++) {
    for (let v = 0; v < LOW; v++) {
      let sum = 0;
      for (let y = 0; y < SIDE; y++) sum += across[y * LOW + v]! * COSINES[u * SIDE + y]!;
      low[u * LOW + v] = Math.abs(sum) < ROUNDING ? 0 : sum;
    }
  }
  return low;
}

/** How many bits of two 64-bit hashes differ, 0 to 64. */
export function hammingDistance(a: bigint, b: bigint): number {
  const differing = BigInt.asUintN(64, a ^ b);
  return bitsSet(Number(differing >> 32n) | 0, Number(differing & 0xffffffffn) | 0);
}

/** How many bits of two signed 32-bit words are 1, 0 to 64: both are summed side by side. */
export function bitsSet(high: number, low: number): number {
  let a = high - ((high >>> 1) & 0x55555555);
  let b = low - ((low >>> 1) & 0x55555555);
  a = (a & 0x33333333) + ((a >>> 2) & 0x33333333);
  b = (b & 0x33333333) + ((b >>> 2) & 0x33333333);
  const sum = (a + b) | 0;
  return Math.imul((sum & 0x0f0f0f0f) + ((sum >>> 4) & 0x0f0f0f0f), 0x01010101) >>> 24;
}
