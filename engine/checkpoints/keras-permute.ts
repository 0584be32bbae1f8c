import { sizeOf } from '../graph/types.ts';
import type { RawTensor } from '../formats/weights.ts';

/** The tensor with its axes reordered: axis i of the result is axis `axes[i]` of `tensor`. */
export function permuted(tensor: RawTensor, axes: readonly number[]): RawTensor {
  const shape = axes.map((axis) => tensor.shape[axis] ?? 1);
  return {
    shape,
    dtype: tensor.dtype,
    read: () => permute(tensor.read(), tensor.shape, axes),
  };
}

/** `values` row by row of the given shape, with the axes reordered. */
function permute(
  values: Float32Array,
  shape: readonly number[],
  axes: readonly number[],
): Float32Array {
  const steps = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const sides = axes.map((axis) => shape[axis]!);
  const strides = axes.map((axis) => steps[axis]!);
  const result = new Float32Array(values.length);
  const at = sides.map(() => 0);
  let source = 0;
  for (let i = 0; i < result.length; i++) {
    result[i] = values[source]!;
    for (let axis = sides.length - 1; axis >= 0; axis--) {
      source += strides[axis]!;
      at[axis]!++;
      if (at[axis]! < sides[axis]!) break;
      source -= strides[axis]! * sides[axis]!;
      at[axis] = 0;
    }
  }
  return result;
}
