import type { Emitter } from '../emitter.ts';
import { ints } from '../emitter.ts';

/** From here on rows are gathered: that is done by all threads, a transposition by one. */
const MANY_BYTES = 2 ** 20;

/**
 * The tensor `name` seen as `sides`, of which the last is one block of channels, with its axes in
 * another order. The result's shape is left to the caller.
 * @param order ends with the last axis
 */
export function moveLines(
  e: Emitter,
  name: string,
  sides: readonly number[],
  order: readonly number[],
): string {
  const line = sides.at(-1) ?? 1;
  const lines = sides.slice(0, -1);
  const count = lines.reduce((product, side) => product * side, 1);
  if (4 * count * line < MANY_BYTES) {
    const parts = e.node('Reshape', [name, e.integers(...sides)]);
    return e.node('Transpose', [parts], { perm: ints(...order) });
  }
  const rows = e.once(`lines of ${sides.join()} as ${order.join()}`, () =>
    e.rows(moved(lines, order.slice(0, -1))),
  );
  return e.node('Gather', [e.node('Reshape', [name, e.integers(count, line)]), rows]);
}

/** For each line in the new order, which one it was. */
function moved(sides: readonly number[], order: readonly number[]): Int32Array {
  const strides = sides.map((_, axis) => sides.slice(axis + 1).reduce((a, b) => a * b, 1));
  let found = Int32Array.of(0);
  for (const axis of order) {
    const [side = 1, stride = 1] = [sides[axis], strides[axis]];
    const before = found;
    found = new Int32Array(before.length * side);
    found.forEach((_, i) => {
      found[i] = (before[Math.floor(i / side)] ?? 0) + (i % side) * stride;
    });
  }
  return found;
}
