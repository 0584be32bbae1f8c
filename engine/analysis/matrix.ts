/** Small dense matrices in double precision, row-major. */
import { symmetricEigen, type SymmetricEigen } from './tridiagonal.ts';

/** Means and covariances of features. */
export interface Moments {
  /** Rows they are of. */
  count: number;
  means: Float64Array;
  /** features * features, divided by count - 1. */
  covariance: Float64Array;
}

/**
 * Means and unbiased covariances.
 * @param rows [row, feature]; at least two rows
 */
export function momentsOfRows(rows: ArrayLike<number>, features: number): Moments {
  const sums = sumsOf(rows, features);
  return momentsOfSums(sums, features);
}

/** What moments are made of; sums of disjoint rows add up. */
export interface Sums {
  count: number;
  /** What was taken from every row first. */
  origin: Float64Array;
  sums: Float64Array;
  /** features * features; the lower triangle. */
  products: Float64Array;
}

/**
 * Sums and products of rows.
 * @param origin a point near the rows, so that nothing cancels; absent: their means
 */
export function sumsOf(
  rows: ArrayLike<number>,
  features: number,
  origin: Float64Array = meansOf(rows, features),
): Sums {
  const sums = new Float64Array(features);
  const products = new Float64Array(features * features);
  const row = new Float64Array(features);
  for (let at = 0; at < rows.length; at += features) {
    for (let i = 0; i < features; i++) {
      const value = rows[at + i]! - origin[i]!;
      row[i] = value;
      sums[i]! += value;
      const to = i * features;
      if (value !== 0) for (let j = 0; j <= i; j++) products[to + j]! += value * row[j]!;
    }
  }
  return { count: rows.length / features, origin, sums, products };
}

/** Moments of the rows behind the sums. */
export function momentsOfSums(all: Sums, features: number): Moments {
  const { count, origin, sums, products } = all;
  const means = sums.map((sum, i) => origin[i]! + sum / count);
  const covariance = new Float64Array(features * features);
  for (let i = 0; i < features; i++) {
    for (let j = 0; j <= i; j++) {
      const value = (products[i * features + j]! - (sums[i]! * sums[j]!) / count) / (count - 1);
      covariance[i * features + j] = value;
      covariance[j * features + i] = value;
    }
  }
  return { count, means, covariance };
}

/** Sums of the rows of `a` that are not in `b`, a part of them with the same origin. */
export function withoutSums(a: Sums, b: Sums): Sums {
  return {
    count: a.count - b.count,
    origin: a.origin,
    sums: a.sums.map((value, i) => value - b.sums[i]!),
    products: a.products.map((value, i) => value - b.products[i]!),
  };
}

/** Mean of each feature. */
export function meansOf(rows: ArrayLike<number>, features: number): Float64Array {
  const means = new Float64Array(features);
  for (let at = 0; at < rows.length; at += features) {
    for (let i = 0; i < features; i++) means[i]! += rows[at + i]!;
  }
  return means.map((sum) => (sum * features) / rows.length);
}

/**
 * Rows times a matrix.
 * @param rows [row, inner]
 * @param matrix [inner, column]
 * @returns [row, column]
 */
export function times(
  rows: ArrayLike<number>,
  matrix: Float64Array,
  inner: number,
  columns: number = inner,
): Float64Array {
  const count = rows.length / inner;
  const result = new Float64Array(count * columns);
  for (let row = 0; row < count; row++) {
    const to = result.subarray(row * columns, (row + 1) * columns);
    for (let k = 0; k < inner; k++) {
      const value = rows[row * inner + k]!;
      if (value === 0) continue;
      const from = matrix.subarray(k * columns, (k + 1) * columns);
      for (let i = 0; i < columns; i++) to[i]! += value * from[i]!;
    }
  }
  return result;
}

/** V^T f(values) V: a function of a symmetric matrix, by its eigenvalues. */
export function functionOf(
  { values, vectors }: SymmetricEigen,
  f: (value: number) => number,
): Float64Array {
  const side = values.length;
  const scaled = new Float64Array(side * side);
  for (let vector = 0; vector < side; vector++) {
    const factor = f(values[vector]!);
    for (let i = 0; i < side; i++) scaled[i * side + vector] = factor * vectors[vector * side + i]!;
  }
  return times(scaled, vectors, side);
}

/** The square root of a symmetric positive semidefinite matrix; eigenvalues below 0 are rounding. */
export function squareRoot(matrix: Float64Array, side: number): Float64Array {
  return functionOf(symmetricEigen(matrix, side), (value) => Math.sqrt(Math.max(0, value)));
}

/** Sum of the diagonal. */
export function trace(matrix: Float64Array, side: number): number {
  let sum = 0;
  for (let i = 0; i < side; i++) sum += matrix[i * side + i]!;
  return sum;
}
