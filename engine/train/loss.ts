import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/types.ts';

/**
 * Mean softmax cross-entropy, -sum_ik t_ik log softmax(z_i)_k / sum_i w_i.
 * @param logits [batch, class]
 * @param targets [batch, class], times the classes' weights where there are any (`targetsOf`)
 * @param exampleWeights [batch], what each example counts in the mean
 */
export function softmaxCrossEntropy(
  g: GraphBuilder,
  logits: Value,
  targets: Value,
  exampleWeights: Value,
): Value {
  const total = g.reduceSum(g.mul(targets, g.logSoftmax(logits)));
  return g.mul(g.div(total, g.reduceSum(exampleWeights)), g.constant(-1));
}

/**
 * Mean sigmoid cross-entropy over the labels that are not masked (PyTorch's
 * `BCEWithLogitsLoss(weight=mask)` over the mask's sum, or over 1 where that is less); 0 when all
 * are masked.
 * @param logits [batch, label]
 * @param targets [batch, label], each in [0, 1]
 * @param mask [batch, label]: 1 counts, 0 does not; between them under mixup
 */
export function sigmoidCrossEntropy(
  g: GraphBuilder,
  logits: Value,
  targets: Value,
  mask: Value,
): Value {
  const one = g.constant(1);
  const minus = g.constant(-1);
  const yes = g.mul(targets, g.logSigmoid(logits));
  const no = g.mul(g.sub(one, targets), g.logSigmoid(g.mul(logits, minus)));
  const total = g.reduceSum(g.mul(g.add(yes, no), mask));
  const counted = g.reduceSum(mask);
  // 1 in the place of a count of 0.
  const atLeastOne = g.add(counted, g.relu(g.sub(one, counted)));
  return g.mul(g.div(total, atLeastOne), minus);
}
