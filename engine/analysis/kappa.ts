/** Error consistency of any number of classifiers. */
import { CarryoverError } from '../../contract/errors.ts';

/** Shares of images on which two classifiers are right and wrong. */
export interface Mistakes {
  /** Images that count. */
  images: number;
  /** Both wrong. */
  common: number;
  onlyA: number;
  onlyB: number;
  /** Error consistency (Geirhos et al. 2020); 1 where they are right on the same images. */
  kappa: number;
  /** Common mistakes among the images that either has wrong; null where neither errs. */
  jaccard: number | null;
}

/**
 * Mistakes of two classifiers. `onlyA`: only A is wrong.
 * @param a 1 where it is right, else 0
 * @throws bad-input without images
 */
export function mistakes(a: ArrayLike<number>, b: ArrayLike<number>): Mistakes {
  const n = a.length;
  if (n === 0 || n !== b.length) {
    throw new CarryoverError('bad-input', `no mistakes to compare on ${n} and ${b.length} images`);
  }
  let [common, onlyA, onlyB] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    if (a[i] === 1) onlyB += 1 - b[i]!;
    else if (b[i] === 1) onlyA += 1;
    else common += 1;
  }
  const [rightA, rightB] = [1 - (common + onlyA) / n, 1 - (common + onlyB) / n];
  const observed = 1 - (onlyA + onlyB) / n;
  const expected = rightA * rightB + (1 - rightA) * (1 - rightB);
  const wrong = common + onlyA + onlyB;
  return {
    images: n,
    common: common / n,
    onlyA: onlyA / n,
    onlyB: onlyB / n,
    kappa: onlyA + onlyB === 0 ? 1 : (observed - expected) / (1 - expected),
    jaccard: wrong === 0 ? null : common / wrong,
  };
}
