/**
 * Gradients of convolution, said in ONNX's inference operators.
 *
 * Input gradient: the convolution run backwards. With stride 1 (and no more padding than the
 * filter reaches over) it is a plain Conv of dy with the filter turned by 180 degrees and its
 * channel axes swapped; otherwise ConvTranspose.
 *
 * Filter gradient: dW[o, i, r, c] = sum over n, y, x of dy[n, o, y, x] * X[n, i, y s + r, x s + c]
 * with X the padded input. The views of X that the filter's taps see are laid side by side, so that
 * one matrix product per image does the sums over y and x; where an image has too few positions for
 * that, one product does those over n, y and x. Convolving each channel with filters that are 1 at
 * one tap and 0 elsewhere makes the views, and a product with a permutation turns a filter, because
 * onnxruntime's Slice runs on one thread only (measured: docs/measurements.md).
 */
import type { Conv2dGeometry, Value } from '../../graph/types.ts';
import type { Emitter } from './emitter.ts';
import { int, ints } from './emitter.ts';

/** Up to this many positions, one product over the whole batch beats one per image. */
const FEW_POSITIONS = 50;

type Four = readonly [number, number, number, number];
const four = (value: Value): Four => value.shape as Four;

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
  const [filters, depth, rows, columns] = four(filterValue);
  if (stride === 1 && pad < Math.min(rows, columns)) {
    const swapped = e.node('Transpose', [filter], { perm: ints(1, 0, 2, 3) });
    const turned =
      rows * columns === 1 ? swapped : turn(e, swapped, [depth, filters, rows, columns]);
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

/** Reverses rows and columns of a filter of shape [filters, depth, rows, columns]. */
function turn(e: Emitter, filter: string, [filters, depth, rows, columns]: Four): string {
  const taps = rows * columns;
  const reversal = Float32Array.from({ length: taps * taps }, (_, i) =>
    Math.floor(i / taps) + (i % taps) === taps - 1 ? 1 : 0,
  );
  const flat = e.node('Reshape', [filter, e.integers(filters * depth, taps)]);
  const turned = e.node('MatMul', [flat, e.floats(reversal, [taps, taps])]);
  return e.node('Reshape', [turned, e.integers(filters, depth, rows, columns)]);
}

export function emitFilterGradient(
  e: Emitter,
  value: Value,
  geometry: Conv2dGeometry,
  [dy = '', x = '']: readonly string[],
): string {
  const [dyValue] = inputsOf(value);
  const [batch, filters, height, width] = four(dyValue);
  const [, depth, rows, columns] = four(value);
  const [taps, positions] = [rows * columns, height * width];
  const views = e.node('Reshape', [
    tapViews(e, value, geometry, x),
    e.integers(batch, depth * taps, positions),
  ]);
  const slopes = e.node('Reshape', [dy, e.integers(batch, filters, positions)]);
  const product = positions > FEW_POSITIONS ? productPerImage : productOverBatch;
  const sum = product(e, slopes, views, [filters, depth * taps]);
  return e.node('Reshape', [sum, e.integers(...value.shape)]);
}

/** left [batch, rows, positions] times right [batch, columns, positions], summed over the batch. */
function productPerImage(e: Emitter, left: string, right: string): string {
  const perImage = e.portable
    ? e.node('MatMul', [left, e.node('Transpose', [right], { perm: ints(0, 2, 1) })])
    : e.node('FusedMatMul', [left, right], { transB: int(1) }, 'com.microsoft');
  return e.node('ReduceSum', [perImage, e.integers(0)], { keepdims: int(0) });
}

/** The same in one product: with the batch moved inwards, all its positions are one axis. */
function productOverBatch(
  e: Emitter,
  left: string,
  right: string,
  [rows, columns]: readonly [number, number],
): string {
  const flat = (tensor: string, side: number): string =>
    e.node('Reshape', [
      e.node('Transpose', [tensor], { perm: ints(1, 0, 2) }),
      e.integers(side, -1),
    ]);
  return e.node('Gemm', [flat(left, rows), flat(right, columns)], { transB: int(1) });
}

/** For each image, channel and filter tap, the part of the input that the tap is multiplied with. */
function tapViews(e: Emitter, value: Value, { stride, pad }: Conv2dGeometry, x: string): string {
  const [, , rows, columns] = four(value);
  const taps = rows * columns;
  if (taps === 1 && stride === 1 && pad === 0) return x;
  const [batch, depth, height, width] = four(inputsOf(value)[1]);
  const oneHot = Float32Array.from({ length: taps * taps }, (_, i) => (i % (taps + 1) ? 0 : 1));
  const planes = e.node('Reshape', [x, e.integers(batch * depth, 1, height, width)]);
  return e.node('Conv', [planes, e.floats(oneHot, [taps, 1, rows, columns])], {
    strides: ints(stride, stride),
    pads: ints(pad, pad, pad, pad),
  });
}
