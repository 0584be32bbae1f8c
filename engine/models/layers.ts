/** Pieces that several architectures are made of. */
import type { Value } from '../graph/types.ts';
import type { Initialiser, ModelBuilder } from './model.ts';

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

/** x [batch, feature] times `name.weight` [out, feature] plus `name.bias` [out]. */
export function linear(m: ModelBuilder, name: string, x: Value, out: number): Value {
  const features = channelsOf(x);
  const weight = m.parameter(`${name}.weight`, [out, features], torchDefault(features));
  const product = m.g.matMul(x, weight, { transposeB: true });
  return m.g.add(product, m.parameter(`${name}.bias`, [out], torchDefault(features), 'bias'));
}
