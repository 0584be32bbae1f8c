/** Convolution and its input gradient on blocked images. */
import type { Value } from '../../../graph/types.ts';
import { sizeOf } from '../../../graph/types.ts';
import type { Emitter } from '../emitter.ts';
import { ints } from '../emitter.ts';
import { fitsBlocks, fitsFilterBlocks } from '../layout.ts';
import { convolve } from './operator.ts';
import { convolveSideBySide, fitsSideBySide } from './side-by-side.ts';
import { turnedFilter } from './turned-filter.ts';
import { four, geometryOf, inputOf } from './values.ts';

/** Whether a convolution can be computed on blocked images. */
export function blocksConvolution(value: Value, block: number): boolean {
  if (value.operation.kind !== 'conv2d') return false;
  const { groups } = geometryOf(value);
  const [filters, depth] = four(inputOf(value, 1));
  if (block < 2 || filters % block !== 0) return false;
  if (groups > 1) return depth === 1 && groups === filters;
  return depth % block === 0 || depth < block;
}

/** Whether the input gradient is a convolution of dy with the filter turned. */
export function blocksInputGradient(value: Value, block: number): boolean {
  if (value.operation.kind !== 'conv2dInputGradient') return false;
  const { stride, pad, padEnd, groups } = geometryOf(value);
  const filter = inputOf(value, 1);
  const [, , rows, columns] = four(filter);
  const turns = stride === 1 && pad === padEnd && pad < Math.min(rows, columns);
  return turns && groups === 1 && fitsFilterBlocks(filter.shape, block);
}

/** relu(convolution + sum), as far as asked for. */
export function emitConvolution(e: Emitter, value: Value, sum: string, relu: boolean): string {
  const { stride, pad, padEnd, groups } = geometryOf(value);
  const [x, filter] = [inputOf(value, 0), inputOf(value, 1)];
  const blocked = fitsBlocks(x.shape, e.block);
  const how = {
    window: four(filter).slice(2),
    stride,
    pads: [pad, pad, padEnd, padEnd],
    groups,
    relu,
  };
  const image = e.nameOf(x, blocked ? 'blocked' : 'plain');
  const inputs = [image, filterOf(e, filter, groups), biasOf(e, value), sum] as const;
  if (blocked && fitsSideBySide(four(x), how)) {
    return convolveSideBySide(e, inputs, four(x), four(value), how);
  }
  return convolve(e, inputs, how);
}

/** dx of a stride of 1: dy convolved with the filter turned by 180 degrees, its channels swapped. */
export function emitBlockedInputGradient(e: Emitter, value: Value, sum: string): string {
  const { pad } = geometryOf(value);
  const [dy, filter] = [inputOf(value, 0), inputOf(value, 1)];
  const [, , rows, columns] = four(filter);
  const [y, x] = [rows - 1 - pad, columns - 1 - pad];
  const inputs = [e.nameOf(dy, 'blocked'), turnedFilter(e, filter), '', sum] as const;
  const how = { window: [rows, columns], stride: 1, pads: [y, x, y, x], groups: 1, relu: false };
  if (fitsSideBySide(four(dy), how))
    return convolveSideBySide(e, inputs, four(dy), four(value), how);
  return convolve(e, inputs, how);
}

/** The filter as the operator wants it: by blocks of both channels, or of the filters only. */
function filterOf(e: Emitter, filter: Value, groups: number): string {
  if (groups === 1 && fitsFilterBlocks(filter.shape, e.block)) return e.nameOf(filter, 'filter');
  const [filters, depth, rows, columns] = four(filter);
  const values = depth * rows * columns;
  const name = e.nameOf(filter);
  if (values === 1) return name;
  const parts = e.node('Reshape', [name, e.integers(filters / e.block, e.block, values)]);
  const moved = e.node('Transpose', [parts], { perm: ints(0, 2, 1) });
  return e.node('Reshape', [moved, e.integers(...filter.shape)]);
}

function biasOf(e: Emitter, value: Value): string {
  const [, , bias] = value.inputs;
  if (!bias) return '';
  const filters = value.shape[1] ?? 1;
  if (sizeOf(bias.shape) === filters) return e.nameOf(bias);
  return e.node('Expand', [e.nameOf(bias), e.integers(filters)]);
}
