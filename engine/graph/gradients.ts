import { CarryoverError } from '../../contract/errors.ts';
import type { GraphBuilder } from './builder.ts';
import type { Operation, Shape, Value } from './types.ts';
import { sizeOf } from './types.ts';

/** Gradient of the loss with respect to each input, given that with respect to the result. */
export type Rule<K extends Operation['kind']> = (
  g: GraphBuilder,
  value: Value,
  operation: Extract<Operation, { kind: K }>,
  dy: Value,
) => (Value | null)[];

export type Rules = { [K in Operation['kind']]?: Rule<K> };

/**
 * Reverse-mode differentiation: adds to the graph the gradient of a scalar `loss` with respect
 * to each of `targets`. Costs nothing for what no target influences.
 * @param instead rules that take the place of the gradient's own, for signals that are sent back
 *   otherwise
 * @throws CarryoverError `bad-input` when the loss is not one number or a target does not reach it
 */
export function gradients(
  g: GraphBuilder,
  loss: Value,
  targets: readonly Value[],
  instead: Rules = {},
): Value[] {
  if (sizeOf(loss.shape) !== 1) {
    throw new CarryoverError('bad-input', `"${loss.name}" is not one number: no gradient`);
  }
  const rules = { ...RULES, ...instead };
  const order = dependents(loss, new Set(targets));
  const found = new Map<Value, Value>();
  found.set(loss, g.constant(new Float32Array(1).fill(1), loss.shape));
  for (const value of order) {
    const dy = found.get(value);
    if (!dy) continue;
    propagate(g, value, dy, rules).forEach((contribution, position) => {
      const input = value.inputs[position];
      if (!contribution || !input || !order.has(input)) return;
      const sum = found.get(input);
      found.set(input, sum ? g.add(sum, contribution) : contribution);
    });
  }
  return targets.map((target) => {
    const gradient = found.get(target);
    if (gradient) return gradient;
    throw new CarryoverError('bad-input', `"${target.name}" does not influence the loss`);
  });
}

/** Values between the targets and the loss, last first. */
function dependents(loss: Value, targets: ReadonlySet<Value>): Set<Value> {
  const verdicts = new Map<Value, boolean>();
  const leads = (value: Value): boolean => {
    const known = verdicts.get(value);
    if (known !== undefined) return known;
    const below = value.inputs.map(leads).some(Boolean);
    const verdict = below || targets.has(value);
    verdicts.set(value, verdict);
    return verdict;
  };
  leads(loss);
  const kept = [...verdicts].filter(([, verdict]) => verdict).map(([value]) => value);
  return new Set(kept.sort((a, b) => b.id - a.id));
}

function propagate(g: GraphBuilder, value: Value, dy: Value, rules: Rules): (Value | null)[] {
  const { operation } = value;
  const rule = rules[operation.kind] as Rule<typeof operation.kind> | undefined;
  if (!rule) throw new CarryoverError('internal', `${operation.kind} has no gradient`);
  return rule(g, value, operation as never, dy);
}

const input = (value: Value, position: number): Value => {
  const found = value.inputs[position];
  if (!found) throw new CarryoverError('internal', `"${value.name}" lacks input ${position}`);
  return found;
};

/** Sums a gradient over the axes along which its value was stretched. */
function sumTo(g: GraphBuilder, gradient: Value, shape: Shape): Value {
  const lead = gradient.shape.length - shape.length;
  const axes = gradient.shape
    .map((side, axis) => (axis < lead || (shape[axis - lead] === 1 && side !== 1) ? axis : -1))
    .filter((axis) => axis >= 0);
  if (axes.length === 0) return gradient;
  return g.reshape(g.reduceSum(gradient, axes), shape);
}

/** The shape a reduced gradient has with its summed axes kept as 1. */
function keptShape(shape: Shape, axes: readonly number[]): Shape {
  return shape.map((side, axis) => (axes.includes(axis) ? 1 : side));
}

/** A value [channel] times a factor, shaped to stretch over [batch, channel, row, column]. */
function perChannel(g: GraphBuilder, value: Value, factor: number): Value {
  return g.reshape(g.mul(value, g.constant(factor)), [sizeOf(value.shape), 1, 1]);
}

/** Each window's gradient in equal parts to its pixels, and nothing to those outside all windows. */
function spreadOverWindows(g: GraphBuilder, dy: Value, size: number, shape: Shape): Value {
  const [batch = 0, channels = 0, rows = 0, columns = 0] = dy.shape;
  const parts = g.mul(dy, g.constant(1 / size ** 2));
  const apart = g.reshape(parts, [batch, channels, rows, 1, columns, 1]);
  const repeated = g.broadcast(apart, [batch, channels, rows, size, columns, size]);
  const joined = g.reshape(repeated, [batch, channels, rows * size, columns * size]);
  return sizeOf(joined.shape) === sizeOf(shape) ? joined : g.pad(joined, [0, 0, 0, 0], shape);
}

function scaleAndShiftGradients(
  g: GraphBuilder,
  dy: Value,
  x: Value,
  moments: readonly Value[],
  epsilon: number,
): [Value, Value] {
  const dShift = g.reduceSum(dy, [0, 2, 3]);
  const inputs = [dy, x, ...moments, dShift];
  return [g.backward({ kind: 'normaliseScaleGradient', epsilon }, inputs, dShift.shape), dShift];
}

