/** Where a score is called positive. */

/**
 * The least threshold at which at most `rate` of the negatives are called positive (score >=
 * threshold); null without negatives. It is a score that occurs, or above all of them.
 * @param rate allowed share of false positives, in (0, 1)
 */
export function thresholdAtFalsePositiveRate(
  scores: ArrayLike<number>,
  truth: ArrayLike<number>,
  rate: number,
): number | null {
  const negatives: number[] = [];
  let above = -Infinity;
  for (let i = 0; i < truth.length; i++) {
    if (truth[i] === 0) negatives.push(scores[i]!);
    above = Math.max(above, scores[i]!);
  }
  if (negatives.length === 0) return null;
  negatives.sort((a, b) => b - a);
  const allowed = Math.floor(rate * negatives.length + 1e-9);
  const excluded = negatives[allowed]!; // the largest negative that must stay below
  let threshold = Infinity;
  for (let i = 0; i < scores.length; i++) {
    if (scores[i]! > excluded) threshold = Math.min(threshold, scores[i]!);
  }
  return threshold === Infinity ? nextAbove(above) : threshold;
}

/** A number above: float32 scores stay below it. */
function nextAbove(value: number): number {
  return value + Math.max(1e-6, Math.abs(value) * 1e-6);
}
