/**
 * Gradients of convolution, said in ONNX's inference operators.
 *
 * Input gradient: the convolution run backwards. With stride 1 (and no more padding than the
 * filter reaches over) it is a plain Conv of dy with the filter turned by 180 degrees and its
 * channel axes swapped; otherwise ConvTranspose.
 *
 * Filter gradient: dW[o, i, r, c] = sum over n, y, x of dy[n, o, y, x] * X[n, i, y s + r, x s + c]
 * with X the padded input. The shifted views of X, one per filter tap, are laid side by side, so
 * that one matrix product does the sums.
 */
import type { Conv2dGeometry, Value } from '../../graph/types.ts';
import type { Emitter } from './emitter.ts';
import { int, ints } from './emitter.ts';

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
  const [dyValue] = inputsOf(value);
  const [batch, , height, width] = four(dyValue);
  const positions = height * width;
  const views = shiftedViews(e, value, geometry, x);
  const taps = views.length;
  const stacked = taps === 1 ? (views[0] ?? '') : e.node('Concat', views, { axis: int(1) });
  const left = e.node('Reshape', [dy, e.integers(batch, filters, positions)]);
  const right = e.node('Reshape', [stacked, e.integers(batch, taps * depth, positions)]);
  const perImage = e.node('FusedMatMul', [left, right], { transB: int(1) }, 'com.microsoft');
  const sum = e.node('ReduceSum', [perImage, e.integers(0)], { keepdims: int(0) });
  if (taps === 1) return e.node('Reshape', [sum, e.integers(filters, depth, rows, columns)]);
  const byTap = e.node('Reshape', [sum, e.integers(filters, rows, columns, depth)]);
  return e.node('Transpose', [byTap], { perm: ints(0, 3, 1, 2) });
}

/** For each filter tap, row by row, the part of the padded input that it is multiplied with. */
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
