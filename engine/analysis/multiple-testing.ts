/** p values of several hypotheses, adjusted for their being several. */

/**
 * Holm's step-down adjustment (Holm 1979): holds the chance of any false finding.
 * `statsmodels.stats.multitest.multipletests(method='holm')` gives the same.
 */
export function holm(p: readonly number[]): number[] {
  const order = ascending(p);
  let least = 0;
  return placed(order, (rank) => {
    least = Math.max(least, Math.min(1, (p.length - rank) * p[order[rank]!]!));
    return least;
  });
}

/**
 * Benjamini and Hochberg's step-up adjustment (1995): holds the expected share of false findings
 * among the findings. `multipletests(method='fdr_bh')` gives the same.
 */
export function benjaminiHochberg(p: readonly number[]): number[] {
  const order = ascending(p).reverse();
  let most = 1;
  return placed(order, (fromTop) => {
    most = Math.min(most, (p.length / (p.length - fromTop)) * p[order[fromTop]!]!);
    return most;
  });
}

function ascending(p: readonly number[]): number[] {
  return [...p.keys()].sort((a, b) => p[a]! - p[b]! || a - b);
}

function placed(order: readonly number[], valueAt: (rank: number) => number): number[] {
  const result = new Array<number>(order.length);
  for (const [rank, at] of order.entries()) result[at] = valueAt(rank);
  return result;
}
