/** Numbers of a classifier that follow from its confusion matrix. */
import { CarryoverError } from '../../contract/errors.ts';

/**
 * Images by [true class, predicted class], row-major.
 * @param times how often each image counts (a bootstrap's draw); absent: once
 */
export function confusionMatrix(
  truth: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
  times?: ArrayLike<number>,
): Float64Array {
  if (truth.length !== predicted.length) {
    throw new CarryoverError(
      'bad-input',
      `${predicted.length} predictions for ${truth.length} images`,
    );
  }
  const matrix = new Float64Array(classes * classes);
  for (let i = 0; i < truth.length; i++) {
    const [row, column] = [truth[i]!, predicted[i]!];
    if (!(row >= 0 && row < classes && column >= 0 && column < classes)) {
      const message = `image ${i} is of class ${row}, told ${column}; there are ${classes} classes`;
      throw new CarryoverError('bad-input', message);
    }
    matrix[row * classes + column]! += times === undefined ? 1 : times[i]!;
  }
  return matrix;
}

/** Of one class; null where nothing is in the denominator. */
export interface ClassMetrics {
  /** Images of the class. */
  support: number;
  precision: number | null;
  recall: number | null;
  /** 2 TP / (2 TP + FP + FN); null for a class that is neither true nor predicted anywhere. */
  f1: number | null;
}

export function perClassMetrics(matrix: Float64Array, classes: number): ClassMetrics[] {
  return Array.from({ length: classes }, (_, c) => {
    let [support, predicted] = [0, 0];
    for (let other = 0; other < classes; other++) {
      support += matrix[c * classes + other]!;
      predicted += matrix[other * classes + c]!;
    }
    const right = matrix[c * classes + c]!;
    return {
      support,
      precision: predicted === 0 ? null : right / predicted,
      recall: support === 0 ? null : right / support,
      f1: support + predicted === 0 ? null : (2 * right) / (support + predicted),
    };
  });
}

export interface OverallMetrics {
  accuracy: number | null;
  /** Mean recall of the classes that have images. */
  balancedAccuracy: number | null;
  /** Mean F1 of the classes that are true or predicted somewhere. */
  macroF1: number | null;
}

/**
 * `accuracy_score`, `balanced_accuracy_score` and `f1_score(average='macro')` of scikit-learn.
 * All null where there are no images.
 */
export function overallMetrics(matrix: Float64Array, classes: number): OverallMetrics {
  const own = perClassMetrics(matrix, classes);
  let [right, all] = [0, 0];
  for (let c = 0; c < classes; c++) right += matrix[c * classes + c]!;
  for (const { support } of own) all += support;
  return {
    accuracy: all === 0 ? null : right / all,
    balancedAccuracy: meanOf(own.map(({ recall }) => recall)),
    macroF1: meanOf(own.map(({ f1 }) => f1)),
  };
}

function meanOf(values: readonly (number | null)[]): number | null {
  const defined = values.filter((value) => value !== null);
  if (defined.length === 0) return null;
  return defined.reduce((sum, value) => sum + value, 0) / defined.length;
}
