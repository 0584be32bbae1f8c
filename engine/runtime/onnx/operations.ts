/**
 * How each graph operation is said in ONNX. Convolution gradients are in `convolution.ts` and
 * `grouped-convolution.ts`, batch normalisation is in `normalisation.ts`.
 */
import { CarryoverError } from '../../../contract/errors.ts';
import type { Operation, Value } from '../../graph/types.ts';
import { sizeOf } from '../../graph/types.ts';
import { emitFilterGradient, emitInputGradient } from './convolution.ts';
import {
  emitUncommonFilterGradient,
  emitUncommonInputGradient,
  isUncommon,
} from './grouped-convolution.ts';
import type { Emitter } from './emitter.ts';
import { int, ints } from './emitter.ts';
import * as normalisation from './normalisation.ts';
import * as portable from './portable.ts';

/** ONNX's numbers of element types. */
const FLOAT = 1;
const BOOL = 9;

type Emit<K extends Operation['kind']> = (
  e: Emitter,
  value: Value,
  operation: Extract<Operation, { kind: K }>,
  inputs: readonly string[],
) => string;

/**
 * Adds the nodes that compute `value` and returns the name of the result.
 * @param inputs names of the inputs, when not those in plain layout
 */
export function emitOperation(
  e: Emitter,
  value: Value,
  inputs: readonly string[] = value.inputs.map((input) => e.nameOf(input)),
): string {
  const { operation } = value;
  const emit = EMITTERS[operation.kind] as Emit<typeof operation.kind> | undefined;
  if (!emit) throw new CarryoverError('internal', `${operation.kind} cannot be emitted`);
  return emit(e, value, operation as never, inputs);
}

const plain =
  (type: string) =>
  (e: Emitter, _value: Value, _operation: Operation, inputs: readonly string[]): string =>
    e.node(type, inputs);

