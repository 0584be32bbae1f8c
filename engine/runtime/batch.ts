/** What every runtime's trainer takes and gives. */
import type { ModelOptions } from '../models/model.ts';
import type { Weights } from '../models/registry.ts';

/** Mixup (Zhang et al., arXiv 1710.09412): what the images of a batch have been mixed with. */
export interface Mix {
  /** Position in the batch of each example's partner: a permutation. */
  partner: Int32Array;
  /** Share of the example itself, in [0, 1]; the partner has the rest. */
  lambda: number;
}

/** Both [size, finding], of 0 and 1. */
export interface BatchFindings {
  targets: Float32Array;
  /** 0 where nothing is known. */
  mask: Float32Array;
}

/** One batch of exactly `size` examples. */
export interface Batch {
  /** [size, channel, row, column], normalised (and mixed, when `mix` is given). */
  images: Float32Array;
  /** Class index per example, before mixing; empty where there are `findings`. */
  labels: Int32Array;
  /** Multi-label: what is known of each example, before mixing. */
  findings?: BatchFindings;
  /** What each example counts, before mixing; absent: 1. */
  weights?: Float32Array;
  size: number;
  /** What an error calls the images. */
  ids?: readonly number[];
  mix?: Mix;
}

export interface StepResult {
  loss: number;
  /** [size, class], of the weights before the step. */
  logits: Float32Array;
  /** Of all trained parameters' gradients, before clipping; null where nothing is clipped. */
  gradientNorm: number | null;
}

/** What a training is at a moment: enough to go on bit for bit. */
export interface TrainingState {
  /** Every parameter and running statistic of the network. */
  weights: Weights;
  /**
   * What the optimiser remembers of each trained parameter, by `<slot>/<parameter>`; what is not
   * there is zero, as before a first step.
   */
  optimiser: Weights;
}

/** A training that has not begun. */
export function startingFrom(weights: Weights): TrainingState {
  return { weights, optimiser: new Map() };
}

/**
 * Steps that the parameters of a stage have been trained for, with the one under way: AdamW's
 * moments grow from zero, and are corrected for it.
 */
export type StepsOf = (stage: string) => number;

/** How labels become what the loss is given. */
export interface TargetSettings {
  /** Share of each target that is spread evenly over all classes, in [0, 1). */
  smoothing: number;
  /** By class; null: all 1. */
  classWeights: Float32Array | null;
}

/** As in evaluation: neither smoothing nor weights. */
export const PLAIN: TargetSettings = { smoothing: 0, classWeights: null };

/**
 * The inputs of the loss, of which there are two. `sigmoidCrossEntropy`, for batches with findings:
 * targets t (1 - e) + e / 2 with smoothing e, and the mask in the place of exampleWeights, both
 * mixed with the partner's so that the loss of a mixture is the mixture of the losses. Class
 * weights do not apply. `softmaxCrossEntropy`: with class weights w, smoothing e and label y of K classes
 * an example's target is w_k ((1 - e) [k = y] + e / K) and its weight w_y, which makes the loss
 * that of PyTorch's `CrossEntropyLoss(weight, label_smoothing)`; mixup mixes both with the
 * partner's. Weights v_i of the examples make it sum v_i w_i loss_i / sum w_i: over all batches the
 * weighted mean of the losses where the v_i have mean 1.
 * @returns targets [size, class] and exampleWeights [size], or [size, finding]
 */
export function targetsOf(
  { labels, findings, size, mix, weights }: Pick<Batch, LossPart>,
  { classes }: Pick<ModelOptions, 'classes'>,
  { smoothing, classWeights }: TargetSettings = PLAIN,
): { targets: Float32Array; exampleWeights: Float32Array } {
  if (findings) return findingTargets(findings, mix, classes, smoothing);
  const targets = new Float32Array(size * classes);
  const exampleWeights = new Float32Array(size);
  const add = (example: number, from: number, share: number): void => {
    const label = labels[from] ?? 0;
    const weight = weights?.[from] ?? 1;
    const row = targets.subarray(example * classes, (example + 1) * classes);
    for (let k = 0; k < classes; k++) {
      const target = (k === label ? 1 - smoothing : 0) + smoothing / classes;
      row[k]! += share * target * (classWeights?.[k] ?? 1) * weight;
    }
    exampleWeights[example]! += share * (classWeights?.[label] ?? 1);
  };
  for (let i = 0; i < size; i++) {
    add(i, i, mix?.lambda ?? 1);
    if (mix) add(i, mix.partner[i] ?? i, 1 - mix.lambda);
  }
  return { targets, exampleWeights };
}

type LossPart = 'labels' | 'findings' | 'size' | 'mix' | 'weights';

function findingTargets(
  { targets, mask }: BatchFindings,
  mix: Mix | undefined,
  findings: number,
  smoothing: number,
): { targets: Float32Array; exampleWeights: Float32Array } {
  const own = mix?.lambda ?? 1;
  const partnerOf = (at: number): number => {
    const example = Math.floor(at / findings);
    return (mix?.partner[example] ?? example) * findings + (at % findings);
  };
  const weights = mask.map((known, at) => own * known + (1 - own) * (mask[partnerOf(at)] ?? 0));
  const mixed = targets.map((target, at) => {
    const partner = partnerOf(at);
    const whole = own * (mask[at] ?? 0) * target;
    const sum = whole + (1 - own) * (mask[partner] ?? 0) * (targets[partner] ?? 0);
    const share = weights[at] ? sum / weights[at] : 0;
    return share * (1 - smoothing) + smoothing / 2;
  });
  return { targets: mixed, exampleWeights: weights };
}
