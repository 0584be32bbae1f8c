import { CarryoverError } from '../../contract/errors.ts';
import type { Shuffle } from '../../contract/study.ts';
import { RandomState } from '../random/random-state.ts';

/** Added to the seed, as in the paper's code (libdata/utils.py). */
const SEED_OFFSET = 1234;

/** The one permutation that a shuffle applies to every image of one size. */
export interface ShufflePlan {
  /** Output block (or value) k, counted row by row, shows input block permutation[k]. */
  permutation: Int32Array;
  blockSize: number | 'pixel';
  /** The draw left everything in its place: these images are not shuffled at all. */
  identity: boolean;
}

export interface ImageSize {
  width: number;
  height: number;
}

/** Block sizes that divide both sides (height: the width where left out), ascending. */
export function legalBlockSizes(width: number, height = width): number[] {
  const sizes: number[] = [];
  for (let size = 1; size <= Math.min(width, height); size++) {
    if (width % size === 0 && height % size === 0) sizes.push(size);
  }
  return sizes;
}

/**
 * The permutation of a shuffle: exactly NumPy's `RandomState(seed + 1234).permutation(n)`.
 * Blocks: n = blocks in the image, counted row by row, the same for all channels.
 * 'pixel': n = channels * height * width, over the image flattened channel, row, column; an alpha
 * channel is one of the channels.
 *
 * @param size side of a square image in pixels, or its width and height
 * @returns null for 'none'
 * @throws bad-input when the block does not divide the image (with the sizes that do), or the
 *   seed plus 1234 is beyond 32 bits
 */
export function shufflePermutation(
  shuffle: Shuffle,
  size: number | ImageSize,
  channels: number,
  seed: number,
): ShufflePlan | null {
  if (shuffle === 'none') return null;
  checkSeed(seed);
  const { width, height } = typeof size === 'number' ? { width: size, height: size } : size;
  if (shuffle !== 'pixel') checkBlock(shuffle, width, height);
  const n = width * height;
  const count = shuffle === 'pixel' ? channels * n : n / (shuffle * shuffle);
  const permutation = new RandomState(seed + SEED_OFFSET).permutation(count);
  return {
    permutation,
    blockSize: shuffle,
    identity: permutation.every((from, to) => from === to),
  };
}

/**
 * The shuffle as a flat table on a planar (channel, row, column) image of that size:
 * output value i is input value table[i]. Apply it with `shufflePlanar`.
 */
export function shuffleIndex(
  plan: ShufflePlan,
  size: number | ImageSize,
  channels: number,
): Int32Array {
  const { permutation, blockSize: block } = plan;
  if (block === 'pixel') return permutation;
  const { width, height } = typeof size === 'number' ? { width: size, height: size } : size;
  const columns = width / block;
  const index = new Int32Array(channels * height * width);
  let to = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++) {
      const firstOfRow = Math.floor(y / block) * columns;
      for (let column = 0; column < columns; column++) {
        const from = permutation[firstOfRow + column]!;
        const row = Math.floor(from / columns) * block + (y % block);
        const start = (channel * height + row) * width + (from % columns) * block;
        for (let x = 0; x < block; x++) index[to++] = start + x;
      }
    }
  }
  return index;
}

/** Gathers one planar image through a table of `shuffleIndex`: target[i] = source[index[i]]. */
export function shufflePlanar<T extends Uint8Array | Float32Array>(
  source: T,
  target: T,
  index: Int32Array,
  sourceOffset = 0,
  targetOffset = 0,
): void {
  const { length } = index;
  for (let i = 0; i < length; i++) {
    target[targetOffset + i] = source[sourceOffset + index[i]!]!;
  }
}

/**
 * One whole interleaved image (height, width, channel) through a shuffle, as a new array.
 * For many images of one size, `shufflePlanar` with one table is faster.
 */
export function shuffleInterleaved<T extends Uint8Array | Uint16Array>(
  source: T,
  plan: ShufflePlan,
  size: number | ImageSize,
  channels: number,
): T {
  const index = shuffleIndex(plan, size, channels);
  const plane = index.length / channels;
  const target = source.slice() as T;
  for (let to = 0; to < index.length; to++) {
    const from = index[to]!;
    const value = source[(from % plane) * channels + Math.floor(from / plane)]!;
    target[(to % plane) * channels + Math.floor(to / plane)] = value;
  }
  return target;
}

function checkSeed(seed: number): void {
  const highest = 0xffffffff - SEED_OFFSET;
  if (Number.isInteger(seed) && seed >= 0 && seed <= highest) return;
  throw new CarryoverError('bad-input', `the shuffle seed ${seed} is not in 0 .. ${highest}`, {
    value: String(seed),
    wayOut: `give a whole number from 0 to ${highest} (1234 is added to it, within 32 bits)`,
  });
}

function checkBlock(block: number, width: number, height: number): void {
  const legal = legalBlockSizes(width, height);
  if (legal.includes(block)) return;
  throw new CarryoverError(
    'bad-input',
    `block size ${block} does not divide an image of ${width} x ${height} pixels`,
    { value: String(block), wayOut: `legal block sizes: ${legal.join(', ')}; or pixel` },
  );
}
