/**
 * Gradients of the convolutions that `convolution.ts` does not know: depthwise ones, in which each
 * channel has one filter of its own, and those padded differently on the far sides.
 *
 * The filter gradient of a depthwise convolution is a depthwise convolution too, with the images of
 * a batch laid side by side as channels: of the input with dy as the filter, dilated by the stride.
 */
import type { Conv2dGeometry, Value } from '../../graph/types.ts';
import { emitFilterGradient } from './convolution.ts';
import type { Emitter } from './emitter.ts';
import { int, ints } from './emitter.ts';

type Four = readonly [number, number, number, number];
const shapeOf = (value: Value, input: number): Four => value.inputs[input]?.shape as Four;

/** Whether a geometry's gradients are made here. */
export function isUncommon({ pad, padEnd = pad, groups = 1 }: Conv2dGeometry): boolean {
  return groups !== 1 || padEnd !== pad;
}

export function emitUncommonInputGradient(
  e: Emitter,
  value: Value,
  { stride, pad, padEnd = pad, groups = 1 }: Conv2dGeometry,
  [dy = '', filter = '']: readonly string[],
): string {
  const [, channels, height, width] = value.shape as Four;
  const [, , dyHeight, dyWidth] = shapeOf(value, 0);
  const [, , rows, columns] = shapeOf(value, 1);
  const group = int(groups);
  if (groups > 1 && stride === 1 && Math.max(pad, padEnd) < Math.min(rows, columns)) {
    const turned = turn(e, filter, [channels, rows, columns]);
    const before = [rows - 1 - pad, columns - 1 - pad];
    const after = [rows - 1 - padEnd, columns - 1 - padEnd];
    return e.node('Conv', [dy, turned], { group, pads: ints(...before, ...after) });
  }
  const missing = (size: number, windows: number, side: number): number =>
    size - ((windows - 1) * stride + side - pad - padEnd);
  return e.node('ConvTranspose', [dy, filter], {
    group,
    strides: ints(stride, stride),
    pads: ints(pad, pad, padEnd, padEnd),
    output_padding: ints(missing(height, dyHeight, rows), missing(width, dyWidth, columns)),
  });
}

/** Turns every channel's filter by 180 degrees, by a product with a permutation. */
function turn(
  e: Emitter,
  filter: string,
  [channels, rows, columns]: readonly [number, number, number],
): string {
  const taps = rows * columns;
  const reversal = Float32Array.from({ length: taps * taps }, (_, i) =>
    Math.floor(i / taps) + (i % taps) === taps - 1 ? 1 : 0,
  );
  const flat = e.node('Reshape', [filter, e.integers(channels, taps)]);
  const turned = e.node('MatMul', [flat, e.floats(reversal, [taps, taps])]);
  return e.node('Reshape', [turned, e.integers(channels, 1, rows, columns)]);
}

export function emitUncommonFilterGradient(
  e: Emitter,
  value: Value,
  geometry: Conv2dGeometry,
  inputs: readonly string[],
): string {
  const emit = (geometry.groups ?? 1) > 1 ? depthwise : afterPadding;
  return emit(e, value, geometry, inputs);
}

function depthwise(
  e: Emitter,
  value: Value,
  { stride, pad }: Conv2dGeometry,
  [dy = '', x = '']: readonly string[],
): string {
  const [channels, , rows, columns] = value.shape as Four;
  const [batch, , dyHeight, dyWidth] = shapeOf(value, 0);
  const [, , height, width] = shapeOf(value, 1);
  // What must be added at the far side for as many results as taps; negative: never seen, cut off.
  const bottom = rows + (dyHeight - 1) * stride - height - pad;
  const right = columns + (dyWidth - 1) * stride - width - pad;
  const seen = [height + Math.min(bottom, 0), width + Math.min(right, 0)] as const;
  const cut = e.integers(batch, channels, ...seen);
  const used = bottom < 0 || right < 0 ? e.node('Slice', [x, e.integers(0, 0, 0, 0), cut]) : x;
  const images = e.node('Reshape', [used, e.integers(1, batch * channels, ...seen)]);
  const filters = e.node('Reshape', [dy, e.integers(batch * channels, 1, dyHeight, dyWidth)]);
  const perImage = e.node('Conv', [images, filters], {
    group: int(batch * channels),
    dilations: ints(stride, stride),
    pads: ints(pad, pad, Math.max(bottom, 0), Math.max(right, 0)),
  });
  const apart = e.node('Reshape', [perImage, e.integers(batch, channels, 1, rows, columns)]);
  return e.node('ReduceSum', [apart, e.integers(0)], { keepdims: int(0) });
}

/** With the padding made part of the input, which is what the common gradient knows. */
function afterPadding(
  e: Emitter,
  value: Value,
  { stride, pad, padEnd = pad }: Conv2dGeometry,
  [dy = '', x = '']: readonly string[],
): string {
  const [dyValue, given] = value.inputs as [Value, Value];
  const [batch, depth, height, width] = given.shape as Four;
  const sides = e.integers(0, 0, pad, pad, 0, 0, padEnd, padEnd);
  const shape = [batch, depth, height + pad + padEnd, width + pad + padEnd];
  const padded = { ...value, inputs: [dyValue, { ...given, shape }] };
  const inputs = [dy, e.node('Pad', [x, sides])];
  return emitFilterGradient(e, padded, { stride, pad: 0 }, inputs);
}
