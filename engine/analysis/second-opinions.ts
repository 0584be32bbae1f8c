/** Similarities of features other than CKA, from inner products of images. */
import { CarryoverError } from '../../contract/errors.ts';
import type { Gram } from './gram.ts';
import { symmetricEigen } from './tridiagonal.ts';

/** Directions of features over the images, the strongest first. */
export interface Spectrum {
  images: number;
  /** Variances (times images), descending; what is rounding is left out. */
  values: Float64Array;
  /** [direction, image], unit length. */
  directions: Float64Array;
}

/** Of the largest; inner products are summed from single precision. */
const ROUNDING = 1e-6;

/** The principal directions behind inner products of centred features (`gramOf`). */
export function spectrumOf({ values: matrix, rows }: Gram): Spectrum {
  const { values, vectors } = symmetricEigen(matrix, rows);
  const order = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]!);
  const kept = order.filter((at) => values[at]! > ROUNDING * values[order[0]!]!);
  const directions = new Float64Array(kept.length * rows);
  for (const [to, from] of kept.entries()) {
    directions.set(vectors.subarray(from * rows, (from + 1) * rows), to * rows);
  }
  return { images: rows, values: Float64Array.from(kept, (at) => values[at]!), directions };
}

/**
 * SVCCA (Raghu et al. 2017): mean canonical correlation between the leading directions of each side
 * that hold a share of its variance; the mean is over the fewer of them. Near 1 by chance where the
 * directions are not far fewer than the images.
 * @returns 0..1; null where a side does not differ between images
 */
export function svcca(x: Spectrum, y: Spectrum, share = 0.99): number | null {
  const [a, b] = [leading(x, share), leading(y, share)];
  if (a === 0 || b === 0) return null;
  const sum = nuclearNorm(cross(x, y, a, b), a, b);
  return sum / Math.min(a, b);
}

/**
 * Procrustes similarity (Williams et al. 2021; Ding, Denain and Steinhardt 2021): nuclear norm of
 * Y^T X of centred features, each of Frobenius norm 1. The squared Procrustes distance is 2 less
 * twice this.
 * @returns 0..1; null where a side does not differ between images
 */
export function procrustes(x: Spectrum, y: Spectrum): number | null {
  const [a, b] = [x.values.length, y.values.length];
  if (a === 0 || b === 0) return null;
  const matrix = cross(x, y, a, b);
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) matrix[i * b + j]! *= Math.sqrt(x.values[i]! * y.values[j]!);
  }
  return nuclearNorm(matrix, a, b) / Math.sqrt(total(x) * total(y));
}

function total({ values }: Spectrum): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** How many directions hold the share. */
function leading(spectrum: Spectrum, share: number): number {
  const all = total(spectrum);
  let sum = 0;
  for (const [index, value] of spectrum.values.entries()) {
    sum += value;
    if (sum >= share * all) return index + 1;
  }
  return spectrum.values.length;
}

/** Inner products of the first directions: a * b. */
function cross(x: Spectrum, y: Spectrum, a: number, b: number): Float64Array {
  const { images } = x;
  if (y.images !== images) {
    throw new CarryoverError('bad-input', `${images} images do not go with ${y.images} images`);
  }
  const result = new Float64Array(a * b);
  for (let i = 0; i < a; i++) {
    const left = x.directions.subarray(i * images, (i + 1) * images);
    for (let j = 0; j < b; j++) {
      let sum = 0;
      for (let k = 0; k < images; k++) sum += left[k]! * y.directions[j * images + k]!;
      result[i * b + j] = sum;
    }
  }
  return result;
}

/** Sum of the singular values of an a * b matrix, by the eigenvalues of its smaller square. */
function nuclearNorm(matrix: Float64Array, a: number, b: number): number {
  const side = Math.min(a, b);
  const at = (small: number, large: number) =>
    a <= b ? matrix[small * b + large]! : matrix[large * b + small]!;
  const square = new Float64Array(side * side);
  for (let i = 0; i < side; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < Math.max(a, b); k++) sum += at(i, k) * at(j, k);
      square[i * side + j] = sum;
      square[j * side + i] = sum;
    }
  }
  const { values } = symmetricEigen(square, side, false);
  return values.reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0);
}
