/**
 * Evaluates a graph with TensorFlow.js, operation by operation. Only what the forward pass and
 * the update rule need: differentiation is TensorFlow.js's own.
 */
import * as tf from '@tensorflow/tfjs-core';
import { CarryoverError } from '../../../contract/errors.ts';
import type { Graph, Operation, Value } from '../../graph/types.ts';
import type { Laid } from './layout.ts';
import { NHWC_AXIS, aligned, channelsFirst, channelsLast } from './layout.ts';

/** Computes one operation's result from its inputs. */
type Evaluate<K extends Operation['kind']> = (
  inputs: readonly [Laid, Laid, ...Laid[]],
  operation: Extract<Operation, { kind: K }>,
  value: Value,
) => Laid;

/**
 * Evaluates `graph`'s outputs.
 * @param given tensors of the graph's inputs and parameters, in the graph's layout
 * @throws CarryoverError `bad-input` when an input or parameter is missing; `unsupported` for the
 *   `...Gradient` operations
 */
export function interpret(
  graph: Graph,
  given: ReadonlyMap<string, tf.Tensor>,
): Map<string, tf.Tensor> {
  const results = new Map<Value, Laid>();
  const resultOf = (value: Value): Laid => results.get(value) as Laid;
  for (const value of graph.values) {
    results.set(value, evaluate(value, value.inputs.map(resultOf), given));
  }
  return new Map([...graph.outputs].map(([name, value]) => [name, channelsFirst(resultOf(value))]));
}

function evaluate(
  value: Value,
  inputs: readonly Laid[],
  given: ReadonlyMap<string, tf.Tensor>,
): Laid {
  const { operation } = value;
  if (operation.kind === 'input' || operation.kind === 'parameter') {
    const tensor = given.get(value.name);
    if (tensor) return { tensor, channelsLast: false };
    throw new CarryoverError(
      'bad-input',
      `no value was given for ${operation.kind} "${value.name}"`,
    );
  }
  const rule = RULES[operation.kind] as Evaluate<typeof operation.kind> | undefined;
  if (rule) return rule(inputs as [Laid, Laid, ...Laid[]], operation as never, value);
  throw new CarryoverError(
    'unsupported',
    `TensorFlow.js differentiates by itself: node "${value.name}" is a ${operation.kind}`,
    { wayOut: 'give it the graph of the forward pass' },
  );
}

const unary =
  (compute: (x: tf.Tensor) => tf.Tensor) =>
  ([x]: readonly [Laid, ...unknown[]]): Laid => ({ ...x, tensor: compute(x.tensor) });

const binary =
  (compute: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor) =>
  ([first, second]: readonly [Laid, Laid, ...unknown[]]): Laid => {
    const [a, b] = aligned(first, second);
    return { tensor: compute(a.tensor, b.tensor), channelsLast: a.channelsLast || b.channelsLast };
  };

/** Wraps a computation that wants, and gives, the graph's layout. */
const plain =
  <K extends Operation['kind']>(
    compute: (
      inputs: tf.Tensor[],
      operation: Extract<Operation, { kind: K }>,
      value: Value,
    ) => tf.Tensor,
  ): Evaluate<K> =>
  (inputs, operation, value) => ({
    tensor: compute(
      inputs.map((input) => channelsFirst(input as Laid)),
      operation,
      value,
    ),
    channelsLast: false,
  });

