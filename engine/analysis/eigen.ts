/** Eigenvectors of symmetric matrices, in double precision. */
import { symmetricEigen } from './tridiagonal.ts';

/** Matrices up to this side are diagonalised whole. */
const WHOLE = 128;
/** Directions beyond those asked for, which speed up the convergence of the last ones. */
const SPARE = 10;
const MOST_TURNS = 50;

export interface Eigen {
  /** Descending. */
  values: Float64Array;
  /** [direction, element]; unit length, the element of the largest size positive. */
  vectors: Float64Array;
}

/**
 * The `most` largest eigenvalues of a symmetric positive semidefinite matrix: all of them, and for
 * large matrices orthogonal iteration with Rayleigh-Ritz (Golub and Van Loan, "Matrix Computations",
 * 8.2) where few are asked for.
 * @param matrix side * side
 */
export function largestEigen(matrix: Float64Array, side: number, most: number): Eigen {
  const count = Math.min(most, side);
  const width = side <= WHOLE ? side : Math.min(side, count + SPARE);
  const basis = width === side ? identity(side) : subspace(matrix, side, width);
  const small = restricted(matrix, side, basis, width);
  const own = symmetricEigen(small, width);
  const order = Array.from({ length: width }, (_, i) => i)
    .sort((a, b) => own.values[b]! - own.values[a]!)
    .slice(0, count);
  const values = Float64Array.from(order, (at) => Math.max(0, own.values[at]!));
  const vectors = new Float64Array(count * side);
  for (const [to, from] of order.entries()) {
    const vector = vectors.subarray(to * side, (to + 1) * side);
    for (let row = 0; row < width; row++) {
      addScaled(
        vector,
        basis.subarray(row * side, (row + 1) * side),
        own.vectors[from * width + row]!,
      );
    }
    pointUp(vector);
  }
  return { values, vectors };
}

function identity(side: number): Float64Array {
  const matrix = new Float64Array(side * side);
  for (let i = 0; i < side; i++) matrix[i * side + i] = 1;
  return matrix;
}

/** An orthonormal basis [direction, element] of nearly the leading invariant subspace. */
function subspace(matrix: Float64Array, side: number, width: number): Float64Array {
  let basis: Float64Array = new Float64Array(width * side);
  // Any start does that is not orthogonal to what is sought; this one is always the same.
  for (let i = 0; i < basis.length; i++) basis[i] = Math.sin(1 + 12.9898 * i);
  orthonormalise(basis, side, width);
  let before = 0;
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const next = applied(matrix, side, basis, width);
    let trace = 0;
    for (let i = 0; i < next.length; i++) trace += next[i]! * basis[i]!;
    basis = next;
    orthonormalise(basis, side, width);
    if (Math.abs(trace - before) <= 1e-7 * trace) break;
    before = trace;
  }
  return basis;
}

/** The matrix times every direction. */
function applied(matrix: Float64Array, side: number, basis: Float64Array, width: number) {
  const result = new Float64Array(width * side);
  for (let direction = 0; direction < width; direction++) {
    const from = basis.subarray(direction * side, (direction + 1) * side);
    for (let row = 0; row < side; row++) {
      result[direction * side + row] = dot(matrix.subarray(row * side, (row + 1) * side), from);
    }
  }
  return result;
}

/** Modified Gram-Schmidt, twice; a direction that depends on those before becomes zero. */
function orthonormalise(basis: Float64Array, side: number, width: number): void {
  const at = (direction: number) => basis.subarray(direction * side, (direction + 1) * side);
  for (let direction = 0; direction < width; direction++) {
    const own = at(direction);
    const length = Math.sqrt(dot(own, own));
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < direction; other++) {
        addScaled(own, at(other), -dot(own, at(other)));
      }
    }
    const left = Math.sqrt(dot(own, own));
    const scale = left > 1e-12 * length ? 1 / left : 0;
    for (let i = 0; i < side; i++) own[i]! *= scale;
  }
}

/** The matrix as the basis sees it: width * width. */
function restricted(matrix: Float64Array, side: number, basis: Float64Array, width: number) {
  if (width === side) return matrix.slice();
  const images = applied(matrix, side, basis, width);
  const small = new Float64Array(width * width);
  for (let a = 0; a < width; a++) {
    for (let b = 0; b < width; b++) {
      small[a * width + b] = dot(
        images.subarray(a * side, (a + 1) * side),
        basis.subarray(b * side, (b + 1) * side),
      );
    }
  }
  return small;
}

function pointUp(vector: Float64Array): void {
  let largest = 0;
  for (const value of vector) if (Math.abs(value) > Math.abs(largest)) largest = value;
  if (largest < 0) for (let i = 0; i < vector.length; i++) vector[i] = -vector[i]!;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(target: Float64Array, source: Float64Array, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += scale * source[i]!;
}
