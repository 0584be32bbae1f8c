import type { Suspect } from '../../../contract/analyses.ts';
import { FINDING_CLASSES } from '../../../contract/analyses.ts';
import type { Change, ImageRow } from '../../../contract/datasets.ts';

type Judged = Pick<Suspect, 'label' | 'suggested'>;

/** The tag of images whose label, or what is said of that finding, was looked at and kept. */
export const checkedTag = (finding?: string): string =>
  finding === undefined ? 'checked' : `checked ${finding}`.slice(0, 64).trimEnd();

export type Verdict = 'open' | 'relabelled' | 'kept' | 'excluded';

/** What the user has decided on a suspect, as its image says now. */
export function verdictOf(suspect: Judged, image: ImageRow, finding?: string): Verdict {
  if (image.excluded) return 'excluded';
  if (labelNow(image, finding) !== suspect.label) return 'relabelled';
  return image.tags.includes(checkedTag(finding)) ? 'kept' : 'open';
}

/** The class of an image now, or what a finding is now. */
export function labelNow(image: ImageRow, finding?: string): string {
  if (finding === undefined) return image.label;
  const value = image.findings[finding];
  if (value === undefined) return 'not mentioned';
  return Object.entries(FINDING_CLASSES).find(([, code]) => code === value)?.[0] ?? 'uncertain';
}

/** The change that takes the suggestion. */
export function acceptance({ suggested }: Judged, finding?: string): Change {
  if (finding === undefined) return { kind: 'relabel', value: suggested };
  const code = FINDING_CLASSES[suggested as keyof typeof FINDING_CLASSES];
  return { kind: 'finding', value: `${finding}=${code}` };
}

/** Label and suggestion as one text, to choose pairs by. */
export const pairText = ({ label, suggested }: Judged): string => `${label} → ${suggested}`;
