/** What is said differently for devices that lack an operator of the CPU's. */
import type { Pool2dGeometry, Value } from '../../graph/types.ts';
import type { Emitter } from './emitter.ts';
import { int, ints } from './emitter.ts';

const FLOAT = 1;
/** Below every value, and finite: it is multiplied by 0. */
const LOWEST = -3e38;

type Four = readonly [number, number, number, number];

/** x - max - log(sum(exp(x - max))) over the last axis; WebGPU has no LogSoftmax. */
export function emitLogSoftmax(e: Emitter, [x = '']: readonly string[]): string {
  const [last, kept] = [e.integers(-1), { keepdims: int(1) }];
  const centred = e.node('Sub', [x, e.node('ReduceMax', [x, last], kept)]);
  const sum = e.node('ReduceSum', [e.node('Exp', [centred]), last], kept);
  return e.node('Sub', [centred, e.node('Log', [sum])]);
}

/**
 * Gradient of max pooling without the maxima's places, which WebGPU's MaxPool does not give. Each
 * window's taps are laid side by side; the first that equals their maximum gets the window's
 * gradient, and a transposed convolution with one filter per tap adds up what each position gets.
 */
export function emitMaxPoolGradient(
  e: Emitter,
  value: Value,
  { size, stride, pad }: Pool2dGeometry,
  [x = '', dy = '']: readonly string[],
): string {
  const [batch, channels, height, width] = value.shape as Four;
  const [, , rows, columns] = value.inputs[1]?.shape as Four;
  const [planes, taps, windows] = [batch * channels, size * size, rows * columns];
  const filters = e.floats(
    Float32Array.from({ length: taps * taps }, (_, i) => (i % (taps + 1) ? 0 : 1)),
    [taps, 1, size, size],
  );
  const strides = ints(stride, stride);
  const sides = [0, 0, pad, pad];
  const padded = e.node('Pad', [
    x,
    e.integers(...sides, ...sides),
    e.floats(Float32Array.of(LOWEST), []),
  ]);
  const plane = e.integers(planes, 1, height + 2 * pad, width + 2 * pad);
  const views = e.node('Conv', [e.node('Reshape', [padded, plane]), filters], { strides });
  const seen = e.node('Reshape', [views, e.integers(planes, taps, windows)]);
  const first = e.node('Mul', [
    firstMaximum(e, seen, taps),
    e.node('Reshape', [dy, e.integers(planes, 1, windows)]),
  ]);
  const missing = (side: number, count: number): number =>
    side - ((count - 1) * stride + size - 2 * pad);
  const spread = e.node(
    'ConvTranspose',
    [e.node('Reshape', [first, e.integers(planes, taps, rows, columns)]), filters],
    {
      strides,
      pads: ints(pad, pad, pad, pad),
      output_padding: ints(missing(height, rows), missing(width, columns)),
    },
  );
  return e.node('Reshape', [spread, e.integers(...value.shape)]);
}

/** 1 where a tap is its window's maximum and no tap before it is, else 0. `seen`: [plane, tap, window]. */
function firstMaximum(e: Emitter, seen: string, taps: number): string {
  const highest = e.node('ReduceMax', [seen, e.integers(1)], { keepdims: int(1) });
  const equal = e.node('Cast', [e.node('Equal', [seen, highest])], { to: int(FLOAT) });
  const before = Float32Array.from({ length: taps * taps }, (_, i) =>
    i % taps < Math.floor(i / taps) ? 1 : 0,
  );
  const earlier = e.node('MatMul', [e.floats(before, [taps, taps]), equal]);
  return e.node('Relu', [e.node('Sub', [equal, earlier])]);
}
