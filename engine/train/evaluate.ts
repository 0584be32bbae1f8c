import { aucPerFinding, findingAccuracy, meanAuc } from '../analysis/auc.ts';
import { argmaxRows } from '../analysis/metrics.ts';
import type { ModelOptions } from '../models/model.ts';
import type { Weights } from '../models/registry.ts';
import type { Batch, BatchFindings } from '../runtime/batch.ts';
import type { Evaluator } from '../runtime/devices/trainer.ts';
import type { Moment } from './finite.ts';
import { checkFinite } from './finite.ts';
import type { BatchSource } from './loop.ts';

export interface Evaluation {
  /** Mean cross-entropy over the images; multi-label: over the known values. */
  loss: number;
  /**
   * Share of images whose largest logit is the label's; multi-label: of known values that are right
   * at probability 1/2.
   */
  accuracy: number;
  /** Multi-label: mean area under the ROC curve, of the findings with both values; else null. */
  auc: number | null;
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
  const score = new Score(source.count * classes, classes);
  let done = 0;
  for await (const batch of source.evaluation()) {
    const result = await evaluator.run(weights, batch);
    checkFinite('a logit', result.logits, moment);
    checkFinite('the evaluated loss', [result.loss], moment);
    logits.set(result.logits, done * classes);
    score.add(batch, result, done * classes);
    source.giveBack?.(batch);
    done += batch.size;
  }
  return { ...score.of(logits), logits };
}

/** What a network's answers to a source come to. */
class Score {
  readonly #classes: number;
  readonly #findings: BatchFindings;
  #lossSum = 0;
  /** What `#lossSum` is the sum over: images, or known values. */
  #counted = 0;
  #right = 0;
  #multiLabel = false;

  constructor(values: number, classes: number) {
    this.#classes = classes;
    this.#findings = { targets: new Float32Array(values), mask: new Float32Array(values) };
  }

  /** @param at of its first value among those of the source */
  add(batch: Batch, { loss, logits }: { loss: number; logits: Float32Array }, at: number): void {
    const { findings, labels, size } = batch;
    const counted = findings ? findings.mask.reduce((sum, known) => sum + known, 0) : size;
    this.#lossSum += loss * counted;
    this.#counted += counted;
    if (findings) {
      this.#multiLabel = true;
      this.#findings.targets.set(findings.targets, at);
      this.#findings.mask.set(findings.mask, at);
      return;
    }
    argmaxRows(logits, this.#classes).forEach((predicted, i) => {
      if (predicted === labels[i]) this.#right += 1;
    });
  }

  of(logits: Float32Array): Omit<Evaluation, 'logits'> {
    const loss = this.#lossSum / this.#counted;
    if (!this.#multiLabel) return { loss, accuracy: this.#right / this.#counted, auc: null };
    const scored = { scores: logits, ...this.#findings };
    const auc = meanAuc(aucPerFinding(scored, this.#classes));
    return { loss, accuracy: findingAccuracy(scored), auc };
  }
}