const RULES: Rules = {
  input: () => [],
  parameter: () => [],
  constant: () => [],
  add: (g, v, _, dy) => [sumTo(g, dy, input(v, 0).shape), sumTo(g, dy, input(v, 1).shape)],
  sub: (g, v, _, dy) => [
    sumTo(g, dy, input(v, 0).shape),
    sumTo(g, g.mul(dy, g.constant(-1)), input(v, 1).shape),
  ],
  mul: (g, v, _, dy) => [
    sumTo(g, g.mul(dy, input(v, 1)), input(v, 0).shape),
    sumTo(g, g.mul(dy, input(v, 0)), input(v, 1).shape),
  ],
  div: (g, v, _, dy) => [
    sumTo(g, g.div(dy, input(v, 1)), input(v, 0).shape),
    sumTo(g, g.mul(g.div(g.mul(dy, v), input(v, 1)), g.constant(-1)), input(v, 1).shape),
  ],
  relu: (g, v, _, dy) => [g.backward({ kind: 'reluGradient' }, [v, dy], v.shape)],
  relu6: (g, v, _, dy) => [g.backward({ kind: 'relu6Gradient' }, [v, dy], v.shape)],
  exp: (g, v, _, dy) => [g.mul(dy, v)],
  sigmoid: (g, v, _, dy) => [g.mul(dy, g.mul(v, g.sub(g.constant(1), v)))],
  logSigmoid: (g, v, _, dy) => [g.mul(dy, g.sigmoid(g.mul(input(v, 0), g.constant(-1))))],
  sqrt: (g, v, _, dy) => [g.div(g.mul(dy, g.constant(0.5)), v)],
  // d/dx log softmax(x) = dy - softmax(x) * sum(dy)
  logSoftmax: (g, v, _, dy) => {
    const sum = g.reduceSum(dy, [v.shape.length - 1], true);
    return [g.sub(dy, g.mul(g.exp(v), sum))];
  },
  matMul: (g, v, { transposeA, transposeB }, dy) => {
    const [a, b] = [input(v, 0), input(v, 1)];
    const da = transposeA
      ? g.matMul(b, dy, { transposeA: transposeB, transposeB: true })
      : g.matMul(dy, b, { transposeB: !transposeB });
    const db = transposeB
      ? g.matMul(dy, a, { transposeA: true, transposeB: transposeA })
      : g.matMul(a, dy, { transposeA: !transposeA });
    return [da, db];
  },
  reduceSum: (g, v, { axes }, dy) => {
    const { shape } = input(v, 0);
    return [g.broadcast(g.reshape(dy, keptShape(shape, axes)), shape)];
  },
  reshape: (g, v, _, dy) => [g.reshape(dy, input(v, 0).shape)],
  broadcast: (g, v, _, dy) => [sumTo(g, dy, input(v, 0).shape)],
  conv2d: (g, v, { stride, pad, padEnd = pad, groups = 1 }, dy) => {
    const geometry = { stride, pad, padEnd, groups };
    const [x, filter, bias] = v.inputs as [Value, Value, Value?];
    const dx = g.backward({ kind: 'conv2dInputGradient', ...geometry }, [dy, filter], x.shape);
    const df = g.backward({ kind: 'conv2dFilterGradient', ...geometry }, [dy, x], filter.shape);
    if (!bias) return [dx, df];
    const axes = sizeOf(bias.shape) === 1 ? [0, 1, 2, 3] : [0, 2, 3];
    return [dx, df, g.reshape(g.reduceSum(dy, axes), bias.shape)];
  },
  maxPool: (g, v, { size, stride, pad }, dy) => {
    const x = input(v, 0);
    return [g.backward({ kind: 'maxPoolGradient', size, stride, pad }, [x, dy], x.shape)];
  },
  averagePool: (g, v, { size }, dy) => [spreadOverWindows(g, dy, size, input(v, 0).shape)],
  concat: (g, v, { axis }, dy) => {
    let start = 0;
    return v.inputs.map(({ shape }) => {
      const starts = shape.map((_, i) => (i === axis ? start : 0));
      start += shape[axis] ?? 0;
      return g.slice(dy, starts, shape);
    });
  },
  slice: (g, v, { starts }, dy) => [g.pad(dy, starts, input(v, 0).shape)],
  pad: (g, v, { starts }, dy) => [g.slice(dy, starts, input(v, 0).shape)],
  batchNorm: (g, v, { epsilon }, dy) => {
    const [x, scale, , mean, variance] = v.inputs as [Value, Value, Value, Value, Value];
    const moments = [mean, variance];
    const [dScale, dShift] = scaleAndShiftGradients(g, dy, x, moments, epsilon);
    const inputs = [dy, x, scale, ...moments, dScale, dShift];
    const dx = g.backward({ kind: 'batchNormInputGradient', epsilon }, inputs, x.shape);
    return [dx, dScale, dShift, null, null];
  },
  normalise: (g, v, { epsilon }, dy) => {
    const [x, scale, , mean, variance] = v.inputs as [Value, Value, Value, Value, Value];
    const zero = g.constant(new Float32Array(sizeOf(scale.shape)), scale.shape);
    const dx = g.normalise(dy, scale, zero, { mean: zero, variance, epsilon });
    return [dx, ...scaleAndShiftGradients(g, dy, x, [mean, variance], epsilon), null, null];
  },
  channelMean: (g, v, _, dy) => {
    const { shape } = input(v, 0);
    return [g.broadcast(perChannel(g, dy, sizeOf(dy.shape) / sizeOf(shape)), shape)];
  },
  channelVariance: (g, v, _, dy) => {
    const [x, mean] = [input(v, 0), input(v, 1)];
    const factor = g.mul(dy, g.constant(2));
    const share = sizeOf(mean.shape) / sizeOf(x.shape);
    const dx = g.mul(g.sub(x, perChannel(g, mean, 1)), perChannel(g, factor, share));
    return [dx, g.mul(g.sub(mean, g.channelMean(x)), factor)];
  },
};
