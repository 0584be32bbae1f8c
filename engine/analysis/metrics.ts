import { CarryoverError } from '../../contract/errors.ts';

/** Arithmetic mean. @throws bad-input when there are no values */
export function mean(values: ArrayLike<number>): number {
  if (values.length === 0) throw new CarryoverError('bad-input', 'no values to average');
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/**
 * Quantile by linear interpolation between order statistics (type 7, NumPy's default).
 * @param sorted ascending, at least one value
 * @param q in [0, 1]
 */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) throw new CarryoverError('bad-input', 'no values to take a quantile of');
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (at - low);
}

/** Share of equal entries. @throws bad-input when there are none, or the lengths differ */
export function accuracy(truth: ArrayLike<number>, predicted: ArrayLike<number>): number {
  if (truth.length === 0 || truth.length !== predicted.length) {
    throw new CarryoverError(
      'bad-input',
      `accuracy of ${predicted.length} predictions for ${truth.length} images is not defined`,
    );
  }
  let right = 0;
  for (let i = 0; i < truth.length; i++) if (truth[i] === predicted[i]) right++;
  return right / truth.length;
}

/** Softmax of each row of n x classes logits; the maximum is subtracted first. */
export function softmaxRows(logits: Float32Array, classes: number): Float32Array {
  const result = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    let max = -Infinity;
    for (let c = 0; c < classes; c++) max = Math.max(max, logits[start + c]!);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(logits[start + c]! - max);
    for (let c = 0; c < classes; c++) {
      result[start + c] = Math.exp(logits[start + c]! - max) / sum;
    }
  }
  return result;
}

/**
 * Index of the largest value of each row of n x classes; the first of equals.
 * @throws bad-input when a value is not finite: no class is the largest then
 */
export function argmaxRows(values: Float32Array, classes: number): Int32Array {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) {
    const [row, value] = [Math.floor(at / classes), String(values[at])];
    throw new CarryoverError('bad-input', `row ${row} of the logits holds ${value}: no class`, {
      value,
      wayOut: 'make logits that are finite: at a lower learning rate, from other weights',
    });
  }
  const result = new Int32Array(values.length / classes);
  for (let row = 0; row < result.length; row++) {
    let best = 0;
    for (let c = 1; c < classes; c++) {
      if (values[row * classes + c]! > values[row * classes + best]!) best = c;
    }
    result[row] = best;
  }
  return result;
}

/**
 * 100 (pretrained - random) / pretrained: the share of the pretrained arm's accuracy that the
 * random arm lacks, in percent (the numbers above the paper's Fig. 3); null when pretrained is 0.
 */
export function relativeDrop(pretrained: number, random: number): number | null {
  return pretrained === 0 ? null : (100 * (pretrained - random)) / pretrained;
}
