import * as tf from '@tensorflow/tfjs-core';
import type { ModelOptions } from '../../models/model.ts';
import type { Weights } from '../../models/registry.ts';
import { buildForwardLoss } from '../../train/step.ts';
import type { Batch } from '../batch.ts';
import { targetsOf } from '../batch.ts';
import { interpret } from './interpret.ts';
import { download, toTensors } from './runtime.ts';

/** Evaluates a network with TensorFlow.js; weights are given per call and stay on its backend. */
export class TfjsEvaluator {
  readonly options: ModelOptions;
  #placed: { weights: Weights; tensors: Map<string, tf.Tensor> } | null = null;

  constructor(options: ModelOptions) {
    this.options = options;
  }

  /**
   * Mean cross-entropy and logits [size, class] of one batch.
   * @param weights not changed between calls while it is the same map
   */
  async run(weights: Weights, batch: Batch): Promise<{ loss: number; logits: Float32Array }> {
    const { graph } = buildForwardLoss({ ...this.options, batch: batch.size, mode: 'evaluation' });
    if (this.#placed?.weights !== weights) {
      this.#forget();
      this.#placed = { weights, tensors: toTensors(graph.parameters, weights) };
    }
    const targets = targetsOf(batch, this.options);
    const inputs = toTensors(
      graph.inputs,
      new Map([['images', batch.images] as const, ...Object.entries(targets)]),
    );
    const given = new Map([...this.#placed.tensors, ...inputs]);
    const outputs = tf.tidy(() => Object.fromEntries(interpret(graph, given)));
    inputs.forEach((tensor) => tensor.dispose());
    const arrays = await download(new Map(Object.entries(outputs)));
    return {
      loss: arrays.get('loss')?.[0] ?? NaN,
      logits: arrays.get('logits') ?? new Float32Array(),
    };
  }

  async close(): Promise<void> {
    this.#forget();
  }

  #forget(): void {
    this.#placed?.tensors.forEach((tensor) => tensor.dispose());
    this.#placed = null;
  }
}
