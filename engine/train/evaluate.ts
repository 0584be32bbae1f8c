import { argmaxRows } from '../analysis/metrics.ts';
import type { ModelOptions } from '../models/model.ts';
import type { Weights } from '../models/registry.ts';
import type { Evaluator } from '../runtime/devices/trainer.ts';
import type { Moment } from './finite.ts';
import { checkFinite } from './finite.ts';
import type { BatchSource } from './loop.ts';

export interface Evaluation {
  /** Mean cross-entropy over the images. */
  loss: number;
  /** Share of images whose largest logit is the label's. */
  accuracy: number;
  /** [image, class], in the source's order. */
  logits: Float32Array;
}

const EVALUATED: Moment = {
  when: 'in evaluation',
  images: [],
  wayOut: 'take weights of a training that went well',
};

/**
 * Evaluates given weights on a whole source.
 * @param moment what a number that is not finite is put down to
 * @throws CarryoverError `bad-input` when a logit or the loss is not finite
 */
export async function evaluate(
  evaluator: Evaluator,
  weights: Weights,
  source: BatchSource,
  { classes }: ModelOptions,
  moment = EVALUATED,
): Promise<Evaluation> {
  const logits = new Float32Array(source.count * classes);
  let done = 0;
  let right = 0;
  let lossSum = 0;
  for await (const batch of source.evaluation()) {
    const result = await evaluator.run(weights, batch);
    checkFinite('a logit', result.logits, moment);
    checkFinite('the evaluated loss', [result.loss], moment);
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
