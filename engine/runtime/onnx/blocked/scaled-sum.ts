/**
 * The update's a + s b with one number s, on filters: with both as one image of a single block of
 * channels, a convolution of one tap that adds. It reads and writes each element once, where a
 * multiplication and an addition do so twice, and rounds as they do.
 */
import type { Value } from '../../../graph/types.ts';
import { showShape, sizeOf } from '../../../graph/types.ts';
import type { Emitter } from '../emitter.ts';
import { fitsFilterBlocks } from '../layout.ts';
import { convolve } from './operator.ts';

/** base + factor scaled, or base - factor scaled. */
export interface ScaledSum {
  base: Value;
  scaled: Value;
  /** One number. */
  factor: Value;
  sign: 1 | -1;
  /** factor scaled, which no node computes. */
  product: Value;
}

/** What a value is as a scaled sum of filters, of which one is state. */
export function scaledSumIn(
  value: Value,
  once: (value: Value) => boolean,
  block: number,
): ScaledSum | null {
  const { kind } = value.operation;
  const [a, b] = value.inputs;
  if ((kind !== 'add' && kind !== 'sub') || !a || !b || a === b) return null;
  if (!fitsFilterBlocks(value.shape, block) || !isState(value)) return null;
  if (showShape(a.shape) !== showShape(b.shape)) return null;
  if (kind === 'sub') return scaledSum(a, b, -1, once);
  return scaledSum(a, b, 1, once) ?? scaledSum(b, a, 1, once);
}

function scaledSum(
  base: Value,
  product: Value,
  sign: 1 | -1,
  once: (value: Value) => boolean,
): ScaledSum | null {
  if (product.operation.kind !== 'mul' || !once(product)) return null;
  const [a, b] = product.inputs as [Value, Value];
  const [scaled, factor] = sizeOf(b.shape) === 1 ? [a, b] : [b, a];
  const fits = sizeOf(factor.shape) === 1 && showShape(scaled.shape) === showShape(product.shape);
  return fits ? { base, scaled, factor, sign, product } : null;
}

/** Whether state of the same shape is among what a value is computed of, element by element. */
function isState({ operation, inputs, shape }: Value): boolean {
  if (operation.kind === 'input' || operation.kind === 'parameter') return true;
  if (!['add', 'sub', 'mul', 'div', 'sqrt'].includes(operation.kind)) return false;
  return inputs.some((input) => showShape(input.shape) === showShape(shape) && isState(input));
}

/** The sum, flat. */
export function emitScaledSum(e: Emitter, { base, scaled, factor, sign }: ScaledSum): string {
  const inputs = [
    e.nameOf(scaled, 'flat'),
    factorPerChannel(e, factor, sign),
    '',
    e.nameOf(base, 'flat'),
  ];
  return convolve(e, inputs, {
    window: [1, 1],
    stride: 1,
    pads: [0, 0, 0, 0],
    groups: e.block,
    relu: false,
  });
}

/** The filter that multiplies each channel with a factor of this sign, made once. */
function factorPerChannel(e: Emitter, factor: Value, sign: 1 | -1): string {
  const filled = (value: number): string =>
    e.once(`filter of ${value}`, () =>
      e.floats(new Float32Array(e.block).fill(value), [e.block, 1, 1, 1]),
    );
  const { operation, id } = factor;
  if (operation.kind === 'constant') return filled(sign * (operation.data[0] ?? 0));
  return e.once(`filter of ${sign} times value ${id}`, () =>
    e.node('Mul', [e.nameOf(factor), filled(sign)]),
  );
}
