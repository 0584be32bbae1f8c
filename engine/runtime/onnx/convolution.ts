/**
 * Gradients of convolution, said in ONNX's inference operators.
 *
 * Input gradient: the convolution run backwards. With stride 1 (and no more padding than the
 * filter reaches over) it is a plain Conv of dy with the filter turned by 180 degrees and its
 * channel axes swapped; otherwise ConvTranspose.
 *
 * Filter gradient: dW[o, i, r, c] = sum over n, y, x of dy[n, o, y, x] * X[n, i, y s + r, x s + c]
 * with X the padded input. The shifted views of X, one per filter tap, are laid side by side, so
 * that one matrix product per image does the sums over y and x; where an image has too few
 * positions for that, one product does those over n, y and x (measured: docs/measurements.md).
 */
import type { Conv2dGeometry, Value } from '../../graph/types.ts';
import type { Emitter } from './emitter.ts';
import { int, ints } from './emitter.ts';

/** Up to this many positions, one product over the whole batch beats one per image. */
const FEW_POSITIONS = 50;

type Four = readonly [number, number, number, number];
const four = (value: Value): Four => value.shape as Four;
const last = Number.MAX_SAFE_INTEGER;

function inputsOf(value: Value): [Value, Value] {
  return [value.inputs[0], value.inputs[1]] as [Value, Value];
}

export function emitInputGradient(
  e: Emitter,
  value: Value,
  { stride, pad }: Conv2dGeometry,
  [dy = '', filter = '']: readonly string[],
): string {
  const [dyValue, filterValue] = inputsOf(value);
  const [, , rows, columns] = four(filterValue);
  if (stride === 1 && pad < Math.min(rows, columns)) {
    const swapped = e.node('Transpose', [filter], { perm: ints(1, 0, 2, 3) });
    const turned = rows * columns === 1 ? swapped : turn(e, swapped);
    const [y, x] = [rows - 1 - pad, columns - 1 - pad];
    return e.node('Conv', [dy, turned], { pads: ints(y, x, y, x) });
  }
  const [, , height, width] = four(value);
  const [, , dyHeight, dyWidth] = four(dyValue);
  const missing = (size: number, windows: number, side: number): number =>
    size - ((windows - 1) * stride + side - 2 * pad);
  return e.node('ConvTranspose', [dy, filter], {
    strides: ints(stride, stride),
    pads: ints(pad, pad, pad, pad),
    output_padding: ints(missing(height, dyHeight, rows), missing(width, dyWidth, columns)),
  });
}

/** Reverses rows and columns. */
function turn(e: Emitter, filter: string): string {
  return e.node('Slice', [
    filter,
    e.integers(-1, -1),
    e.integers(-last, -last),
    e.integers(2, 3),
    e.integers(-1, -1),
  ]);
}

export function emitFilterGradient(
  e: Emitter,
  value: Value,
  geometry: Conv2dGeometry,
  [dy = '', x = '']: readonly string[],
): string {
  const [filters, depth, rows, columns] = four(value);
  const [, , height, width] = four(inputsOf(value)[0]);
  const product = height * width > FEW_POSITIONS ? productPerImage : productOverBatch;
  const sum = product(e, value, geometry, dy, x);
  if (rows * columns === 1) return e.node('Reshape', [sum, e.integers(...value.shape)]);
  const byTap = e.node('Reshape', [sum, e.integers(filters, rows, columns, depth)]);
  return e.node('Transpose', [byTap], { perm: ints(0, 3, 1, 2) });
}

/** The gradient as [filter, row, column, depth]: a product for each image, then their sum. */
function productPerImage(
  e: Emitter,
  value: Value,
  geometry: Conv2dGeometry,
  dy: string,
  x: string,
): string {
  const [filters, depth, rows, columns] = four(value);
  const [batch, , height, width] = four(inputsOf(value)[0]);
  const stacked = sideBySide(e, shiftedViews(e, value, geometry, x), 1);
  const left = e.node('Reshape', [dy, e.integers(batch, filters, height * width)]);
  const wide = e.integers(batch, rows * columns * depth, height * width);
  const right = e.node('Reshape', [stacked, wide]);
  const perImage = e.node('FusedMatMul', [left, right], { transB: int(1) }, 'com.microsoft');
  return e.node('ReduceSum', [perImage, e.integers(0)], { keepdims: int(0) });
}

/** The same in one product: with channels before images, all positions of a batch are one axis. */
function productOverBatch(
  e: Emitter,
  value: Value,
  geometry: Conv2dGeometry,
  dy: string,
  x: string,
): string {
  const [filters, depth, rows, columns] = four(value);
  const swapped = (tensor: string): string =>
    e.node('Transpose', [tensor], { perm: ints(1, 0, 2, 3) });
  const stacked = sideBySide(e, shiftedViews(e, value, geometry, swapped(x)), 0);
  const left = e.node('Reshape', [swapped(dy), e.integers(filters, -1)]);
  const right = e.node('Reshape', [stacked, e.integers(rows * columns * depth, -1)]);
  return e.node('Gemm', [left, right], { transB: int(1) });
}

function sideBySide(e: Emitter, views: readonly string[], axis: number): string {
  return views.length === 1 ? (views[0] ?? '') : e.node('Concat', views, { axis: int(axis) });
}

/**
 * For each filter tap, row by row, the part of the padded input that it is multiplied with.
 * @param x the input, images and channels in either order
 */
function shiftedViews(
  e: Emitter,
  value: Value,
  { stride, pad }: Conv2dGeometry,
  x: string,
): string[] {
  const [, , rows, columns] = four(value);
  const [, , height, width] = four(inputsOf(value)[0]);
  const padded = pad === 0 ? x : e.node('Pad', [x, e.integers(0, 0, pad, pad, 0, 0, pad, pad)]);
  if (rows * columns === 1 && stride === 1) return [padded];
  const axes = e.integers(2, 3);
  const steps = e.integers(stride, stride);
  return Array.from({ length: rows * columns }, (_, tap) => {
    const [row, column] = [Math.floor(tap / columns), tap % columns];
    const ends = e.integers(row + (height - 1) * stride + 1, column + (width - 1) * stride + 1);
    return e.node('Slice', [padded, e.integers(row, column), ends, axes, steps]);
  });
}
