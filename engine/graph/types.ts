/** Sizes of a tensor's axes, outermost first. Images are [batch, channel, row, column]. */
export type Shape = readonly number[];

export interface Conv2dGeometry {
  /** Same for rows and columns. */
  stride: number;
  /** Zero padding on each of the four sides. */
  pad: number;
  /** Of the bottom and the right side, where it differs. */
  padEnd?: number;
  /** 1 (the default), or the number of channels: each has a filter of its own (depthwise). */
  groups?: number;
}

export interface Pool2dGeometry {
  stride: number;
  pad: number;
  /** Side of the square window. */
  size: number;
}

/**
 * What a value is computed by. The `...Gradient` operations are made by `gradients` only; a
 * runtime that differentiates by itself (TensorFlow.js) never sees them.
 */
export type Operation =
  | { kind: 'input' | 'parameter' }
  | { kind: 'constant'; data: Float32Array }
  | { kind: 'add' | 'sub' | 'mul' | 'div' | 'min' }
  | { kind: 'relu' | 'relu6' | 'exp' | 'sqrt' | 'logSoftmax' | 'sigmoid' | 'logSigmoid' }
  | { kind: 'matMul'; transposeA: boolean; transposeB: boolean }
  | { kind: 'reduceSum'; axes: readonly number[]; keepDims: boolean }
  | { kind: 'reshape' | 'broadcast' }
  | ({ kind: 'conv2d' } & Conv2dGeometry)
  | ({ kind: 'maxPool' } & Pool2dGeometry)
  | { kind: 'averagePool'; size: number }
  | { kind: 'concat'; axis: number }
  /** A window that starts at `starts` in the input. */
  | { kind: 'slice'; starts: readonly number[] }
  /** Zeros, with the input laid at `starts`. */
  | { kind: 'pad'; starts: readonly number[] }
  /** By moments that are the input's own, so that its gradient knows how they depend on it. */
  | { kind: 'batchNorm'; epsilon: number }
  /** By moments that are fixed. */
  | { kind: 'normalise'; epsilon: number }
  | { kind: 'channelMean' | 'channelVariance' }
  | { kind: 'normaliseScaleGradient'; epsilon: number }
  | { kind: 'batchNormInputGradient'; epsilon: number }
  | { kind: 'reluGradient' | 'relu6Gradient' }
  | ({ kind: 'conv2dInputGradient' } & Conv2dGeometry)
  | ({ kind: 'conv2dFilterGradient' } & Conv2dGeometry)
  | ({ kind: 'maxPoolGradient' } & Pool2dGeometry);

export type OperationKind = Operation['kind'];

/** One tensor of a graph. Immutable; `inputs` come earlier in the graph. */
export interface Value {
  readonly id: number;
  /** Unique within the graph; parameters and inputs keep the name they were declared with. */
  readonly name: string;
  readonly shape: Shape;
  readonly operation: Operation;
  readonly inputs: readonly Value[];
}

/** A finished graph: what to compute and under which names. */
export interface Graph {
  readonly inputs: readonly Value[];
  readonly parameters: readonly Value[];
  /** Only the values that the outputs need, in an order in which they can be computed. */
  readonly values: readonly Value[];
  readonly outputs: ReadonlyMap<string, Value>;
}

/** Number of elements of a tensor of this shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** A shape as errors show it: `[32, 3, 48, 48]`. */
export function showShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}
