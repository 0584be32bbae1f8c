/**
 * Batch normalisation and its gradients. ONNX's node takes less than half the time of a
 * multiplication and an addition per channel, so that the gradient of the input uses it too. Its
 * training mode would give the moments as well, but onnxruntime writes them over its inputs, and
 * equal constants are one to it.
 */
import type { Operation, Value } from '../../graph/types.ts';
import { sizeOf } from '../../graph/types.ts';
import type { Emitter } from './emitter.ts';
import { int } from './emitter.ts';

type Given<K extends Operation['kind']> = Extract<Operation, { kind: K }>;

/** From this many positions per channel, dot products beat a product and a sum. */
const MANY_POSITIONS = 512;

const channelsOf = (value: Value): number => value.shape[1] ?? 1;

const filled = (e: Emitter, channels: number, value: number): string =>
  e.floats(new Float32Array(channels).fill(value), [channels]);

export function emitMean(
  e: Emitter,
  _value: Value,
  _operation: Operation,
  [x = '']: readonly string[],
): string {
  return e.node('ReduceMean', [x, e.integers(0, 2, 3)], { keepdims: int(0) });
}

export function emitVariance(
  e: Emitter,
  value: Value,
  _: Operation,
  [x = '', mean = '']: readonly string[],
): string {
  const source = value.inputs[0] as Value;
  const channels = channelsOf(source);
  const centred = e.node('Sub', [x, e.node('Reshape', [mean, e.integers(channels, 1, 1)])]);
  const share = e.floats(Float32Array.of(channels / sizeOf(source.shape)), []);
  return e.node('Mul', [sumOfProducts(e, source, centred, centred), share]);
}

/** Inputs: x, scale, shift, mean, variance. */
export function emitNormalise(
  e: Emitter,
  _: Value,
  { epsilon }: { epsilon: number },
  inputs: readonly string[],
): string {
  return e.node('BatchNormalization', inputs, { epsilon: { float: epsilon } });
}

/** Sum over all but the channels of dy (x - mean) / sqrt(variance + epsilon). */
export function emitScaleGradient(
  e: Emitter,
  value: Value,
  { epsilon }: Given<'normaliseScaleGradient'>,
  [dy = '', x = '', mean = '', variance = '', dShift = '']: readonly string[],
): string {
  const products = sumOfProducts(e, value.inputs[0] as Value, dy, x);
  const centred = e.node('Sub', [products, e.node('Mul', [mean, dShift])]);
  const shifted = e.node('Add', [variance, e.floats(Float32Array.of(epsilon), [])]);
  return e.node('Div', [centred, e.node('Sqrt', [shifted])]);
}

/** For each channel, the sum of a b over images and positions. */
function sumOfProducts(e: Emitter, { shape }: Value, a: string, b: string): string {
  const [batch = 1, channels = 1, height = 1, width = 1] = shape;
  if (e.portable || height * width < MANY_POSITIONS) {
    return e.node('ReduceSum', [e.node('Mul', [a, b]), e.integers(0, 2, 3)], { keepdims: int(0) });
  }
  const rows = e.integers(batch * channels, 1, height * width);
  const [left, right] = [e.node('Reshape', [a, rows]), e.node('Reshape', [b, rows])];
  const dots = e.node('FusedMatMul', [left, right], { transB: int(1) }, 'com.microsoft');
  const perImage = e.node('Reshape', [dots, e.integers(batch, channels)]);
  return e.node('ReduceSum', [perImage, e.integers(0)], { keepdims: int(0) });
}

/**
 * Of the input of `batchNorm`, whose moments depend on it: with x^ the normalised input and N
 * values per channel, dx = scale / sqrt(variance + epsilon) (dy - (dShift + x^ dScale) / N).
 */
export function emitInputGradient(
  e: Emitter,
  value: Value,
  operation: Given<'batchNormInputGradient'>,
  inputs: readonly string[],
): string {
  const [dy = '', x = '', scale = '', mean = '', variance = '', dScale = '', dShift = ''] = inputs;
  const channels = channelsOf(value);
  const share = e.floats(Float32Array.of(-channels / sizeOf(value.shape)), []);
  const shares = [e.node('Mul', [dScale, share]), e.node('Mul', [dShift, share])];
  const common = emitNormalise(e, value, operation, [x, ...shares, mean, variance]);
  const rest = e.node('Add', [dy, common]);
  const zero = filled(e, channels, 0);
  return emitNormalise(e, value, operation, [rest, scale, zero, zero, variance]);
}
