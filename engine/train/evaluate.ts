import { argmaxRows } from '../analysis/metrics.ts';
import type { ModelOptions } from '../models/model.ts';
import type { Weights } from '../models/registry.ts';
import type { Evaluator } from '../runtime/devices/trainer.ts';
import type { BatchSource } from './loop.ts';

export interface Evaluation {
  /** Mean cross-entropy over the images. */
  loss: number;
  /** Share of images whose largest logit is the label's. */
  accuracy: number;
  /** [image, class], in the source's order. */
  logits: Float32Array;
}

/** Evaluates given weights on a whole source. */
export async function evaluate(
  evaluator: Evaluator,
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
    logits.set(result.logits, done * classes);
    const predicted = argmaxRows(result.logits, classes);
    for (let i = 0; i < batch.size; i++) {
      if (predicted[i] === batch.labels[i]) right += 1;
    }
    lossSum += result.loss * batch.size;
    done += batch.size;
  }
  return { loss: lossSum / done, accuracy: right / done, logits };
}
