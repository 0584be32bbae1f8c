/**
 * The second runtime: the same model text, executed and differentiated by TensorFlow.js on
 * whichever of its backends is chosen (its CPU backend when none was).
 */
// tfjs-core alone knows no gradient; this package registers them, and the CPU backend.
import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import type { Graph, Value } from '../../graph/types.ts';
import type { ModelOptions } from '../../models/model.ts';
import type { Weights } from '../../models/registry.ts';
import { buildForwardLoss, trainedParameters } from '../../train/step.ts';
import type { Batch } from '../batch.ts';
import { targetsOf } from '../batch.ts';
import { interpret } from './interpret.ts';

// Without it the CPU backend prints an advertisement for tfjs-node at its first operation.
tf.enableProdMode();

/** Arrays for the graph's inputs and parameters by name. */
export type Feeds = ReadonlyMap<string, Float32Array>;

export interface LossAndGradients {
  loss: number;
  /** [batch, class]. */
  logits: Float32Array;
  /** By parameter name, in the parameter's shape. */
  gradients: Map<string, Float32Array>;
}

/** Tensors of `values`, from the arrays of the same names. */
export function toTensors(values: readonly Value[], feeds: Feeds): Map<string, tf.Tensor> {
  const fed = values.flatMap(({ name, shape }) => {
    const data = feeds.get(name);
    return data ? [[name, tf.tensor(data, [...shape], 'float32')] as const] : [];
  });
  return new Map(fed);
}

/** Runs a forward graph; outputs by name. */
export async function tfjsForward(graph: Graph, feeds: Feeds): Promise<Map<string, Float32Array>> {
  await tf.ready();
  const outputs = tf.tidy(() => {
    const given = toTensors([...graph.inputs, ...graph.parameters], feeds);
    return Object.fromEntries(interpret(graph, given));
  });
  return download(new Map(Object.entries(outputs)));
}

/** Reads tensors and frees them. */
export async function download(
  tensors: ReadonlyMap<string, tf.Tensor>,
): Promise<Map<string, Float32Array>> {
  const arrays = new Map<string, Float32Array>();
  for (const [name, tensor] of tensors) {
    arrays.set(name, Float32Array.from(await tensor.data()));
    tensor.dispose();
  }
  return arrays;
}

/**
 * Outputs of a graph and the gradient of its output `loss` with respect to `parameters`. The
 * caller disposes of both.
 * @param inputs all that is not in `parameters`; what is there too is not read
 */
export function differentiate(
  graph: Graph,
  inputs: ReadonlyMap<string, tf.Tensor>,
  parameters: ReadonlyMap<string, tf.Tensor>,
): { outputs: Map<string, tf.Tensor>; gradients: Map<string, tf.Tensor> } {
  const names = [...parameters.keys()];
  let outputs = new Map<string, tf.Tensor>();
  const loss = (...tensors: tf.Tensor[]): tf.Tensor => {
    const given = tensors.map((tensor, i) => [names[i] as string, tensor] as const);
    outputs = interpret(graph, new Map([...inputs, ...given]));
    outputs.forEach((output) => tf.keep(output));
    return outputs.get('loss') as tf.Tensor;
  };
  const found = tf.grads(loss)([...parameters.values()]);
  return { outputs, gradients: new Map(names.map((name, i) => [name, found[i] as tf.Tensor])) };
}

/**
 * Loss, logits and the gradient of every trained parameter, by TensorFlow.js's own
 * differentiation, in training mode.
 * @param weights every parameter and running statistic of `buildModel(options)`
 */
export async function tfjsLossAndGradients(
  options: ModelOptions,
  weights: Weights,
  batch: Batch,
): Promise<LossAndGradients> {
  const { graph, parameters } = buildForwardLoss({ ...options, batch: batch.size });
  const targets = Object.entries(targetsOf(batch, options));
  const { outputs, gradients } = await tfjsGradients(
    graph,
    new Map([...weights, ['images', batch.images], ...targets]),
    trainedParameters(parameters, options.frozen).map(({ name }) => name),
  );
  return {
    loss: outputs.get('loss')?.[0] ?? NaN,
    logits: outputs.get('logits') as Float32Array,
    gradients,
  };
}

/**
 * All outputs of a graph, and the gradients of its output `loss` by parameter name.
 * @param trained the parameters to differentiate with respect to; all when left out
 */
export async function tfjsGradients(
  graph: Graph,
  feeds: Feeds,
  trained: readonly string[] = graph.parameters.map(({ name }) => name),
): Promise<{ outputs: Map<string, Float32Array>; gradients: Map<string, Float32Array> }> {
  await tf.ready();
  const given = toTensors([...graph.inputs, ...graph.parameters], feeds);
  const parameters = new Map(trained.map((name) => [name, given.get(name) as tf.Tensor]));
  const { outputs, gradients } = differentiate(graph, given, parameters);
  given.forEach((tensor) => tensor.dispose());
  return { outputs: await download(outputs), gradients: await download(gradients) };
}