const EMITTERS: { [K in Operation['kind']]?: Emit<K> } = {
  constant: (e, value, { data }) => e.floats(data, value.shape),
  add: plain('Add'),
  sub: plain('Sub'),
  mul: plain('Mul'),
  div: plain('Div'),
  min: plain('Min'),
  relu: plain('Relu'),
  relu6: (e, _, __, [x = '']) => e.node('Clip', [x, scalar(e, 0), scalar(e, 6)]),
  sigmoid: plain('Sigmoid'),
  // -log(1 + exp(-x)); onnxruntime's Softplus does not overflow.
  logSigmoid: (e, _, __, inputs) => e.node('Neg', [e.node('Softplus', [e.node('Neg', inputs)])]),
  exp: plain('Exp'),
  sqrt: plain('Sqrt'),
  logSoftmax: (e, _, __, inputs) =>
    e.portable
      ? portable.emitLogSoftmax(e, inputs)
      : e.node('LogSoftmax', inputs, { axis: int(-1) }),
  matMul: (e, _, { transposeA, transposeB }, inputs) =>
    e.node('Gemm', inputs, { transA: int(Number(transposeA)), transB: int(Number(transposeB)) }),
  reduceSum: (e, _, { axes, keepDims }, inputs) =>
    e.node('ReduceSum', [...inputs, e.integers(...axes)], { keepdims: int(Number(keepDims)) }),
  reshape: (e, value, _, inputs) => e.node('Reshape', [...inputs, e.integers(...value.shape)]),
  broadcast: (e, value, _, inputs) => e.node('Expand', [...inputs, e.integers(...value.shape)]),
  conv2d: (e, value, { stride, pad, padEnd = pad, groups = 1 }, inputs) => {
    const [x = '', filter = '', bias] = inputs;
    const sides = { strides: ints(stride, stride), pads: ints(pad, pad, padEnd, padEnd) };
    const geometry = { ...sides, group: int(groups) };
    if (bias === undefined) return e.node('Conv', [x, filter], geometry);
    return e.node('Conv', [x, filter, perFilter(e, value, bias)], geometry);
  },
  maxPool: (e, _, { size, stride, pad }, inputs) =>
    e.node('MaxPool', inputs, poolAttributes(size, stride, pad)),
  averagePool: (e, _, { size }, inputs) =>
    e.node('AveragePool', inputs, poolAttributes(size, size, 0)),
  concat: (e, _, { axis }, inputs) => e.node('Concat', inputs, { axis: int(axis) }),
  slice: (e, value, { starts }, [x = '']) => {
    const ends = starts.map((start, axis) => start + (value.shape[axis] ?? 0));
    return e.node('Slice', [x, e.integers(...starts), e.integers(...ends)]);
  },
  pad: (e, value, { starts }, [x = '']) => {
    const { shape } = value.inputs[0] as Value;
    const after = value.shape.map((side, i) => side - (shape[i] ?? 0) - (starts[i] ?? 0));
    return e.node('Pad', [x, e.integers(...starts, ...after)]);
  },
  batchNorm: normalisation.emitNormalise,
  normalise: normalisation.emitNormalise,
  channelMean: normalisation.emitMean,
  channelVariance: normalisation.emitVariance,
  normaliseScaleGradient: normalisation.emitScaleGradient,
  batchNormInputGradient: normalisation.emitInputGradient,
  // relu's result is 0 or positive: as a truth value and back it is the mask, at 0.4 of Sign's time.
  reluGradient: (e, _, __, [y = '', dy = '']) => {
    const positive = e.node('Cast', [y], { to: int(BOOL) });
    return e.node('Mul', [dy, e.node('Cast', [positive], { to: int(FLOAT) })]);
  },
  // y (6 - y) is 0 at both bounds and positive between them.
  relu6Gradient: (e, _, __, [y = '', dy = '']) => {
    const inside = e.node('Mul', [y, e.node('Sub', [scalar(e, 6), y])]);
    const mask = e.node('Cast', [inside], { to: int(BOOL) });
    return e.node('Mul', [dy, e.node('Cast', [mask], { to: int(FLOAT) })]);
  },
  conv2dInputGradient: (e, value, geometry, inputs) =>
    (isUncommon(geometry) ? emitUncommonInputGradient : emitInputGradient)(
      e,
      value,
      geometry,
      inputs,
    ),
  conv2dFilterGradient: (e, value, geometry, inputs) =>
    (isUncommon(geometry) ? emitUncommonFilterGradient : emitFilterGradient)(
      e,
      value,
      geometry,
      inputs,
    ),
  maxPoolGradient: (e, ...rest) =>
    (e.portable ? portable.emitMaxPoolGradient : emitMaxPoolGradient)(e, ...rest),
};

const scalar = (e: Emitter, value: number): string => e.floats(Float32Array.of(value), []);

function poolAttributes(size: number, stride: number, pad: number) {
  return {
    kernel_shape: ints(size, size),
    strides: ints(stride, stride),
    pads: ints(pad, pad, pad, pad),
  };
}

/** A scalar bias stretched to one element per filter, so that Conv adds it on the way out. */
function perFilter(e: Emitter, conv: Value, bias: string): string {
  const filters = conv.shape[1] ?? 1;
  const given = conv.inputs[2];
  if (given && sizeOf(given.shape) === filters && filters !== 1) return bias;
  return e.node('Expand', [bias, e.integers(filters)]);
}

/** Adds each window's gradient at the place its maximum came from (first maximum wins). */
function emitMaxPoolGradient(
  e: Emitter,
  value: Value,
  { size, stride, pad }: Extract<Operation, { kind: 'maxPoolGradient' }>,
  [x = '', dy = '']: readonly string[],
): string {
  const attributes = poolAttributes(size, stride, pad);
  const [, indices = ''] = e.nodeWithOutputs('MaxPool', [x], 2, attributes);
  const flat = e.integers(-1);
  const zero = e.floats(Float32Array.of(0), [1]);
  const zeros = e.node('Expand', [zero, e.integers(sizeOf(value.shape))]);
  const flatIndices = e.node('Reshape', [indices, flat]);
  const flatDy = e.node('Reshape', [dy, flat]);
  const scattered = e.scatterAdd(zeros, flatIndices, flatDy);
  return e.node('Reshape', [scattered, e.integers(...value.shape)]);
}
