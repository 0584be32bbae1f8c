/** The blocked convolution operator itself. */
import type { Emitter } from '../emitter.ts';
import { int, ints } from '../emitter.ts';
import { NCHWC } from '../layout.ts';

export interface Convolving {
  window: readonly number[];
  /** Of both axes, or of rows and of columns. */
  stride: number | readonly [number, number];
  /** Of rows and columns before, then after. */
  pads: readonly number[];
  groups: number;
  relu: boolean;
  dilation?: number;
}

/** The blocked operator itself. @param inputs image, filter, bias ('' for none), sum ('' for none) */
export function convolve(
  e: Emitter,
  inputs: readonly string[],
  { window, stride, pads, groups, relu, dilation = 1 }: Convolving,
): string {
  const given = inputs.slice(0, inputs.findLastIndex((name) => name !== '') + 1);
  const attributes = {
    kernel_shape: ints(...window),
    strides: ints(...(typeof stride === 'number' ? [stride, stride] : stride)),
    dilations: ints(dilation, dilation),
    pads: ints(...pads),
    group: int(groups),
    ...(relu ? { activation: { string: 'Relu' } } : {}),
  };
  return e.node('Conv', given, attributes, NCHWC);
}
