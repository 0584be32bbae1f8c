/**
 * A graph's images are [batch, channel, row, column]; TensorFlow.js's gradients want channels
 * last. A tensor is moved when a convolution first asks for it and stays so until something asks
 * for the graph's order.
 */
import * as tf from '@tensorflow/tfjs-core';

/** A tensor and the order of its axes: the graph's, or [batch, row, column, channel]. */
export interface Laid {
  tensor: tf.Tensor;
  channelsLast: boolean;
}

/** Where each of the graph's four axes lies when channels are last. */
export const NHWC_AXIS: readonly number[] = [0, 3, 1, 2];

/** The tensor in the graph's order. */
export function channelsFirst({ tensor, channelsLast }: Laid): tf.Tensor {
  return channelsLast ? tf.transpose(tensor, [0, 3, 1, 2]) : tensor;
}

/** A four-axis tensor with channels last. */
export function channelsLast({ tensor, channelsLast }: Laid): tf.Tensor {
  return channelsLast ? tensor : tf.transpose(tensor, [0, 2, 3, 1]);
}

/** Two operands of an elementwise operation in one order, so that broadcasting pairs their axes. */
export function aligned(a: Laid, b: Laid): readonly [Laid, Laid] {
  if (a.channelsLast === b.channelsLast) return [a, b];
  return a.channelsLast ? [a, moved(b)] : [moved(a), b];
}

function moved(operand: Laid): Laid {
  const { shape } = operand.tensor;
  if (shape.length === 0 || (shape.length === 1 && shape[0] === 1)) return operand;
  const four = [...new Array<number>(4 - shape.length).fill(1), ...shape];
  const tensor = channelsLast({ tensor: tf.reshape(operand.tensor, four), channelsLast: false });
  return { tensor, channelsLast: true };
}
