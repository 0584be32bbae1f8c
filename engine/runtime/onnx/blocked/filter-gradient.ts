/**
 * Filter gradient on blocked images: dW[o, i, r, c] = sum over n, y, x of
 * dy[n, o, y, x] * X[n, i, y s + r, x s + c], with X the padded input.
 *
 * That is a convolution again, in which the batch plays the channels: the "images" are X's channels
 * [i, n, row, column], the "filters" those of dy [o, n, row, column], dilated by the stride. Such a
 * filter is as large as an image, so rows are cut into strips that stay in the cache; each strip and
 * each block of the batch is a group of the convolution, and the groups are summed at the end.
 */
import type { Value } from '../../../graph/types.ts';
import type { Emitter } from '../emitter.ts';
import { int, ints } from '../emitter.ts';
import { NCHWC, fitsBlocks, fitsFilterBlocks } from '../layout.ts';
import { moveLines } from './moved-lines.ts';
import { convolve } from './operator.ts';
import { four, geometryOf, inputOf } from './values.ts';

/** Bytes of the filters that one pass reads: half of a core's second-level cache. */
const STRIP_BYTES = 512 * 1024;
/** Filters that the blocked kernel computes at once, in blocks. */
const FILTER_BLOCKS = 4;

interface Plan {
  batch: number;
  filters: number;
  depth: number;
  side: readonly [number, number];
  /** Rows and columns of x, padded. */
  padded: readonly [number, number];
  /** Rows and columns of dy. */
  slopes: readonly [number, number];
  stride: number;
  /** Strips of dy's rows. */
  strips: number;
}

/** Whether a filter gradient can be computed on blocked images. */
export function blocksFilterGradient(value: Value, block: number): boolean {
  if (value.operation.kind !== 'conv2dFilterGradient' || geometryOf(value).groups !== 1) {
    return false;
  }
  const [dy, x] = [inputOf(value, 0), inputOf(value, 1)];
  const [batch] = four(x);
  if (!fitsBlocks(dy.shape, block) || batch % block !== 0) return false;
  if (isProduct(value)) return fitsFilterBlocks(value.shape, block);
  const { padded, side, slopes, stride } = planOf(value, block);
  const exact = padded.every((rows, axis) => rows === reach(slopes[axis], stride, side[axis]));
  return exact && (fitsFilterBlocks(value.shape, block) || (value.shape[1] ?? 0) < block);
}

/** Rows of x that a window of `side` sees on its way over `count` positions. */
function reach(count = 1, stride = 1, side = 1): number {
  return (count - 1) * stride + side;
}

/** A filter of one tap is a matrix product. */
function isProduct(value: Value): boolean {
  const { pad, padEnd } = geometryOf(value);
  const [, , rows, columns] = four(value);
  return rows * columns === 1 && pad + padEnd === 0;
}

function planOf(value: Value, block: number): Plan {
  const [dy, x] = [inputOf(value, 0), inputOf(value, 1)];
  const { stride, pad, padEnd } = geometryOf(value);
  const [filters, depth, rows, columns] = four(value);
  const [batch, , height, width] = four(x);
  const [, , dyRows, dyColumns] = four(dy);
  // What no window reaches is not padded either.
  const end = (size: number, count: number, side: number): number =>
    Math.min(padEnd, Math.max(0, reach(count, stride, side) - size - pad));
  const strips = stripsOf(dyRows, dyColumns, block);
  return {
    ...{ batch, filters, depth, stride, strips },
    side: [rows, columns],
    padded: [
      height + pad + end(height, dyRows, rows),
      width + pad + end(width, dyColumns, columns),
    ],
    slopes: [dyRows, dyColumns],
  };
}

/** The fewest equal strips of rows that fit the cache. */
function stripsOf(rows: number, columns: number, block: number): number {
  const rowBytes = 4 * block * block * FILTER_BLOCKS * columns;
  for (let strips = 1; strips < rows; strips++) {
    if (rows % strips === 0 && (rows / strips) * rowBytes <= STRIP_BYTES) return strips;
  }
  return rows;
}

/** The gradient in the filter's blocked layout; plain where the filter's depth is below a block. */
export function emitBlockedFilterGradient(e: Emitter, value: Value): string {
  if (isProduct(value)) return emitProduct(e, value);
  const plan = planOf(value, e.block);
  const { depth, filters, side, stride, strips, batch, slopes } = plan;
  const { block } = e;
  const cut = strips > 1;
  const groups = cut ? (batch / block) * strips : 1;
  const images = cut ? stripImages(e, value, plan) : paddedImages(e, value, plan);
  const gradient = convolve(e, [images, stripFilters(e, value, plan)], {
    window: [slopes[0] / strips, slopes[1]],
    stride: 1,
    pads: [0, 0, 0, 0],
    groups,
    relu: false,
    dilation: stride,
  });
  const taps = side[0] * side[1];
  const perGroup = e.node('Reshape', [gradient, e.integers(depth, groups, filters * taps)]);
  const sum = cut ? e.node('ReduceSum', [perGroup, e.integers(1)], { keepdims: int(0) }) : perGroup;
  return toFilterLayout(e, value, sum);
}

