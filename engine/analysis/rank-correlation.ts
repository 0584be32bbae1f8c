/** Spearman's rank correlation. */
import { CarryoverError } from '../../contract/errors.ts';

/**
 * Spearman's rho: Pearson's correlation of the ranks, equal values sharing the mean of theirs.
 * @returns in [-1, 1]; null where all values of one side are equal, for then nothing is ranked
 * @throws bad-input when the lengths differ or there are fewer than two values
 */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  if (a.length !== b.length || a.length < 2) {
    const message = `no rank correlation of ${a.length} with ${b.length} values`;
    throw new CarryoverError('bad-input', message);
  }
  const [first, second] = [ranks(a), ranks(b)];
  const middle = (a.length + 1) / 2;
  let [product, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [first[i]! - middle, second[i]! - middle];
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  if (squareA === 0 || squareB === 0) return null;
  return Math.max(-1, Math.min(1, product / Math.sqrt(squareA * squareB)));
}

/** Ranks from 1, ascending; equal values share the mean of theirs. */
function ranks(values: ArrayLike<number>): Float64Array {
  const order = Uint32Array.from(values, (_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const result = new Float64Array(values.length);
  let from = 0;
  while (from < order.length) {
    let to = from + 1;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (let at = from; at < to; at++) result[order[at]!] = (from + 1 + to) / 2;
    from = to;
  }
  return result;
}
