/** Weighted rank correlation. */

/**
 * Weighted Kendall tau with additive hyperbolic weights, the mean of those by the ranks in x and in y
 * (Vigna 2015, "A Weighted Correlation Index for Rankings with Ties"; SciPy's `weightedtau`): exchanges
 * among the highest values weigh most. -1 .. 1.
 * @returns NaN where all values of one are equal
 */
export function weightedTau(x: readonly number[], y: readonly number[]): number {
  return (tauByRanks(x, y, ranks(x, y)) + tauByRanks(x, y, ranks(y, x))) / 2;
}

/** 0 for the largest; equal values in the order of the other. */
function ranks(first: readonly number[], second: readonly number[]): number[] {
  const order = [...first.keys()].sort(
    (a, b) => first[b]! - first[a]! || second[b]! - second[a]! || b - a,
  );
  const result: number[] = [];
  order.forEach((at, rank) => (result[at] = rank));
  return result;
}

function tauByRanks(x: readonly number[], y: readonly number[], rank: readonly number[]): number {
  let [both, ofX, ofY] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const weight = 1 / (rank[i]! + 1) + 1 / (rank[j]! + 1);
      const [dx, dy] = [Math.sign(x[i]! - x[j]!), Math.sign(y[i]! - y[j]!)];
      both += weight * dx * dy;
      ofX += weight * dx * dx;
      ofY += weight * dy * dy;
    }
  }
  return both / Math.sqrt(ofX * ofY);
}
