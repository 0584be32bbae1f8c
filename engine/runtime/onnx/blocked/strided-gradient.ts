/**
 * Input gradient of a convolution with stride s, on blocked images. Pixels of dx whose row and column
 * leave the same rests when divided by s (a phase) see the same taps of the filter, so each phase is a
 * convolution of dy with those taps. All phases are computed by one convolution, each as channels of
 * its own, and then laid between each other.
 */
import type { Value } from '../../../graph/types.ts';
import type { Emitter } from '../emitter.ts';
import { int } from '../emitter.ts';
import { fitsBlocks, fitsFilterBlocks } from '../layout.ts';
import { moveLines } from './moved-lines.ts';
import { convolve } from './operator.ts';
import { convolveSideBySide, fitsSideBySide } from './side-by-side.ts';
import { filtersOfTaps } from './turned-filter.ts';
import { four, geometryOf, inputOf } from './values.ts';

/** One axis of the taps that a phase sees. */
interface Phase {
  /** dy's pixel, relative to the phase's own, that the last of `taps` is multiplied with. */
  first: number;
  /** By growing position in dy. */
  taps: number[];
}

/** dx[s m + phase] = sum over j of W[s j + rest] dy[m + whole - j], along one axis. */
function phaseOf(phase: number, side: number, stride: number, pad: number): Phase {
  const rest = (phase + pad) % stride;
  const whole = (phase + pad - rest) / stride;
  const taps: number[] = [];
  for (let tap = rest; tap < side; tap += stride) taps.unshift(tap);
  return { first: whole - taps.length + 1, taps };
}

/** Whether a strided input gradient can be computed phase by phase on blocked images. */
export function blocksStridedGradient(value: Value, block: number): boolean {
  if (value.operation.kind !== 'conv2dInputGradient') return false;
  const { stride, groups } = geometryOf(value);
  const filter = inputOf(value, 1);
  const [, , rows, columns] = four(filter);
  const [, , height, width] = four(value);
  const square = rows === columns && height === width && height % stride === 0;
  const fits = fitsFilterBlocks(filter.shape, block) && fitsBlocks(value.shape, block);
  return stride > 1 && groups === 1 && square && fits;
}

export function emitStridedGradient(e: Emitter, value: Value): string {
  const { stride, pad } = geometryOf(value);
  const [dy, filter] = [inputOf(value, 0), inputOf(value, 1)];
  const [, , side] = four(filter);
  const phases = Array.from({ length: stride }, (_, phase) => phaseOf(phase, side, stride, pad));
  if (side === 1 && pad === 0) return spreadWithZeros(e, value);
  const used = phases.filter(({ taps }) => taps.length > 0);
  const first = Math.min(...used.map((phase) => phase.first));
  const end = Math.max(...used.map((phase) => phase.first + phase.taps.length));
  const window = end - first;
  const tapAt = (phase: Phase, at: number): number => phase.taps[at + first - phase.first] ?? -1;
  const places = Array.from({ length: window }, (_, at) => at);
  const filters = phases.flatMap((row) =>
    phases.map((column) =>
      places.flatMap((y) => places.map((x) => joint(tapAt(row, y), tapAt(column, x), side))),
    ),
  );
  const [batch, , rows, columns] = four(dy);
  const [, channels, height] = four(value);
  const count = height / stride;
  const after = count - 1 + end - 1 - (rows - 1);
  const inputs = [
    e.nameOf(dy, 'blocked'),
    filtersOfTaps(e, filter, filters, window),
    '',
    '',
  ] as const;
  const how = {
    window: [window, window],
    stride: 1,
    pads: [-first, -first, after, after],
    groups: 1,
    relu: false,
  };
  const apart =
    count === rows && fitsSideBySide(four(dy), how)
      ? convolveSideBySide(e, inputs, four(dy), [batch, stride ** 2 * channels, rows, columns], how)
      : convolve(e, inputs, how);
  return interleave(e, value, apart, stride);
}

function joint(row: number, column: number, side: number): number {
  return row < 0 || column < 0 ? -1 : row * side + column;
}

/** From [batch, phase of rows, phase of columns, channel / B, row, column, B] to dx. */
function interleave(e: Emitter, value: Value, apart: string, stride: number): string {
  const [batch, channels, height, width] = four(value);
  const [blocks, rows, columns] = [channels / e.block, height / stride, width / stride];
  const sides = [batch, stride, stride, blocks, rows, columns, e.block];
  const moved = moveLines(e, apart, sides, [0, 3, 4, 1, 5, 2, 6]);
  return e.node('Reshape', [moved, e.integers(...value.shape)]);
}

/** A filter of one tap reaches one phase only: all others are zeros. */
function spreadWithZeros(e: Emitter, value: Value): string {
  const { stride } = geometryOf(value);
  const [dy, filter] = [inputOf(value, 0), inputOf(value, 1)];
  const [batch, channels, height, width] = four(value);
  const [rows, columns] = [height / stride, width / stride];
  const reached = convolve(e, [e.nameOf(dy, 'blocked'), filtersOfTaps(e, filter, [[0]], 1)], {
    window: [1, 1],
    stride: 1,
    pads: [0, 0, 0, 0],
    groups: 1,
    relu: false,
  });
  const lines = (batch * channels * rows) / e.block;
  const inRows = followedByZeros(e, reached, [lines * columns, 1, e.block], stride);
  const image = followedByZeros(e, inRows, [lines, 1, width * e.block], stride);
  return e.node('Reshape', [image, e.integers(...value.shape)]);
}

/** Each of the tensor's parts [count, 1, size] followed by stride - 1 parts of zeros. */
function followedByZeros(
  e: Emitter,
  name: string,
  shape: readonly [number, number, number],
  stride: number,
): string {
  const [count, , size] = shape;
  const parts = e.node('Reshape', [name, e.integers(...shape)]);
  const zero = e.floats(Float32Array.of(0), [1]);
  const zeros = e.node('Expand', [zero, e.integers(count, stride - 1, size)]);
  return e.node('Concat', [parts, zeros], { axis: int(1) });
}
