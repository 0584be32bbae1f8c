/** LogME (You et al. 2021, arXiv 2102.11005): the evidence of a Bayesian linear model. */
import { sumsOf } from './matrix.ts';
import { symmetricEigen } from './tridiagonal.ts';

const MOST_ROUNDS = 11;
const TOLERANCE = 1e-3;
/** Keeps the precisions finite, as in the authors' code. */
const EPSILON = 1e-5;
/** Directions of less than this share of the largest squared singular value are rounding. */
const LEAST_SHARE = 1e-12;

/** The maximum evidence found for one target. */
export interface Evidence {
  /** Log evidence over the number of rows. */
  value: number;
  /** Precision of the weights. */
  alpha: number;
  /** Precision of the noise. */
  beta: number;
}

/**
 * Mean over classes of the log evidence, per image, that the features give for "is of this class" as
 * 0 or 1; higher: easier to transfer. Classes without rows are left out.
 * @param rows [row, feature], as they are: no mean is taken from them
 * @param labels class of each row
 */
export function logMe(
  rows: ArrayLike<number>,
  features: number,
  labels: Int32Array,
  classes: number,
): number {
  const targets = Array.from({ length: classes }, (_, label) =>
    Float64Array.from(labels, (own) => Number(own === label)),
  ).filter((target) => target.some((value) => value === 1));
  const found = linearProblems(rows, features, targets).map(mostEvidence);
  return found.reduce((sum, { value }) => sum + value, 0) / found.length;
}

/** All of y = F w + noise that its evidence depends on. */
export interface LinearProblem {
  /** Squared singular values of F. */
  sigma: Float64Array;
  /** Squared projections of y on the left singular vectors. */
  x2: Float64Array;
  /** |y|^2 */
  squares: number;
  count: number;
}

/**
 * The linear models of several targets by one set of features.
 * @param rows F, [row, feature]
 * @param targets y, one after the other
 */
export function linearProblems(
  rows: ArrayLike<number>,
  features: number,
  targets: readonly Float64Array[],
): LinearProblem[] {
  const { products } = sumsOf(rows, features, new Float64Array(features));
  for (let i = 0; i < features; i++) {
    for (let j = 0; j < i; j++) products[j * features + i] = products[i * features + j]!;
  }
  const { values, vectors } = symmetricEigen(products, features);
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  const kept = Array.from(values.keys()).filter((k) => values[k]! > LEAST_SHARE * largest);
  const sigma = Float64Array.from(kept, (k) => values[k]!);
  const count = rows.length / features;
  return targets.map((target) => {
    const along = transposedTimes(rows, features, target);
    // Squares of u^T y, where u = F v / sqrt(sigma).
    const x2 = Float64Array.from(kept, (k, at) => {
      let sum = 0;
      for (let i = 0; i < features; i++) sum += vectors[k * features + i]! * along[i]!;
      return (sum * sum) / sigma[at]!;
    });
    return { sigma, x2, squares: dot(target, target), count };
  });
}

/**
 * The evidence with w ~ N(0, 1 / alpha) and noise ~ N(0, 1 / beta) at the alpha and beta that MacKay's
 * fixed point (the paper's algorithm 1) comes to.
 */
export function mostEvidence(problem: LinearProblem): Evidence {
  let [alpha, beta] = [1, 1];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const ratio = alpha / beta;
    const { gamma, weights, residual } = solution(problem, ratio);
    alpha = gamma / (weights + EPSILON);
    beta = (problem.count - gamma) / (residual + EPSILON);
    if (Math.abs(alpha / beta - ratio) <= TOLERANCE * ratio) break;
  }
  return { value: logEvidence(problem, alpha, beta), alpha, beta };
}

/** Effective number of parameters, |m|^2 and |y - F m|^2 at the posterior mean m. */
function solution({ sigma, x2, squares }: LinearProblem, ratio: number) {
  let [gamma, weights, residual, explained] = [0, 0, 0, 0];
  for (let k = 0; k < sigma.length; k++) {
    const sum = sigma[k]! + ratio;
    gamma += sigma[k]! / sum;
    weights += (sigma[k]! * x2[k]!) / (sum * sum);
    residual += x2[k]! * (ratio / sum) ** 2;
    explained += x2[k]!;
  }
  return { gamma, weights, residual: residual + Math.max(0, squares - explained) };
}

/** log p(y | F, alpha, beta) over the number of rows. */
export function logEvidence(problem: LinearProblem, alpha: number, beta: number): number {
  const { sigma, count } = problem;
  const { weights, residual } = solution(problem, alpha / beta);
  let determinant = 0;
  for (const value of sigma) determinant += Math.log1p((beta * value) / alpha);
  const log =
    (count / 2) * Math.log(beta / (2 * Math.PI)) -
    determinant / 2 -
    (beta / 2) * residual -
    (alpha / 2) * weights;
  return log / count;
}

function transposedTimes(rows: ArrayLike<number>, features: number, y: Float64Array): Float64Array {
  const result = new Float64Array(features);
  for (let row = 0; row < y.length; row++) {
    if (y[row] === 0) continue;
    for (let i = 0; i < features; i++) result[i]! += y[row]! * rows[row * features + i]!;
  }
  return result;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
