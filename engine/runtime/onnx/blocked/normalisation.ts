/**
 * Batch normalisation on blocked images. A depthwise convolution of one tap is a times x plus b for
 * each channel, with a sum and a relu on the way; the blocked global pool is a mean per channel.
 */
import type { Value } from '../../../graph/types.ts';
import { sizeOf } from '../../../graph/types.ts';
import type { Emitter } from '../emitter.ts';
import { int } from '../emitter.ts';
import { NCHWC } from '../layout.ts';
import { convolve } from './operator.ts';
import { four } from './values.ts';

/** relu(scale x + shift + sum); `scale` is a filter [channel, 1, 1, 1], `shift` [channel] or ''. */
function affine(
  e: Emitter,
  x: string,
  channels: number,
  { scale, shift = '', sum = '', relu = false }: Affine,
): string {
  return convolve(e, [x, scale, shift, sum], {
    window: [1, 1],
    stride: 1,
    pads: [0, 0, 0, 0],
    groups: channels,
    relu,
  });
}

interface Affine {
  scale: string;
  shift?: string;
  sum?: string;
  relu?: boolean;
}

/** Mean over rows, columns and batch of a blocked tensor: [channel]. */
export function channelMeans(e: Emitter, blocked: string): string {
  const means = spatialMeans(e, blocked);
  return e.node('ReduceMean', [means, e.integers(0, 2, 3)], { keepdims: int(0) });
}

/** Mean over rows and columns of a blocked tensor: [batch, channel, 1, 1], plain. */
export function spatialMeans(e: Emitter, blocked: string): string {
  return e.node('GlobalAveragePool', [blocked], {}, NCHWC);
}

/** One element per channel as a filter, made once. */
function filterOf(e: Emitter, name: string, channels: number): string {
  return e.once(`filter of ${name}`, () =>
    e.node('Reshape', [name, e.integers(channels, 1, 1, 1)]),
  );
}

/** x's moments, each [channel], and x minus its mean. */
export interface Moments {
  mean: string;
  variance: string;
  /** Blocked. */
  centred: string;
}

/** The batch's own moments of a blocked value, computed once. */
export function momentsOf(e: Emitter, x: Value): Moments {
  return e.once(`moments of ${x.id}`, () => {
    const channels = four(x)[1];
    const name = e.nameOf(x, 'blocked');
    const mean = channelMeans(e, name);
    const centred = affine(e, name, channels, {
      scale: e.floats(new Float32Array(channels).fill(1), [channels, 1, 1, 1]),
      shift: e.node('Neg', [mean]),
    });
    const variance = channelMeans(e, e.node('Mul', [centred, centred]));
    return { mean, variance, centred };
  });
}

/** 1 / sqrt(variance + epsilon), made once for a variance. */
function inverseDeviation(e: Emitter, variance: string, epsilon: number): string {
  return e.once(`inverse deviation of ${variance} with ${epsilon}`, () => {
    const shifted = e.node('Add', [variance, e.floats(Float32Array.of(epsilon), [1])]);
    return e.node('Reciprocal', [e.node('Sqrt', [shifted])]);
  });
}

/** scale / sqrt(variance + epsilon), made once for both. */
function factorOf(e: Emitter, scale: Value, variance: string, epsilon: number): string {
  const inverse = inverseDeviation(e, variance, epsilon);
  return e.once(`${scale.id} times ${inverse}`, () => e.node('Mul', [e.nameOf(scale), inverse]));
}

/** relu(batchNorm(x) + sum) by the batch's own moments. */
export function emitBatchNorm(e: Emitter, value: Value, sum: string, relu: boolean): string {
  const [x, scale, shift] = value.inputs as [Value, Value, Value];
  const { variance, centred } = momentsOf(e, x);
  const factor = factorOf(e, scale, variance, epsilonOf(value));
  const channels = four(x)[1];
  const given = { scale: filterOf(e, factor, channels), shift: e.nameOf(shift), sum, relu };
  return affine(e, centred, channels, given);
}

/** relu(normalise(x) + sum) by given moments. */
export function emitNormalise(e: Emitter, value: Value, sum: string, relu: boolean): string {
  const [x, scale, shift, mean, variance] = value.inputs as [Value, Value, Value, Value, Value];
  const factor = factorOf(e, scale, e.nameOf(variance), epsilonOf(value));
  const offset = e.node('Sub', [e.nameOf(shift), e.node('Mul', [e.nameOf(mean), factor])]);
  const channels = four(x)[1];
  const given = { scale: filterOf(e, factor, channels), shift: offset, sum, relu };
  return affine(e, e.nameOf(x, 'blocked'), channels, given);
}

/** sum(dy (x - mean)) / deviation per channel, where the moments are x's own. */
export function emitScaleGradient(e: Emitter, value: Value): string {
  const [dy, x, , variance] = value.inputs as [Value, Value, Value, Value];
  const [batch, , rows, columns] = four(x);
  const { centred } = momentsOf(e, x);
  const product = e.node('Mul', [e.nameOf(dy, 'blocked'), centred]);
  const mean = channelMeans(e, product);
  const count = e.floats(Float32Array.of(batch * rows * columns), [1]);
  const inverse = inverseDeviation(e, e.nameOf(variance), epsilonOf(value));
  return e.node('Mul', [e.node('Mul', [mean, count]), inverse]);
}

/**
 * Ioffe and Szegedy, arXiv 1502.03167, section 3, gathered per channel:
 * dx = scale / deviation * (dy - dShift / n - (x - mean) / deviation * dScale / n).
 */
export function emitBatchNormInputGradient(e: Emitter, value: Value, sum: string): string {
  const [dy, x, scale, , variance, dScale, dShift] = value.inputs as Value[] as [
    ...[Value, Value, Value, Value, Value, Value, Value],
  ];
  const channels = four(x)[1];
  const share = e.floats(Float32Array.of(-channels / sizeOf(x.shape)), [1]);
  const inverse = inverseDeviation(e, e.nameOf(variance), epsilonOf(value));
  const factor = factorOf(e, scale, e.nameOf(variance), epsilonOf(value));
  const shared = e.node('Mul', [factor, share]);
  const offset = e.node('Mul', [shared, e.nameOf(dShift)]);
  const slope = e.node('Mul', [e.node('Mul', [shared, inverse]), e.nameOf(dScale)]);
  const direct = affine(e, e.nameOf(dy, 'blocked'), channels, {
    scale: filterOf(e, factor, channels),
    shift: offset,
    sum,
  });
  const given = { scale: filterOf(e, slope, channels), sum: direct };
  return affine(e, momentsOf(e, x).centred, channels, given);
}

function epsilonOf(value: Value): number {
  return (value.operation as { epsilon: number }).epsilon;
}
