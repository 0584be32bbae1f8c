/** What is computed in a blocked layout, and how; all else is left to the plain operations. */
import type { Operation, Value } from '../../../graph/types.ts';
import { showShape, sizeOf } from '../../../graph/types.ts';
import type { Emitter } from '../emitter.ts';
import { int, ints } from '../emitter.ts';
import type { Layout } from '../layout.ts';
import { NCHWC, fitsBlocks, fitsFilterBlocks } from '../layout.ts';
import { emitOperation } from '../operations.ts';
import {
  blocksConvolution,
  blocksInputGradient,
  emitBlockedInputGradient,
  emitConvolution,
} from './convolution.ts';
import { blocksFilterGradient, emitBlockedFilterGradient } from './filter-gradient.ts';
import type { Fusion } from './fusion.ts';
import * as normalisation from './normalisation.ts';
import { emitStagedPool, emitStagedPoolGradient, poolsByStages } from './pool-gradient.ts';
import { blocksStridedGradient, emitStridedGradient } from './strided-gradient.ts';
import { four, inputOf } from './values.ts';

type Kind = Operation['kind'];

/** A node's name and the layout of what it gives. */
export interface Emitted {
  name: string;
  layout: Layout;
}

/** Computed element by element: any layout will do, as long as all operands share it. */
const ELEMENTWISE: ReadonlySet<Kind> = new Set<Kind>([
  ...(['add', 'sub', 'mul', 'div', 'min', 'relu', 'relu6', 'exp', 'sqrt'] as const),
  ...(['sigmoid', 'logSigmoid', 'reluGradient', 'relu6Gradient'] as const),
]);

/** Whether relu and a sum can be computed on the way out of a value. */
export function fusible(value: Value, block: number): boolean {
  switch (value.operation.kind) {
    case 'conv2d':
      return blocksConvolution(value, block);
    case 'conv2dInputGradient':
      return blocksInputGradient(value, block);
    case 'batchNorm':
    case 'normalise':
    case 'batchNormInputGradient':
      return fitsBlocks(value.shape, block);
    default:
      return false;
  }
}

/** relu(value + sum) in one go, as far as asked for. */
export function emitFused(e: Emitter, { convolution: value, sum, relu }: Fusion): Emitted {
  const added = sum ? e.nameOf(sum, 'blocked') : '';
  return { name: emitter(value)(e, value, added, relu), layout: 'blocked' };
}

type EmitFusible = (e: Emitter, value: Value, sum: string, relu: boolean) => string;

function emitter({ operation }: Value): EmitFusible {
  switch (operation.kind) {
    case 'conv2d':
      return emitConvolution;
    case 'batchNorm':
      return normalisation.emitBatchNorm;
    case 'normalise':
      return normalisation.emitNormalise;
    case 'batchNormInputGradient':
      return normalisation.emitBatchNormInputGradient;
    default:
      return emitBlockedInputGradient;
  }
}

/** The sum of a value's squares, in whatever layout it has. */
export function emitSumOfSquares(e: Emitter, value: Value): Emitted {
  const axes = e.integers(...value.shape.map((_, axis) => axis));
  const given = e.nameOf(value, e.layoutOf(value));
  return { name: e.node('ReduceSumSquare', [given, axes], { keepdims: int(0) }), layout: 'plain' };
}

/** Emits a value in a blocked layout, or gives null where it is better off plain. */
export function emitBlocked(e: Emitter, value: Value): Emitted | null {
  const { kind } = value.operation;
  if (fusible(value, e.block)) {
    return emitFused(e, { convolution: value, sum: null, relu: false });
  }
  if (ELEMENTWISE.has(kind)) return elementwise(e, value);
  const rule = RULES[kind];
  return rule ? rule(e, value) : null;
}

const RULES: { [K in Kind]?: (e: Emitter, value: Value) => Emitted | null } = {
  conv2dFilterGradient: (e, value) => {
    if (!blocksFilterGradient(value, e.block)) return null;
    const layout = fitsFilterBlocks(value.shape, e.block) ? 'filter' : 'plain';
    return { name: emitBlockedFilterGradient(e, value), layout };
  },
  conv2dInputGradient: (e, value) =>
    blocksStridedGradient(value, e.block)
      ? { name: emitStridedGradient(e, value), layout: 'blocked' }
      : null,
  maxPoolGradient: (e, value) =>
    poolsByStages(value, e.block)
      ? { name: emitStagedPoolGradient(e, value), layout: 'blocked' }
      : null,
  maxPool: (e, value) => {
    if (poolsByStages(value, e.block)) return { name: emitStagedPool(e, value), layout: 'blocked' };
    const x = inputOf(value, 0);
    if (!fitsBlocks(value.shape, e.block)) return null;
    const { size, stride, pad } = value.operation as { size: number; stride: number; pad: number };
    return pool(e, 'MaxPool', x, size, stride, pad);
  },
  averagePool: (e, value) => {
    const x = inputOf(value, 0);
    const { size } = value.operation as { size: number };
    return fitsBlocks(value.shape, e.block) ? pool(e, 'AveragePool', x, size, size, 0) : null;
  },
  concat: (e, value) => sameLayout(e, value, 1),
  slice: (e, value) => {
    const { starts } = value.operation as { starts: readonly number[] };
    return (starts[1] ?? 0) % e.block === 0 ? sameLayout(e, value) : null;
  },
  reduceSum,
  broadcast,
  channelMean: (e, value) => momentOf(e, value, 'mean'),
  channelVariance: (e, value) => momentOf(e, value, 'variance'),
  normaliseScaleGradient: (e, value) => {
    // Where the moments are given ones, x minus them is not at hand.
    const x = inputOf(value, 1);
    const own = inputOf(value, 2).operation.kind === 'channelMean';
    if (!own || !fitsBlocks(x.shape, e.block)) return null;
    return { name: normalisation.emitScaleGradient(e, value), layout: 'plain' };
  },
};

