/** Fréchet distance between Gaussians (Dowson and Landau 1982; Heusel et al. 2017, Eq. 6). */
import { squareRoot, times, trace, type Moments } from './matrix.ts';
import { symmetricEigen } from './tridiagonal.ts';

/**
 * Squared Fréchet distance |mu1 - mu2|^2 + tr(S1 + S2 - 2 (S1^1/2 S2 S1^1/2)^1/2) between Gaussians
 * of these moments; the symmetric form, so that no complex numbers arise. It is 0 only for equal
 * moments, in squared units of the features, and biased upwards by the number of features over the
 * number of rows: estimate it with several times as many rows.
 */
export function frechetDistance(a: Moments, b: Moments): number {
  return frechetFromRoot(a, squareRoot(a.covariance, a.means.length), b);
}

/** The same where the square root of a's covariance is known. */
export function frechetFromRoot(a: Moments, root: Float64Array, b: Moments): number {
  const side = a.means.length;
  let distance = trace(a.covariance, side) + trace(b.covariance, side);
  for (let i = 0; i < side; i++) distance += (a.means[i]! - b.means[i]!) ** 2;
  const middle = times(times(root, b.covariance, side), root, side);
  for (const value of symmetricEigen(middle, side, false).values) {
    distance -= 2 * Math.sqrt(Math.max(0, value));
  }
  return Math.max(0, distance);
}
