/** Pieces that several architectures are made of. */
import type { Conv2dGeometry, Value } from '../graph/types.ts';
import { sizeOf } from '../graph/types.ts';
import type { Initialiser, ModelBuilder, ParameterRole } from './model.ts';

export const ZERO: Initialiser = { kind: 'constant', value: 0 };
export const ONE: Initialiser = { kind: 'constant', value: 1 };

/** He's normal by fan-out, times `factor`. */
export function he(filters: number, side: number, factor = 1): Initialiser {
  return { kind: 'normal', std: factor * Math.sqrt(2 / (filters * side * side)) };
}

/** PyTorch's default for convolutions and linear layers: uniform in ±1/sqrt(fan-in). */
export function torchDefault(fanIn: number): Initialiser {
  return { kind: 'uniform', bound: 1 / Math.sqrt(fanIn) };
}

/** Channels of an activation [batch, channel, ...]. */
export function channelsOf(x: Value): number {
  return x.shape[1] ?? 0;
}

export interface LinearOptions {
  weight?: Initialiser;
  bias?: Initialiser;
  /** Of the bias. */
  role?: ParameterRole;
}

/** x [batch, feature] times `name.weight` [out, feature] plus `name.bias` [out]. */
export function linear(
  m: ModelBuilder,
  name: string,
  x: Value,
  out: number,
  options: LinearOptions = {},
): Value {
  const features = channelsOf(x);
  const drawn = torchDefault(features);
  const weight = m.parameter(`${name}.weight`, [out, features], options.weight ?? drawn);
  const bias = m.parameter(`${name}.bias`, [out], options.bias ?? drawn, options.role);
  return m.g.add(m.g.matMul(x, weight, { transposeB: true }), bias);
}

/** Global average pooling: [batch, channel]. */
export function globalPool(m: ModelBuilder, x: Value): Value {
  return m.tap('pool', m.g.reduceMean(x, [2, 3]));
}

export interface ConvolutionOptions extends Partial<Conv2dGeometry> {
  filters: number;
  /** Of the square filter. */
  side: number;
  initialiser?: Initialiser;
}

/**
 * Convolution without bias by `name.weight`. Left out: stride 1, padding that keeps the size at
 * stride 1, He's normal by fan-out.
 */
export function convolution(
  m: ModelBuilder,
  name: string,
  x: Value,
  { filters, side, initialiser = he(filters, side), ...geometry }: ConvolutionOptions,
): Value {
  const { stride = 1, pad = (side - 1) / 2, groups = 1 } = geometry;
  const shape = [filters, channelsOf(x) / groups, side, side];
  const weight = m.parameter(`${name}.weight`, shape, initialiser);
  return m.g.conv2d(x, weight, { ...geometry, stride, pad, groups });
}

/**
 * BatchNorm: by the batch's moments in training, by the running ones in evaluation and in frozen
 * stages. One value per channel has no variance: there the running ones serve, too (PyTorch
 * refuses such a batch).
 */
export function batchNorm(m: ModelBuilder, name: string, x: Value, epsilon = 1e-5): Value {
  const { g } = m;
  const channels = channelsOf(x);
  const parameter = (key: string, initialiser: Initialiser, role?: ParameterRole): Value =>
    m.parameter(`${name}.${key}`, [channels], initialiser, role);
  const [scale, shift] = [parameter('weight', ONE), parameter('bias', ZERO)];
  const mean = parameter('running_mean', ZERO, 'statistic');
  const variance = parameter('running_var', ONE, 'statistic');
  const count = sizeOf(x.shape) / channels;
  if (m.isFixed || count === 1) return g.normalise(x, scale, shift, { mean, variance, epsilon });
  const normalised = g.batchNorm(x, scale, shift, epsilon);
  m.moveStatistic(mean, normalised.mean);
  m.moveStatistic(variance, g.mul(normalised.variance, g.constant(count / (count - 1))));
  return normalised.result;
}