function momentOf(e: Emitter, value: Value, moment: 'mean' | 'variance'): Emitted | null {
  const x = inputOf(value, 0);
  if (!fitsBlocks(x.shape, e.block)) return null;
  return { name: normalisation.momentsOf(e, x)[moment], layout: 'plain' };
}

function pool(
  e: Emitter,
  type: string,
  x: Value,
  size: number,
  stride: number,
  pad: number,
): Emitted {
  const attributes = {
    kernel_shape: ints(size, size),
    strides: ints(stride, stride),
    pads: ints(pad, pad, pad, pad),
  };
  return { name: e.node(type, [e.nameOf(x, 'blocked')], attributes, NCHWC), layout: 'blocked' };
}

/** In the layout of the operands that are not plain, where all others can follow. */
function elementwise(e: Emitter, value: Value): Emitted | null {
  const found = value.inputs.map((input) => e.layoutOf(input)).find((each) => each !== 'plain');
  if (!found) return null;
  // Filters are flat at the session's border, and their gradients go there.
  const layout = found === 'filter' ? 'flat' : found;
  const shape = showShape(value.shape);
  const follows = value.inputs.every(
    (input) => sizeOf(input.shape) === 1 || showShape(input.shape) === shape,
  );
  if (!follows) return null;
  const names = value.inputs.map((input) =>
    sizeOf(input.shape) === 1 ? e.nameOf(input) : e.nameOf(input, layout),
  );
  return { name: emitOperation(e, value, names), layout };
}

/** Moves whole blocks of channels. */
function sameLayout(e: Emitter, value: Value, axis?: number): Emitted | null {
  const operation = value.operation as { axis?: number };
  if (operation.axis !== axis) return null;
  const all = [value, ...value.inputs];
  if (!all.every(({ shape }) => fitsBlocks(shape, e.block))) return null;
  if (!value.inputs.some((input) => e.layoutOf(input) === 'blocked')) return null;
  const names = value.inputs.map((input) => e.nameOf(input, 'blocked'));
  return { name: emitOperation(e, value, names), layout: 'blocked' };
}

function reduceSum(e: Emitter, value: Value): Emitted | null {
  const x = inputOf(value, 0);
  const layout = e.layoutOf(x);
  const { axes } = value.operation as { axes: readonly number[] };
  if (layout === 'plain') return null;
  if (axes.length === x.shape.length) {
    return { name: emitOperation(e, value, [e.nameOf(x, layout)]), layout: 'plain' };
  }
  if (layout !== 'blocked') return null;
  const over = [...axes].sort().join();
  const name = sumOfPixels(e, x, over);
  if (name === null) return null;
  const [made, shape] = [over === '2,3' ? 4 : 1, e.integers(...value.shape)];
  const same = value.shape.length === made;
  return { name: same ? name : e.node('Reshape', [name, shape]), layout: 'plain' };
}

/** Sums over rows and columns, and the batch where it is among the axes. */
function sumOfPixels(e: Emitter, x: Value, axes: string): string | null {
  const [batch, , rows, columns] = four(x);
  const blocked = e.nameOf(x, 'blocked');
  const times = (mean: string, count: number): string =>
    e.node('Mul', [mean, e.floats(Float32Array.of(count), [1])]);
  if (axes === '2,3') {
    return times(normalisation.spatialMeans(e, blocked), rows * columns);
  }
  if (axes !== '0,2,3') return null;
  return times(normalisation.channelMeans(e, blocked), batch * rows * columns);
}

/** One value per image and channel to all pixels. */
function broadcast(e: Emitter, value: Value): Emitted | null {
  const x = inputOf(value, 0);
  if (!fitsBlocks(value.shape, e.block)) return null;
  const [batch, channels, rows, columns] = four(value);
  if (showShape(x.shape) !== showShape([batch, channels, 1, 1])) return null;
  const blocks = (batch * channels) / e.block;
  const parts = e.node('Reshape', [e.nameOf(x), e.integers(blocks, 1, e.block)]);
  const spread = e.node('Expand', [parts, e.integers(blocks, rows * columns, e.block)]);
  return { name: e.node('Reshape', [spread, e.integers(...value.shape)]), layout: 'blocked' };
}