const RULES: { [K in Operation['kind']]?: Evaluate<K> } = {
  constant: plain((_, { data }, { shape }) => tf.tensor(data, [...shape], 'float32')),
  add: binary(tf.add),
  sub: binary(tf.sub),
  mul: binary(tf.mul),
  div: binary(tf.div),
  min: binary(tf.minimum),
  relu: unary(tf.relu),
  relu6: unary(tf.relu6),
  sigmoid: unary(tf.sigmoid),
  // tf.logSigmoid's gradient reads an input that may have been freed.
  logSigmoid: unary((x) => tf.neg(tf.softplus(tf.neg(x)))),
  exp: unary(tf.exp),
  sqrt: unary(tf.sqrt),
  logSoftmax: plain(([x]) => tf.logSoftmax(x as tf.Tensor)),
  matMul: plain(([a, b], { transposeA, transposeB }) =>
    tf.matMul(a as tf.Tensor, b as tf.Tensor, transposeA, transposeB),
  ),
  reduceSum,
  reshape: plain(([x], _, { shape }) => tf.reshape(x as tf.Tensor, [...shape])),
  broadcast: plain(([x], _, { shape }) => tf.broadcastTo(x as tf.Tensor, [...shape])),
  conv2d,
  maxPool,
  averagePool: ([x], { size }) => ({
    tensor: tf.avgPool(channelsLast(x) as tf.Tensor4D, size, size, 'valid'),
    channelsLast: true,
  }),
  concat: plain((inputs, { axis }) => tf.concat(inputs, axis)),
  slice: plain(([x], { starts }, { shape }) => tf.slice(x as tf.Tensor, [...starts], [...shape])),
  pad: plain(([x], { starts }, { shape }) => {
    const { shape: inner } = x as tf.Tensor;
    const after = shape.map((side, i) => side - (inner[i] ?? 0) - (starts[i] ?? 0));
    return tf.pad(
      x as tf.Tensor,
      after.map((end, i): [number, number] => [starts[i] ?? 0, end]),
    );
  }),
  batchNorm: normalised,
  normalise: normalised,
  channelMean: ([x]) => ({ tensor: tf.mean(channelsLast(x), [0, 1, 2]), channelsLast: false }),
  channelVariance: ([x, mean]) => {
    // tf.squaredDifference does not sum its gradient over what it stretches
    const squares = tf.square(tf.sub(channelsLast(x), mean.tensor));
    return { tensor: tf.mean(squares, [0, 1, 2]), channelsLast: false };
  },
};

function normalised(
  [x, ...perChannel]: readonly [Laid, ...Laid[]],
  { epsilon }: Extract<Operation, { kind: 'batchNorm' | 'normalise' }>,
): Laid {
  const tensors = perChannel.map(({ tensor }) => tensor as tf.Tensor1D);
  const [scale, shift, mean, variance] = tensors as [
    ...[tf.Tensor1D, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D],
  ];
  const image = channelsLast(x) as tf.Tensor4D;
  const tensor = tf.batchNorm4d(image, mean, variance, shift, scale, epsilon);
  return { tensor, channelsLast: true };
}

/** Stays channels-last where that does not change the order of the axes that are left. */
function reduceSum(
  [x]: readonly [Laid, ...unknown[]],
  { axes, keepDims }: Extract<Operation, { kind: 'reduceSum' }>,
): Laid {
  const ordered = keepDims || axes.includes(1) || (axes.includes(2) && axes.includes(3));
  if (!x.channelsLast || !ordered) {
    return { tensor: tf.sum(channelsFirst(x), [...axes], keepDims), channelsLast: false };
  }
  const moved = axes.map((axis) => NHWC_AXIS[axis] as number);
  return { tensor: tf.sum(x.tensor, moved, keepDims), channelsLast: keepDims };
}

/** Pads rows and columns; explicit because tfjs-node's kernels know no padding of their own. */
function padded(x: tf.Tensor4D, pad: number, value: number, padEnd = pad): tf.Tensor4D {
  if (pad === 0 && padEnd === 0) return x;
  const border: [number, number] = [pad, padEnd];
  return tf.pad4d(x, [[0, 0], border, border, [0, 0]], value);
}

function conv2d(
  [x, filter, bias]: readonly [Laid, Laid, ...Laid[]],
  { stride, pad, padEnd = pad, groups = 1 }: Extract<Operation, { kind: 'conv2d' }>,
): Laid {
  const order = groups > 1 ? [2, 3, 0, 1] : [2, 3, 1, 0];
  const hwio = tf.transpose(channelsFirst(filter), order) as tf.Tensor4D;
  const image = padded(channelsLast(x) as tf.Tensor4D, pad, 0, padEnd);
  const convolve = groups > 1 ? tf.depthwiseConv2d : tf.conv2d;
  const result: tf.Tensor = convolve(image, hwio, stride, 'valid');
  return { tensor: bias ? tf.add(result, bias.tensor) : result, channelsLast: true };
}

function maxPool(
  [x]: readonly [Laid, ...unknown[]],
  { size, stride, pad }: Extract<Operation, { kind: 'maxPool' }>,
): Laid {
  const image = padded(channelsLast(x) as tf.Tensor4D, pad, -Infinity);
  return { tensor: tf.maxPool(image, size, stride, 'valid'), channelsLast: true };
}
