import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/types.ts';

/**
 * Mean softmax cross-entropy, -sum_i w_i sum_k t_ik log softmax(z_i)_k / sum_i w_i.
 * @param logits [batch, class]
 * @param targets [batch, class], each row a distribution
 * @param exampleWeights [batch]; 0 leaves an example out (the padding of a ragged last batch)
 */
export function softmaxCrossEntropy(
  g: GraphBuilder,
  logits: Value,
  targets: Value,
  exampleWeights: Value,
): Value {
  const perExample = g.reduceSum(g.mul(targets, g.logSoftmax(logits)), [1]);
  const total = g.reduceSum(g.mul(perExample, exampleWeights));
  return g.mul(g.div(total, g.reduceSum(exampleWeights)), g.constant(-1));
}
