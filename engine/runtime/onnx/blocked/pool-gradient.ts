/**
 * Max pooling with its gradient, on blocked images: windows of 3 x 3, a stride of 2, of what a relu
 * gave. A window's maximum is that of its rows' maxima, so the pooling and its gradient are two
 * stages along one axis each. A window then has three taps, and its slope goes to the first maximum:
 *
 *   rest = slope where the first tap is not the maximum, last = rest where the second is not either;
 *   the taps get slope - rest, rest - last, last.
 *
 * Pixels beyond the border are taken for zeros. They can win only where all of the window is 0, and
 * what lies there gets nothing through the relu's own gradient either.
 */
import type { Pool2dGeometry, Value } from '../../../graph/types.ts';
import type { Emitter } from '../emitter.ts';
import { int, ints } from '../emitter.ts';
import { NCHWC, fitsBlocks } from '../layout.ts';
import { convolve } from './operator.ts';
import type { Four } from './values.ts';
import { four, inputOf } from './values.ts';

const BOOL = 9;
const FLOAT = 1;

/** Position of rows and of columns in an image's shape. */
type Axis = 2 | 3;

/** Whether a max pooling, or its gradient, can be computed along one axis after the other. */
export function poolsByStages({ operation, inputs }: Value, block: number): boolean {
  const [x] = inputs;
  if (operation.kind !== 'maxPool' && operation.kind !== 'maxPoolGradient') return false;
  if (x?.operation.kind !== 'relu' || !fitsBlocks(x.shape, block)) return false;
  const { size, stride, pad } = operation as Pool2dGeometry;
  const [, , height, width] = four(x);
  return size === 3 && stride === 2 && pad === 1 && height % 2 === 0 && width % 2 === 0;
}

/** Maxima along the rows, and of whole windows, of an image that is pooled. */
interface Maxima {
  ofRows: string;
  ofWindows: string;
}

function maximaOf(e: Emitter, x: Value): Maxima {
  return e.once(`maxima of ${x.id}`, () => {
    const ofRows = maxima(e, e.nameOf(x, 'blocked'), 3);
    return { ofRows, ofWindows: maxima(e, ofRows, 2) };
  });
}

function maxima(e: Emitter, image: string, axis: Axis): string {
  const attributes = {
    kernel_shape: ints(...along(axis, 3, 1)),
    strides: ints(...along(axis, 2, 1)),
    pads: ints(...along(axis, 1, 0), ...along(axis, 1, 0)),
  };
  return e.node('MaxPool', [image], attributes, NCHWC);
}

export function emitStagedPool(e: Emitter, value: Value): string {
  return maximaOf(e, inputOf(value, 0)).ofWindows;
}

export function emitStagedPoolGradient(e: Emitter, value: Value): string {
  const [x, dy] = [inputOf(value, 0), inputOf(value, 1)];
  const { ofRows, ofWindows } = maximaOf(e, x);
  const [batch, channels, height, width] = four(x);
  const rows = { axis: 2, shape: [batch, channels, height, width / 2] } as const;
  const slopes = stageGradient(e, rows, ofRows, ofWindows, e.nameOf(dy, 'blocked'));
  return stageGradient(e, { axis: 3, shape: four(x) }, e.nameOf(x, 'blocked'), ofRows, slopes);
}

interface Stage {
  axis: Axis;
  /** Of what is pooled. */
  shape: Four;
}

function stageGradient(e: Emitter, stage: Stage, x: string, y: string, slope: string): string {
  const differs = (tap: number): string => {
    const apart = pick(e, stage, x, { taps: 3, at: tap, factor: -1, sum: y });
    const mask = e.node('Cast', [apart], { to: int(BOOL) });
    return e.node('Cast', [mask], { to: int(FLOAT) });
  };
  const rest = e.node('Mul', [slope, differs(0)]);
  const last = e.node('Mul', [rest, differs(1)]);
  const [first, middle] = [e.node('Sub', [slope, rest]), e.node('Sub', [rest, last])];
  // What is last in one window is first in the next one.
  const between = pick(e, stage, first, { taps: 2, at: 1, factor: 1, sum: last });
  return alternate(e, stage, middle, between);
}

interface Picked {
  /** 3: those of every second window; 2: each position and the one after it. */
  taps: 2 | 3;
  at: number;
  factor: number;
  sum: string;
}

/** factor * (one of the taps) + sum. */
function pick(e: Emitter, { axis, shape }: Stage, x: string, { taps, at, factor, sum }: Picked) {
  const channels = shape[1];
  const filter = Float32Array.from({ length: channels * taps }, (_, i) =>
    Math.floor(i / e.block) % taps === at ? factor : 0,
  );
  const window = along(axis, taps, 1);
  return convolve(e, [x, e.floats(filter, [channels, 1, ...window]), '', sum], {
    window,
    stride: along(axis, taps - 1, 1),
    pads: [...along(axis, taps - 2, 0), ...along(axis, 1, 0)],
    groups: channels,
    relu: false,
  });
}

/** Lines of one and of the other image by turns. */
function alternate(e: Emitter, { axis, shape }: Stage, even: string, odd: string): string {
  const [batch, channels, height, width] = shape;
  const size = axis === 2 ? width * e.block : e.block;
  const lines = e.integers((batch * channels * height * width) / 2 / size, 1, size);
  const parts = [even, odd].map((image) => e.node('Reshape', [image, lines]));
  return e.node('Reshape', [e.node('Concat', parts, { axis: int(1) }), e.integers(...shape)]);
}

/** Numbers of rows and columns: one along the axis, the other across it. */
function along(axis: Axis, one: number, other: number): [number, number] {
  return axis === 2 ? [one, other] : [other, one];
}
