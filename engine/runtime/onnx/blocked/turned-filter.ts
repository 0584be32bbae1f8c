/**
 * The filters of a convolution run backwards: input and output channels swapped, taps in a new
 * order. A blocked filter is a list of squares of B times B weights, one per block of filters, block
 * of channels and tap; each square is transposed as if it were an image, then all are gathered in
 * their new order.
 */
import type { Value } from '../../../graph/types.ts';
import type { Emitter } from '../emitter.ts';
import { int } from '../emitter.ts';
import { NCHWC } from '../layout.ts';
import { four } from './values.ts';

/** The filter turned by 180 degrees. */
export function turnedFilter(e: Emitter, filter: Value): string {
  const [filters, depth, rows, columns] = four(filter);
  const taps = Array.from({ length: rows * columns }, (_, tap) => rows * columns - 1 - tap);
  const turned = gatherSquares(e, filter, transposedSquares(e, filter), [taps]);
  return e.node('Reshape', [turned, e.integers(depth, filters, rows, columns)]);
}

/**
 * Several filters made of one filter's taps, one after another, each `side` times `side`.
 * @param taps for each new filter, which tap stands at each of its places; -1: zeros
 */
export function filtersOfTaps(
  e: Emitter,
  filter: Value,
  taps: readonly (readonly number[])[],
  side: number,
): string {
  const { block } = e;
  const [filters, depth] = four(filter);
  const squares = transposedSquares(e, filter);
  const zeros = e.floats(new Float32Array(block * block), [1, block * block]);
  const extended = e.node('Concat', [squares, zeros], { axis: int(0) });
  const gathered = gatherSquares(e, filter, extended, taps);
  return e.node('Reshape', [gathered, e.integers(taps.length * depth, filters, side, side)]);
}

/** [block of filters, block of channels and tap in one, B (out) times B (in)]. */
function transposedSquares(e: Emitter, filter: Value): string {
  const { block } = e;
  const [filters, depth, rows, columns] = four(filter);
  const squares = (filters / block) * (depth / block) * rows * columns;
  const images = e.node('Reshape', [
    e.nameOf(filter, 'filter'),
    e.integers(squares, block, block, 1),
  ]);
  const swapped = e.node('ReorderOutput', [images], { channels: int(block) }, NCHWC);
  return e.node('Reshape', [swapped, e.integers(squares, block * block)]);
}

function gatherSquares(
  e: Emitter,
  filter: Value,
  squares: string,
  taps: readonly (readonly number[])[],
): string {
  const [filters, depth, rows, columns] = four(filter);
  const [out, inputs, count] = [filters / e.block, depth / e.block, rows * columns];
  const order: number[] = [];
  for (const places of taps) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < out; o++) {
        for (const tap of places) {
          order.push(tap < 0 ? out * inputs * count : (o * inputs + i) * count + tap);
        }
      }
    }
  }
  return e.node('Gather', [squares, e.integers(...order)]);
}
