import { sizeOf } from '../graph/types.ts';

/** Numbers from the first to the last of a tensor that is not empty, both included. */
export function spanOf(shape: readonly number[], stride: readonly number[]): number {
  return shape.reduce((span, side, axis) => span + (side - 1) * stride[axis]!, 1);
}

/** Whether the numbers lie row by row without gaps. Axes of one place may have any stride. */
export function isRowByRow(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** The numbers of a tensor of `shape` that lie `stride` apart in `values`, row by row. */
export function gather(
  values: Float32Array,
  shape: readonly number[],
  stride: readonly number[],
): Float32Array {
  const rows = new Float32Array(sizeOf(shape));
  const index = shape.map(() => 0);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    rows[i] = values[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += stride[axis]!;
      index[axis]! += 1;
      if (index[axis]! < shape[axis]!) break;
      at -= stride[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return rows;
}
