import { CarryoverError } from '../../contract/errors.ts';
import type { Training } from '../../contract/study.ts';

/**
 * The weight of each class in the loss, or null for none. `balanced` is scikit-learn's: images /
 * (classes x images of the class), of the training images; a class without any gets 0.
 * @param labels class indices of the training images
 * @throws CarryoverError `bad-input` when weights are given for a class that is not there
 */
export function classWeightsOf(
  setting: Training['loss']['class-weights'],
  classNames: readonly string[],
  labels: ArrayLike<number>,
): Float32Array | null {
  if (setting === 'none') return null;
  if (setting !== 'balanced') return givenWeights(setting, classNames);
  const counts = new Float64Array(classNames.length);
  for (let i = 0; i < labels.length; i++)
    counts[labels[i] ?? 0] = (counts[labels[i] ?? 0] ?? 0) + 1;
  return Float32Array.from(counts, (count) =>
    count === 0 ? 0 : labels.length / (classNames.length * count),
  );
}

/** Classes that are not named weigh 1. */
function givenWeights(
  weights: Readonly<Record<string, number>>,
  classNames: readonly string[],
): Float32Array {
  const unknown = Object.keys(weights).find((name) => !classNames.includes(name));
  if (unknown !== undefined) {
    throw new CarryoverError('bad-input', `class-weights: there is no class "${unknown}"`, {
      value: unknown,
      wayOut: `name classes of the study: ${classNames.join(', ')}`,
    });
  }
  return Float32Array.from(classNames, (name) => weights[name] ?? 1);
}
