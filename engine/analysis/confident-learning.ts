/** Confident learning (Northcutt, Jiang and Chuang, arXiv 1911.00068). */
import { stream } from '../random/streams.ts';

export interface LabelIssue {
  /** Row. */
  index: number;
  /** The likeliest class. */
  suggested: number;
  /** Probability of the given label. */
  selfConfidence: number;
  /** p(given) - max of the others. */
  margin: number;
}

export interface ConfidentLearning {
  /** Mean self-confidence of each class's rows; NaN for a class without rows. */
  thresholds: Float64Array;
  /** The confident joint, calibrated to the rows per given label: estimated rows [given, true]. */
  joint: Float64Array;
  /** Off-diagonal of the joint: rows estimated to be mislabelled. */
  estimated: number;
  /** The rows to look at, lowest margin first. */
  issues: LabelIssue[];
}

/**
 * Finds likely label errors from out-of-sample probabilities. A row is counted in the confident joint
 * as being of the likeliest class among those whose probability reaches the class's threshold; rows
 * that reach none are not counted. Of the rows whose label is not the likeliest class, those are taken
 * that are counted off the diagonal, and the lowest margins up to as many as are estimated in all.
 * @param probabilities [row, class]
 * @param labels given class of each row
 */
export function confidentLearning(
  probabilities: Float32Array,
  labels: Int32Array,
  classes: number,
): ConfidentLearning {
  const thresholds = thresholdsOf(probabilities, labels, classes);
  const joint = new Float64Array(classes * classes);
  const confused = new Set<number>();
  const all: LabelIssue[] = [];
  for (const [index, given] of labels.entries()) {
    const p = probabilities.subarray(index * classes, (index + 1) * classes);
    const confident = likeliest(p, (c) => p[c]! >= thresholds[c]!);
    if (confident >= 0) joint[given * classes + confident]! += 1;
    if (confident >= 0 && confident !== given) confused.add(index);
    const suggested = likeliest(p, (c) => c !== given);
    const selfConfidence = p[given]!;
    const margin = selfConfidence - (p[suggested] ?? 0);
    if (margin < 0) all.push({ index, suggested, selfConfidence, margin });
  }
  calibrate(joint, labels, classes);
  const estimated = offDiagonal(joint, classes);
  all.sort((a, b) => a.margin - b.margin || a.index - b.index);
  const issues = all.filter(
    ({ index }, rank) => confused.has(index) || rank < Math.round(estimated),
  );
  return { thresholds, joint, estimated, issues };
}

function offDiagonal(joint: Float64Array, classes: number): number {
  let sum = 0;
  for (let at = 0; at < joint.length; at++) {
    if (Math.floor(at / classes) !== at % classes) sum += joint[at]!;
  }
  return sum;
}

function thresholdsOf(probabilities: Float32Array, labels: Int32Array, classes: number) {
  const sums = new Float64Array(classes);
  const counts = new Int32Array(classes);
  for (let index = 0; index < labels.length; index++) {
    const given = labels[index]!;
    sums[given]! += probabilities[index * classes + given]!;
    counts[given]! += 1;
  }
  return sums.map((sum, c) => sum / counts[c]!);
}

/** The class of the largest probability among those that are taken, or -1. */
function likeliest(p: Float32Array, taken: (c: number) => boolean): number {
  let best = -1;
  for (let c = 0; c < p.length; c++) {
    if (taken(c) && (best < 0 || p[c]! > p[best]!)) best = c;
  }
  return best;
}

/** Scales each row of the joint to the rows of its given label, confident or not. */
function calibrate(joint: Float64Array, labels: Int32Array, classes: number): void {
  const given = new Int32Array(classes);
  for (const label of labels) given[label]! += 1;
  for (let label = 0; label < classes; label++) {
    const row = joint.subarray(label * classes, (label + 1) * classes);
    const counted = row.reduce((sum, each) => sum + each, 0);
    if (counted === 0) row[label] = given[label]!;
    else for (let c = 0; c < classes; c++) row[c]! *= given[label]! / counted;
  }
}

/**
 * Divides rows into folds for cross-validation: groups are never divided, each class is spread as
 * evenly as they allow. Large groups first, in an order drawn with the seed, each to the fold that
 * has the least of its classes.
 * @returns fold of each row
 */
export function groupedFolds(
  labels: Int32Array,
  groups: readonly string[],
  folds: number,
  seed: number,
): Int32Array {
  const members = new Map<string, number[]>();
  for (const [index, group] of groups.entries()) {
    const own = members.get(group);
    if (own) own.push(index);
    else members.set(group, [index]);
  }
  const units = [...members.values()];
  const order = Array.from(stream(seed, 'folds').permutation(units.length), (at) => units[at]!);
  order.sort((a, b) => b.length - a.length);
  const result = new Int32Array(labels.length);
  const classes = labels.reduce((most, label) => Math.max(most, label), 0) + 1;
  const held = new Float64Array(folds * classes);
  const sizes = new Int32Array(folds);
  for (const unit of order) {
    const fold = emptiest(unit, labels, held, sizes, classes);
    for (const index of unit) {
      result[index] = fold;
      held[fold * classes + labels[index]!]! += 1;
    }
    sizes[fold]! += unit.length;
  }
  return result;
}

function emptiest(
  unit: readonly number[],
  labels: Int32Array,
  held: Float64Array,
  sizes: Int32Array,
  classes: number,
): number {
  let best = 0;
  let least = Infinity;
  for (let fold = 0; fold < sizes.length; fold++) {
    let load = 0;
    for (const index of unit) load += held[fold * classes + labels[index]!]!;
    if (load < least || (load === least && sizes[fold]! < sizes[best]!)) {
      best = fold;
      least = load;
    }
  }
  return best;
}
