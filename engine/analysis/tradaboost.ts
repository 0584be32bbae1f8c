/** TrAdaBoost (Dai et al. 2007, "Boosting for Transfer Learning"). */
import { probeProbabilities, trainProbe, type Probe } from './probe.ts';

/** Errors are held in this range, as a learner without error would end the boosting. */
const LEAST_ERROR = 1e-6;
/** Beyond it the paper's update does not hold. */
const MOST_ERROR = 0.499;

/** Source images first, then target images. */
export interface BoostingInput {
  /** [row, feature] */
  rows: Float32Array;
  features: number;
  labels: Int32Array;
  classes: number;
  /** The first so many rows are of the source. */
  sources: number;
  /** N, the number of learners. */
  turns: number;
  inverseStrength?: number;
}

export interface Boosted {
  /** Of the last half of the turns that were made, which vote. */
  learners: { probe: Probe; vote: number }[];
  /** Weighted error on the target, by turn. */
  errors: number[];
  /** Of the source rows after the last turn; before the first all weigh 1. */
  sourceWeights: Float64Array;
}

/**
 * Boosts weighted linear probes: source images that are told wrong lose weight by
 * 1 / (1 + sqrt(2 ln n / N)), target images that are told wrong gain by AdaBoost's
 * beta_t = e_t / (1 - e_t). With several classes an image is wrong or right (0 or 1), and learners vote
 * for their class with weight ln(1 / beta_t). Boosting ends early where the error reaches 1/2.
 */
export function trAdaBoost(input: BoostingInput): Boosted {
  const { rows, features, labels, classes, sources, turns } = input;
  const weights = new Float64Array(labels.length).fill(1);
  const all: { probe: Probe; vote: number }[] = [];
  const errors: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const rowWeights = weights.map((weight) => (weight / sum) * labels.length);
    const strength = { inverseStrength: input.inverseStrength ?? 1 };
    const probe = trainProbe(rows, labels, { features, classes, rowWeights, ...strength });
    const predicted = likeliest(probeProbabilities(probe, rows), classes);
    const wrong = Uint8Array.from(predicted, (label, row) => Number(label !== labels[row]));
    const error = targetError(weights, wrong, sources);
    errors.push(error);
    if (error >= 0.5 && turn > 0) break;
    const held = Math.min(MOST_ERROR, Math.max(LEAST_ERROR, error));
    all.push({ probe, vote: Math.log((1 - held) / held) });
    updateWeights(weights, wrong, { sources, turns, error: held });
  }
  const learners = all.slice(Math.ceil(all.length / 2) - 1);
  return { learners, errors, sourceWeights: weights.slice(0, sources) };
}

/** Weighted error rate on the target. */
export function targetError(weights: Float64Array, wrong: Uint8Array, sources: number): number {
  let [sum, total] = [0, 0];
  for (let row = sources; row < weights.length; row++) {
    total += weights[row]!;
    sum += weights[row]! * wrong[row]!;
  }
  return sum / total;
}

/** One turn's change of the weights, in place. @param error of the target, in (0, 1/2) */
export function updateWeights(
  weights: Float64Array,
  wrong: Uint8Array,
  { sources, turns, error }: { sources: number; turns: number; error: number },
): void {
  const down = 1 / (1 + Math.sqrt((2 * Math.log(sources)) / turns));
  const up = (1 - error) / error;
  for (let row = 0; row < weights.length; row++) {
    if (wrong[row]) weights[row]! *= row < sources ? down : up;
  }
}

/** The class with the most votes of each row. */
export function boostedClasses(boosted: Boosted, rows: Float32Array, classes: number): Int32Array {
  const features = boosted.learners[0]!.probe.features;
  const votes = new Float64Array((rows.length / features) * classes);
  for (const { probe, vote } of boosted.learners) {
    const labels = likeliest(probeProbabilities(probe, rows), classes);
    labels.forEach((label, row) => (votes[row * classes + label]! += vote));
  }
  return likeliest(votes, classes);
}

function likeliest(values: ArrayLike<number>, classes: number): Int32Array {
  return Int32Array.from({ length: values.length / classes }, (_, row) => {
    let best = 0;
    for (let c = 1; c < classes; c++) {
      if (values[row * classes + c]! > values[row * classes + best]!) best = c;
    }
    return best;
  });
}
