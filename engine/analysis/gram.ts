/** Inner products of features of images, summed in double precision. */
import { CarryoverError } from '../../contract/errors.ts';
import { matrixProduct } from './product.ts';

/** Features of the same images in the same order: [row, dimension]; rows are images. */
export interface Features {
  values: Float32Array;
  rows: number;
  dimensions: number;
}

/** Symmetric, [row, row]. */
export interface Gram {
  values: Float64Array;
  rows: number;
}

/** Dimensions (or rows) that are multiplied at once in single precision. */
const BLOCK = 512;

/**
 * Inner products between all rows, after the mean row is taken away: the linear kernel of what HSIC
 * and CKA look at, which neither see a common shift.
 * @throws bad-input where a value is not finite, or rows and dimensions do not fit the values
 */
export async function gramOf(features: Features): Promise<Gram> {
  const { rows, dimensions } = features;
  const means = meansOf(features);
  const sum = new Float64Array(rows * rows);
  const product = await matrixProduct({ rows, inner: BLOCK, columns: rows, transposeB: true });
  try {
    for (let from = 0; from < dimensions; from += BLOCK) {
      const block = centredColumns(features, means, from);
      addTo(sum, await product.of(block, block));
    }
  } finally {
    await product.close();
  }
  return { values: sum, rows };
}

/**
 * X^T Y of two sets of features of the same rows, each without its mean row: [of x, of y].
 * @throws as `gramOf`, and bad-input where the rows differ
 */
export async function crossProduct(x: Features, y: Features): Promise<Float64Array> {
  if (x.rows !== y.rows) {
    throw new CarryoverError('bad-input', `${x.rows} rows do not go with ${y.rows} rows`);
  }
  const [meansX, meansY] = [meansOf(x), meansOf(y)];
  const sum = new Float64Array(x.dimensions * y.dimensions);
  const shape = { rows: x.dimensions, inner: BLOCK, columns: y.dimensions, transposeA: true };
  const product = await matrixProduct(shape);
  try {
    for (let from = 0; from < x.rows; from += BLOCK) {
      const left = centredRows(x, meansX, from);
      addTo(sum, await product.of(left, x === y ? left : centredRows(y, meansY, from)));
    }
  } finally {
    await product.close();
  }
  return sum;
}

/** Squared length of every row, after the mean row is taken away. */
export function squaredLengths(features: Features): Float64Array {
  const { values, rows, dimensions } = features;
  const means = meansOf(features);
  const lengths = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < dimensions; i++) sum += (values[row * dimensions + i]! - means[i]!) ** 2;
    lengths[row] = sum;
  }
  return lengths;
}

/** The inner products between some of the rows. */
export function gramAmong({ values, rows }: Gram, kept: ArrayLike<number>): Gram {
  const count = kept.length;
  const some = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    const from = kept[i]! * rows;
    for (let j = 0; j < count; j++) some[i * count + j] = values[from + kept[j]!]!;
  }
  return { values: some, rows: count };
}

/** Some of the rows. */
export function rowsOf({ values, dimensions }: Features, kept: ArrayLike<number>): Features {
  const some = new Float32Array(kept.length * dimensions);
  for (let i = 0; i < kept.length; i++) {
    some.set(values.subarray(kept[i]! * dimensions, (kept[i]! + 1) * dimensions), i * dimensions);
  }
  return { values: some, rows: kept.length, dimensions };
}

function meansOf({ values, rows, dimensions }: Features): Float64Array {
  if (values.length !== rows * dimensions || rows === 0) {
    throw new CarryoverError(
      'bad-input',
      `${values.length} values are not ${rows} rows of ${dimensions}`,
    );
  }
  const means = new Float64Array(dimensions);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < dimensions; i++) means[i]! += values[row * dimensions + i]!;
  }
  const wrong = means.findIndex((sum) => !Number.isFinite(sum));
  if (wrong >= 0) {
    throw new CarryoverError('bad-input', `column ${wrong} has a value that is not finite`, {
      wayOut: 'leave out rows or columns with NaN or infinity',
    });
  }
  return means.map((sum) => sum / rows);
}

/** [row, column of the block]; columns beyond the last are zero. */
function centredColumns(features: Features, means: Float64Array, from: number): Float32Array {
  const { values, rows, dimensions } = features;
  const block = new Float32Array(rows * BLOCK);
  const width = Math.min(BLOCK, dimensions - from);
  for (let row = 0; row < rows; row++) {
    const at = row * dimensions + from;
    for (let i = 0; i < width; i++) block[row * BLOCK + i] = values[at + i]! - means[from + i]!;
  }
  return block;
}

/** [row of the block, dimension]; rows beyond the last are zero. */
function centredRows(features: Features, means: Float64Array, from: number): Float32Array {
  const { values, rows, dimensions } = features;
  const block = new Float32Array(BLOCK * dimensions);
  const count = Math.min(BLOCK, rows - from);
  for (let row = 0; row < count; row++) {
    const at = (from + row) * dimensions;
    for (let i = 0; i < dimensions; i++) {
      block[row * dimensions + i] = values[at + i]! - means[i]!;
    }
  }
  return block;
}

function addTo(sum: Float64Array, part: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += part[i]!;
}
