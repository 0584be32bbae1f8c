import type { Suspect } from '../../../contract/analyses.ts';
import type { ImageRow } from '../../../contract/datasets.ts';

/** The tag of images whose label was looked at and kept. */
export const CHECKED = 'checked';

export type Verdict = 'open' | 'relabelled' | 'kept' | 'excluded';

/** What the user has decided on a suspect, as its image says now. */
export function verdictOf(suspect: Suspect, image: ImageRow): Verdict {
  if (image.excluded) return 'excluded';
  if (image.label !== suspect.label) return 'relabelled';
  return image.tags.includes(CHECKED) ? 'kept' : 'open';
}

/** Label and suggestion as one text, to choose pairs by. */
export const pairText = ({ label, suggested }: Pick<Suspect, 'label' | 'suggested'>): string =>
  `${label} → ${suggested}`;

/** What the accuracy of the probe says of its suspicions; null where there is nothing to say. */
export function caution(accuracy: number, classes: number): string | null {
  if (accuracy >= 0.75) return null;
  const chance = 1 / Math.max(1, classes);
  return accuracy < 2 * chance
    ? 'By these features the classes are hardly told apart: suspicions are close to guesses.'
    : 'Where the model is often wrong, many suspicions are its own mistakes: look at the first ones, and choose better features.';
}
