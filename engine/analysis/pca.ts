import { largestEigen } from './eigen.ts';
import { matrixProduct } from './product.ts';

const BLOCK = 1024;
/** Of the largest variance; what is below is rounding. */
const LEAST_SHARE = 1e-6;

export interface Components {
  /** [row, component], the largest variance first. */
  scores: Float32Array;
  count: number;
  /** Of each component, with divisor rows - 1. */
  variances: Float64Array;
}

/**
 * Principal components of rows of features (not scaled, centred): at most `most`, fewer where the
 * rows have fewer directions. Signs: each component's largest loading is positive.
 * @param values [row, feature]
 */
export async function principalComponents(
  values: Float32Array,
  features: number,
  most: number,
): Promise<Components> {
  const rows = values.length / features;
  const means = meansOf(values, features);
  const covariance = await covarianceOf(values, features, means);
  const { values: all, vectors } = largestEigen(covariance, features, Math.min(most, rows - 1));
  const count = Math.max(1, all.filter((value) => value > LEAST_SHARE * all[0]!).length);
  const loadings = Float32Array.from(vectors.subarray(0, count * features));
  const scores = new Float32Array(rows * count);
  const product = await matrixProduct({
    ...{ rows: BLOCK, inner: features, columns: count, transposeB: true },
  });
  try {
    for (let from = 0; from < rows; from += BLOCK) {
      const block = await product.of(centred(values, features, means, from), loadings);
      const size = Math.min(BLOCK, rows - from);
      scores.set(block.subarray(0, size * count), from * count);
    }
  } finally {
    await product.close();
  }
  return { scores, count, variances: all.slice(0, count) };
}

function meansOf(values: Float32Array, features: number): Float64Array {
  const rows = values.length / features;
  const means = new Float64Array(features);
  for (let at = 0; at < values.length; at += features) {
    for (let i = 0; i < features; i++) means[i]! += values[at + i]!;
  }
  return means.map((sum) => sum / rows);
}

/** A block of rows without their means; rows beyond the end are zero. */
function centred(values: Float32Array, features: number, means: Float64Array, from: number) {
  const block = new Float32Array(BLOCK * features);
  const given = values.subarray(from * features, (from + BLOCK) * features);
  for (let at = 0; at < given.length; at += features) {
    for (let i = 0; i < features; i++) block[at + i] = given[at + i]! - means[i]!;
  }
  return block;
}

async function covarianceOf(values: Float32Array, features: number, means: Float64Array) {
  const rows = values.length / features;
  const sum = new Float64Array(features * features);
  const product = await matrixProduct({
    ...{ rows: features, inner: BLOCK, columns: features, transposeA: true },
  });
  try {
    for (let from = 0; from < rows; from += BLOCK) {
      const block = centred(values, features, means, from);
      const part = await product.of(block, block);
      for (let i = 0; i < sum.length; i++) sum[i]! += part[i]!;
    }
  } finally {
    await product.close();
  }
  return sum.map((each) => each / Math.max(1, rows - 1));
}
