/** What every runtime's trainer takes and gives. */
import type { ModelOptions } from '../models/model.ts';
import type { Weights } from '../models/registry.ts';

/** One batch; `size` examples count, the rest is padding. */
export interface Batch {
  /** [batch, channel, row, column], normalised. */
  images: Float32Array;
  /** Class index per example. */
  labels: Int32Array;
  size: number;
}

export interface StepResult {
  loss: number;
  /** [batch, class]; rows past the batch's size mean nothing. */
  logits: Float32Array;
  gradientNorm: number;
}

/** What a training is at a moment: enough to go on bit for bit. */
export interface TrainingState {
  weights: Weights;
  momentum: Weights;
}

/** The loss's inputs: one-hot targets [batch, class] and weights [batch], 0 for padding. */
export function targetsOf({ labels, size }: Batch, { batch, classes }: ModelOptions) {
  const targets = new Float32Array(batch * classes);
  const exampleWeights = new Float32Array(batch);
  for (let i = 0; i < size; i++) {
    targets[i * classes + (labels[i] ?? 0)] = 1;
    exampleWeights[i] = 1;
  }
  return { targets, exampleWeights };
}
