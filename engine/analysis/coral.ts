/** Correlation alignment (Sun, Feng and Saenko 2016, arXiv 1511.05547). */
import { functionOf, momentsOfRows, times, type Moments } from './matrix.ts';
import { symmetricEigen } from './tridiagonal.ts';

/**
 * Source features whitened and re-coloured with the target's covariance (algorithm 1):
 * x (C_s + lambda I)^-1/2 (C_t + lambda I)^1/2; and, unlike there, moved from the source's mean to the
 * target's, so that one classifier suits both without standardising each.
 * @param source [row, feature]
 * @param lambda on the diagonals; 1 in the paper
 */
export function coralAligned(
  source: Float32Array,
  target: Float32Array,
  features: number,
  lambda = 1,
): Float32Array {
  const [from, to] = [momentsOfRows(source, features), momentsOfRows(target, features)];
  const map = coralMap(from, to, lambda);
  const centred = Float64Array.from(source, (value, at) => value - from.means[at % features]!);
  const moved = times(centred, map, features);
  return Float32Array.from(moved, (value, at) => value + to.means[at % features]!);
}

/** (C_s + lambda I)^-1/2 (C_t + lambda I)^1/2: rows of centred source features times it. */
export function coralMap(from: Moments, to: Moments, lambda: number): Float64Array {
  const side = from.means.length;
  const power = (moments: Moments, exponent: number) =>
    functionOf(
      symmetricEigen(moments.covariance, side),
      (value) => (Math.max(0, value) + lambda) ** exponent,
    );
  return times(power(from, -0.5), power(to, 0.5), side);
}
