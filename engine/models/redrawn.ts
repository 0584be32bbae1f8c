/** Starts that keep only low-level statistics of pretrained weights. */
import type { RandomState } from '../random/random-state.ts';
import { stream } from '../random/streams.ts';
import type { ParameterSpec } from './model.ts';

/** A tensor's values are not touched; each function returns new ones, of the same shape. */
type Values = Float32Array;

/** Share of the mean variance that is added to the covariance's diagonal, so that it has a root. */
const JITTER = 1e-10;

/** The values of a tensor in random order: its distribution without its structure. */
export function permuted(values: Values, random: RandomState): Values {
  const order = random.permutation(values.length);
  return values.map((_, at) => values[order[at]!]!);
}

/**
 * A tensor drawn from a Gaussian of its own moments. Filters [out, in, row, column] of more than
 * one value are drawn as wholes, with the mean and the covariance (over all out x in filters, divided
 * by their number) of their values (Maennel et al. 2020, arXiv 2006.10455, Sec. 3); every other tensor
 * value by value, with the mean and variance of all its values.
 */
export function gaussian(values: Values, shape: readonly number[], random: RandomState): Values {
  const size = filterSize(shape);
  const { mean, covariance } = moments(values, size);
  const root = cholesky(covariance, size);
  const drawn = new Float32Array(values.length);
  const normal = new Float64Array(size);
  for (let offset = 0; offset < values.length; offset += size) {
    for (let i = 0; i < size; i++) normal[i] = random.normal();
    for (let i = 0; i < size; i++) {
      let value = mean[i]!;
      for (let k = 0; k <= i; k++) value += root[i * size + k]! * normal[k]!;
      drawn[offset + i] = value;
    }
  }
  return drawn;
}

/**
 * A random start scaled so that its standard deviation is the pretrained tensor's (the scale that
 * Raghu et al. 2019, arXiv 1902.07208, transfer). A start without spread, such as zeros, stays as it is.
 */
export function rescaled(start: Values, pretrained: Values): Values {
  if (start.every((value) => value === start[0])) return start.slice();
  const factor = deviation(pretrained) / deviation(start);
  return start.map((value) => value * factor);
}

/**
 * What takes the place of a pretrained tensor. BatchNorm's running statistics are kept as they are.
 * @param start the tensor as the run's own random start has it
 * @param seed of the streams `permute/NAME` and `gaussian/NAME`
 */
export function redrawn(
  kind: 'permuted' | 'gaussian' | 'rescaled',
  { name, shape, role }: Pick<ParameterSpec, 'name' | 'shape' | 'role'>,
  { pretrained, start }: { pretrained: Values; start: Values },
  seed: number,
): Values {
  if (role === 'statistic') return pretrained;
  if (kind === 'rescaled') return rescaled(start, pretrained);
  if (kind === 'permuted') return permuted(pretrained, stream(seed, 'permute', name));
  return gaussian(pretrained, shape, stream(seed, 'gaussian', name));
}

/** Values that are drawn together. */
function filterSize(shape: readonly number[]): number {
  return shape.length === 4 ? shape[2]! * shape[3]! : 1;
}

/** Mean [size] and covariance [size, size] of rows of `size` values, divided by the number of rows. */
export function moments(
  values: Values,
  size: number,
): { mean: Float64Array; covariance: Float64Array } {
  const rows = values.length / size;
  const mean = new Float64Array(size);
  values.forEach((value, at) => (mean[at % size]! += value / rows));
  const covariance = new Float64Array(size * size);
  for (let offset = 0; offset < values.length; offset += size) {
    for (let i = 0; i < size; i++) {
      const deviation = (values[offset + i]! - mean[i]!) / rows;
      for (let k = 0; k <= i; k++) {
        covariance[i * size + k]! += deviation * (values[offset + k]! - mean[k]!);
      }
    }
  }
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) covariance[k * size + i] = covariance[i * size + k]!;
  }
  return { mean, covariance };
}

/** The lower triangle L with L L' = covariance plus a tiny diagonal; a value without spread has none. */
function cholesky(covariance: Float64Array, size: number): Float64Array {
  let trace = 0;
  for (let i = 0; i < size; i++) trace += covariance[i * size + i]!;
  const jitter = size > 1 ? (JITTER * trace) / size : 0;
  const root = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k <= i; k++) {
      let rest = covariance[i * size + k]! + (i === k ? jitter : 0);
      for (let j = 0; j < k; j++) rest -= root[i * size + j]! * root[k * size + j]!;
      const pivot = root[k * size + k]!;
      if (i === k) root[i * size + i] = Math.sqrt(Math.max(0, rest));
      else root[i * size + k] = pivot === 0 ? 0 : rest / pivot;
    }
  }
  return root;
}

/** Of all values together, divided by their number. */
function deviation(values: Values): number {
  return Math.sqrt(moments(values, 1).covariance[0]!);
}