/** From [in, out / B, tap, B (out)] to the filter's layout. */
function toFilterLayout(e: Emitter, value: Value, gradient: string): string {
  const { block } = e;
  const [filters, depth, rows, columns] = four(value);
  const [out, taps] = [filters / block, rows * columns];
  const shape = e.integers(...value.shape);
  if (depth < block) {
    const parts = e.node('Reshape', [gradient, e.integers(depth, out, taps, block)]);
    const moved = e.node('Transpose', [parts], { perm: ints(1, 3, 0, 2) });
    return e.node('Reshape', [moved, shape]);
  }
  const moved = moveLines(e, gradient, [depth / block, block, out, taps, block], [2, 0, 3, 1, 4]);
  return e.node('Reshape', [moved, shape]);
}

/** x's channels as images, its batch as blocked channels, padded: [in, batch, row, column]. */
function paddedImages(e: Emitter, value: Value, plan: Plan): string {
  const x = inputOf(value, 1);
  const { pad } = geometryOf(value);
  const [batch, , height, width] = four(x);
  const blocked = e.node('ReorderInput', [channelsFirst(e, x)], {}, NCHWC);
  const [rows, columns] = plan.padded;
  if (rows === height && columns === width) return blocked;
  // A convolution with ones, each channel by itself, is a copy that pads.
  const ones = e.floats(new Float32Array(batch).fill(1), [batch, 1, 1, 1]);
  return convolve(e, [blocked, ones], {
    window: [1, 1],
    stride: 1,
    pads: [pad, pad, rows - height - pad, columns - width - pad],
    groups: batch,
    relu: false,
  });
}

/** x with batch and channels swapped, in plain order. */
function channelsFirst(e: Emitter, x: Value): string {
  return swapped(e, e.nameOf(x));
}

function swapped(e: Emitter, plain: string): string {
  return e.node('Transpose', [plain], { perm: ints(1, 0, 2, 3) });
}

/** The rows that each strip of dy sees, strip after strip in each block of the batch. */
function stripImages(e: Emitter, value: Value, plan: Plan): string {
  const { depth, batch, stride, strips, side, slopes, padded } = plan;
  const { block } = e;
  const perStrip = slopes[0] / strips;
  const seen = reach(perStrip, stride, side[0]);
  const rows = Array.from({ length: strips }, (_, strip) =>
    Array.from({ length: seen }, (_, row) => strip * perStrip * stride + row),
  ).flat();
  const blocks = batch / block;
  const lines = e.node('Reshape', [
    paddedImages(e, value, plan),
    e.integers(depth, blocks, padded[0], padded[1] * block),
  ]);
  const gathered = e.node('Gather', [lines, e.integers(...rows)], { axis: int(2) });
  return e.node('Reshape', [gathered, e.integers(depth, blocks * strips * block, seen, padded[1])]);
}

/** dy's channels as blocked filters over the batch, one set of them per strip. */
function stripFilters(e: Emitter, value: Value, { batch, filters, slopes, strips }: Plan): string {
  const { block } = e;
  const dy = e.nameOf(inputOf(value, 0), 'blocked');
  const positions = (slopes[0] / strips) * slopes[1];
  const [blocks, out] = [batch / block, filters / block];
  const sides = [blocks, block, out, strips, positions, block];
  const cut = strips > 1;
  const moved = moveLines(e, dy, sides, cut ? [0, 3, 2, 4, 1, 5] : [2, 0, 3, 4, 1, 5]);
  const [rows, columns] = [slopes[0] / strips, slopes[1]];
  const shape = cut
    ? e.integers(blocks * strips * filters, block, rows, columns)
    : e.integers(filters, batch, rows, columns);
  return e.node('Reshape', [moved, shape]);
}

/** A filter of one tap: dy [out, n y x] times x [in, n y x] transposed. */
function emitProduct(e: Emitter, value: Value): string {
  const { block } = e;
  const { stride } = geometryOf(value);
  const [dy, x] = [inputOf(value, 0), inputOf(value, 1)];
  const [filters, depth] = four(value);
  const flat = (image: string, channels: number): string =>
    e.node('Reshape', [image, e.integers(channels, -1)]);
  const seen = stride === 1 ? channelsFirst(e, x) : swapped(e, everyNth(e, x, stride));
  const product = e.node('Gemm', [flat(channelsFirst(e, dy), filters), flat(seen, depth)], {
    transB: int(1),
  });
  const shape = e.integers(filters / block, block, depth / block, block);
  const parts = e.node('Reshape', [product, shape]);
  const moved = e.node('Transpose', [parts], { perm: ints(0, 2, 3, 1) });
  return e.node('Reshape', [moved, e.integers(...value.shape)]);
}

/** Every nth row and column of x, in plain order: the maximum of windows of one pixel. */
function everyNth(e: Emitter, x: Value, stride: number): string {
  const attributes = { kernel_shape: ints(1, 1), strides: ints(stride, stride) };
  const thinned = e.node('MaxPool', [e.nameOf(x, 'blocked')], attributes, NCHWC);
  return e.node('ReorderOutput', [thinned], { channels: int(four(x)[1]) }, NCHWC);
}
