/** Area under the ROC curve, of one finding and of several. */

/**
 * Area under the ROC curve by the trapezoidal rule, equal scores sharing one point of the curve:
 * the chance that a positive scores above a negative, ties counting half (midranks, Mann-Whitney).
 * `sklearn.metrics.roc_auc_score` gives the same.
 * @param truth 1 or 0 per score
 * @returns null where one of the two is missing: it is not defined then
 */
export function rocAuc(scores: ArrayLike<number>, truth: ArrayLike<number>): number | null {
  const order = Int32Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => scores[a]! - scores[b]!,
  );
  let positives = 0;
  /** Of the positives, counted from 1, equal scores sharing the mean of theirs. */
  let rankSum = 0;
  let end = 0;
  while (end < order.length) {
    const first = end;
    const score = scores[order[first]!];
    let tied = 0;
    for (; end < order.length && scores[order[end]!] === score; end++) {
      if (truth[order[end]!] === 1) tied += 1;
    }
    rankSum += tied * ((first + 1 + end) / 2);
    positives += tied;
  }
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) return null;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/**
 * `rocAuc` of a list in which each entry counts `times` times, given the order of its scores: for
 * many draws of one list.
 * @param order entries by rising score
 */
export function rocAucInOrder(
  order: Int32Array,
  scores: ArrayLike<number>,
  truth: ArrayLike<number>,
  times: ArrayLike<number>,
): number | null {
  let [positives, negatives, wins, end] = [0, 0, 0, 0];
  while (end < order.length) {
    const score = scores[order[end]!];
    let [tiedPositives, tiedNegatives] = [0, 0];
    for (; end < order.length && scores[order[end]!] === score; end++) {
      const at = order[end]!;
      if (truth[at] === 1) tiedPositives += times[at]!;
      else tiedNegatives += times[at]!;
    }
    wins += tiedPositives * (negatives + tiedNegatives / 2);
    positives += tiedPositives;
    negatives += tiedNegatives;
  }
  return positives === 0 || negatives === 0 ? null : wins / (positives * negatives);
}

/** Scores and truth of images in several findings: [image, finding] each. */
export interface ScoredFindings {
  /** Logits or probabilities: anything that rises with them. */
  scores: Float32Array;
  targets: Float32Array;
  /** 0 where nothing is known. */
  mask: Float32Array;
}

/** The area of each finding over the images in which it is known; null where it is not defined. */
export function aucPerFinding(
  { scores, targets, mask }: ScoredFindings,
  findings: number,
): (number | null)[] {
  return Array.from({ length: findings }, (_, finding) => {
    const own: number[] = [];
    for (let at = finding; at < mask.length; at += findings) if (mask[at] !== 0) own.push(at);
    const of = (values: Float32Array) => Float32Array.from(own, (at) => values[at]!);
    return rocAuc(of(scores), of(targets));
  });
}

/** Mean of the areas that are defined; null when none is. */
export function meanAuc(areas: readonly (number | null)[]): number | null {
  const defined = areas.filter((area) => area !== null);
  if (defined.length === 0) return null;
  return defined.reduce((sum, area) => sum + area, 0) / defined.length;
}

/**
 * Share of the known values that are told right at probability 1/2 (logit 0).
 * @param scores logits
 * @returns NaN where nothing is known
 */
export function findingAccuracy({ scores, targets, mask }: ScoredFindings): number {
  let known = 0;
  let right = 0;
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] === 0) continue;
    known += 1;
    if (scores[at]! > 0 === (targets[at] === 1)) right += 1;
  }
  return right / known;
}
