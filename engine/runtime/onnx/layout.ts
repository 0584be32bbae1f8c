/**
 * The order in which a tensor's elements lie in memory.
 *
 * onnxruntime's fastest convolutions on a CPU (MLAS, operators of domain `com.microsoft.nchwc`)
 * read and write channels in blocks of B, the CPU's vector width: images [batch, channel / B, row,
 * column, B], filters [out / B, in / B, row, column, B (in), B (out)]. The declared shape stays that
 * of the plain order. Arithmetic element by element works in any order, so a whole training step,
 * its update included, can stay blocked. A flat filter has the elements of a blocked one in the same
 * order, declared as one image of a single block of channels: so the update sees it, and so it is
 * exchanged, because an output that is only declared anew would be copied.
 */
import type { Shape, Value } from '../../graph/types.ts';
import { sizeOf } from '../../graph/types.ts';
import type { Emitter } from './emitter.ts';
import { int, ints } from './emitter.ts';

/** plain: as the shape says; blocked: images by blocks; filter, flat: filters by blocks. */
export type Layout = 'plain' | 'blocked' | 'filter' | 'flat';

export const NCHWC = 'com.microsoft.nchwc';

/** Whether images of this shape can be blocked. */
export function fitsBlocks(shape: Shape, block: number): boolean {
  return block > 1 && shape.length === 4 && (shape[1] ?? 0) % block === 0;
}

/** Whether a filter of this shape can be blocked. */
export function fitsFilterBlocks(shape: Shape, block: number): boolean {
  return fitsBlocks(shape, block) && (shape[0] ?? 0) % block === 0;
}

/** What a filter of `shape` is declared as where it is flat. */
export function flatShape(shape: Shape, block: number): number[] {
  const pixels = sizeOf(shape) / block;
  let rows = Math.floor(Math.sqrt(pixels));
  while (pixels % rows !== 0) rows--;
  return [1, block, rows, pixels / rows];
}

const byBlocks = (layout: Layout): boolean => layout === 'filter' || layout === 'flat';

/** Adds nodes that turn `name`, a tensor of `shape` in layout `from`, into layout `to`. */
export function convert(
  e: Emitter,
  name: string,
  { shape }: Pick<Value, 'shape'>,
  from: Layout,
  to: Layout,
): string {
  if (from === to) return name;
  if (from === 'blocked') {
    const plain = e.node('ReorderOutput', [name], { channels: int(shape[1] ?? 0) }, NCHWC);
    return convert(e, plain, { shape }, 'plain', to);
  }
  if (byBlocks(to)) {
    const parts = byBlocks(from) ? name : plainToFilter(e, name, shape);
    return e.node('Reshape', [
      parts,
      e.integers(...(to === 'flat' ? flatShape(shape, e.block) : shape)),
    ]);
  }
  if (byBlocks(from)) return convert(e, filterToPlain(e, name, shape), { shape }, 'plain', to);
  return e.node('ReorderInput', [name], {}, NCHWC);
}

interface Blocks {
  out: number;
  in: number;
  taps: number;
}

function blocksOf([filters = 0, depth = 0, rows = 1, columns = 1]: Shape, block: number): Blocks {
  return { out: filters / block, in: depth / block, taps: rows * columns };
}

/** By blocks, in as many axes as that takes. */
function plainToFilter(e: Emitter, name: string, shape: Shape): string {
  const { block } = e;
  const { out, in: depth, taps } = blocksOf(shape, block);
  const parts = e.node('Reshape', [name, e.integers(out, block, depth, block, taps)]);
  return e.node('Transpose', [parts], { perm: ints(0, 2, 4, 3, 1) });
}

function filterToPlain(e: Emitter, name: string, shape: Shape): string {
  const { block } = e;
  const { out, in: depth, taps } = blocksOf(shape, block);
  const parts = e.node('Reshape', [name, e.integers(out, depth, taps, block, block)]);
  const moved = e.node('Transpose', [parts], { perm: ints(0, 4, 1, 3, 2) });
  return e.node('Reshape', [moved, e.integers(...shape)]);
}

/** Elements of a filter in plain order, by blocks; a new array. */
export function blockFilter(data: Float32Array, shape: Shape, block: number): Float32Array {
  return reorderFilter(data, shape, block, (target, source, plain, blocked) => {
    target[blocked] = source[plain] ?? 0;
  });
}

/** The inverse of `blockFilter`. */
export function unblockFilter(data: Float32Array, shape: Shape, block: number): Float32Array {
  return reorderFilter(data, shape, block, (target, source, plain, blocked) => {
    target[plain] = source[blocked] ?? 0;
  });
}

function reorderFilter(
  source: Float32Array,
  shape: Shape,
  block: number,
  copy: (target: Float32Array, source: Float32Array, plain: number, blocked: number) => void,
): Float32Array {
  const target = new Float32Array(source.length);
  const { out, in: depth, taps } = blocksOf(shape, block);
  const inputs = depth * block;
  let blocked = 0;
  for (let o = 0; o < out; o++) {
    for (let i = 0; i < depth; i++) {
      for (let tap = 0; tap < taps; tap++) {
        for (let a = 0; a < block; a++) {
          let plain = (o * block * inputs + i * block + a) * taps + tap;
          for (let b = 0; b < block; b++, plain += inputs * taps) {
            copy(target, source, plain, blocked++);
          }
        }
      }
    }
  }
  return target;
}
