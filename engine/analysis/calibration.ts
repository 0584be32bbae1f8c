/** How far stated probabilities are from what comes true. */
import { CarryoverError } from '../../contract/errors.ts';
import { normalCdf } from './distributions.ts';

/** Images of like confidence. */
export interface CalibrationBin {
  images: number;
  /** Mean of what was stated. */
  confidence: number;
  /** Share that came true. */
  accuracy: number;
}

export interface Calibration {
  /** By rising confidence. */
  bins: CalibrationBin[];
  /** Expected calibration error, sum of share x |confidence - accuracy|: biased upwards. */
  plugin: number;
  /**
   * The same less its bias, estimated by taking each bin's accuracy as normal with its binomial
   * standard error (Kumar, Liang and Ma 2019, arXiv 1909.10155, and the authors' library, there by
   * simulation). May be below 0, for a model that is calibrated.
   */
  debiased: number;
  /**
   * Squared calibration error, sum of share x ((confidence - accuracy)^2 - accuracy (1 - accuracy) /
   * (images - 1)): the bias removed exactly (Kumar et al. 2019, eq. 5; Broecker 2012). May be below 0.
   */
  debiasedSquared: number;
}

/**
 * Calibration over bins of equal mass; equal confidences stay in one bin, so that the order of the
 * images is no matter. There are fewer bins where each would have fewer than two images.
 * @param confidence stated probabilities, in [0, 1]
 * @param right 1 where it came true, else 0
 * @param times how often each image counts; absent: once
 * @returns null without two images
 */
export function calibration(
  confidence: ArrayLike<number>,
  right: ArrayLike<number>,
  bins: number,
  times?: ArrayLike<number>,
): Calibration | null {
  if (confidence.length !== right.length) {
    throw new CarryoverError(
      'bad-input',
      `${confidence.length} confidences for ${right.length} outcomes`,
    );
  }
  return inOrder(ascending(confidence), confidence, right, bins, times);
}

/** Images by rising confidence. */
export function ascending(confidence: ArrayLike<number>): Int32Array {
  return Int32Array.from({ length: confidence.length }, (_, at) => at).sort(
    (a, b) => confidence[a]! - confidence[b]! || a - b,
  );
}

/** `calibration`, given `ascending(confidence)`: for many draws of one list. */
export function inOrder(
  order: Int32Array,
  confidence: ArrayLike<number>,
  right: ArrayLike<number>,
  bins: number,
  times?: ArrayLike<number>,
): Calibration | null {
  let total = 0;
  for (const at of order) total += times === undefined ? 1 : times[at]!;
  if (total < 2) return null;
  return estimates(divided(order, confidence, right, ends(total, bins), times), total);
}

/** Images up to each bin's end, as NumPy's `array_split` divides them. */
function ends(total: number, bins: number): number[] {
  const many = Math.max(1, Math.min(bins, Math.floor(total / 2)));
  const [base, longer] = [Math.floor(total / many), total % many];
  return Array.from({ length: many }, (_, bin) => base * (bin + 1) + Math.min(bin + 1, longer));
}

function divided(
  order: Int32Array,
  confidence: ArrayLike<number>,
  right: ArrayLike<number>,
  binEnds: readonly number[],
  times?: ArrayLike<number>,
): CalibrationBin[] {
  const found: CalibrationBin[] = [];
  let [bin, done, images, stated, came] = [0, 0, 0, 0, 0];
  const close = () => {
    if (images > 0) found.push({ images, confidence: stated / images, accuracy: came / images });
    [images, stated, came] = [0, 0, 0];
  };
  let last = NaN;
  for (const at of order) {
    const count = times === undefined ? 1 : times[at]!;
    if (count === 0) continue;
    if (done >= binEnds[bin]! && confidence[at] !== last) {
      close();
      while (done >= binEnds[bin]!) bin += 1;
    }
    last = confidence[at]!;
    images += count;
    done += count;
    stated += count * last;
    came += count * right[at]!;
  }
  close();
  return found;
}

function estimates(bins: CalibrationBin[], total: number): Calibration {
  let [plugin, expected, debiasedSquared] = [0, 0, 0];
  for (const { images, confidence, accuracy } of bins) {
    const share = images / total;
    const gap = accuracy - confidence;
    const spread = accuracy * (1 - accuracy);
    plugin += share * Math.abs(gap);
    expected += share * foldedNormalMean(gap, Math.sqrt(spread / images));
    debiasedSquared += share * (gap * gap - (images > 1 ? spread / (images - 1) : 0));
  }
  return { bins, plugin, debiased: 2 * plugin - expected, debiasedSquared };
}

/** E|X| for X ~ N(mean, deviation^2). */
function foldedNormalMean(mean: number, deviation: number): number {
  if (deviation === 0) return Math.abs(mean);
  const z = mean / deviation;
  const density = Math.exp((-z * z) / 2) * Math.sqrt(2 / Math.PI);
  return deviation * density + mean * (1 - 2 * normalCdf(-z));
}
