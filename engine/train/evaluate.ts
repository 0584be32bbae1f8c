import type { ModelOptions } from '../models/model.ts';
import type { Weights } from '../models/registry.ts';
import type { OnnxEvaluator } from '../runtime/onnx/trainer.ts';
import type { BatchSource } from './loop.ts';

export interface Evaluation {
  /** Mean cross-entropy over the images. */
  loss: number;
  /** Share of images whose largest logit is the label's. */
  accuracy: number;
  /** [image, class], in the source's order. */
  logits: Float32Array;
}

/** Index of the largest of `count` values from `offset` on; the first of equals. */
export function argmax(values: Float32Array, offset: number, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) {
    if ((values[offset + k] ?? 0) > (values[offset + best] ?? 0)) best = k;
  }
  return best;
}

/** Evaluates given weights on a whole source. */
export async function evaluate(
  evaluator: OnnxEvaluator,
  weights: Weights,
  source: BatchSource,
  { classes }: ModelOptions,
): Promise<Evaluation> {
  const logits = new Float32Array(source.count * classes);
  let done = 0;
  let right = 0;
  let lossSum = 0;
  for await (const batch of source.evaluation()) {
    const result = await evaluator.run(weights, batch);
    logits.set(result.logits.subarray(0, batch.size * classes), done * classes);
    for (let i = 0; i < batch.size; i++) {
      if (argmax(result.logits, i * classes, classes) === batch.labels[i]) right += 1;
    }
    lossSum += result.loss * batch.size;
    done += batch.size;
  }
  return { loss: lossSum / done, accuracy: right / done, logits };
}
