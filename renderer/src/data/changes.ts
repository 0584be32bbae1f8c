import type { Change, ChangeEntry, FindingValue } from '../../../contract/datasets.ts';
import { counted } from '../lib/format.ts';

/** The four things that can be known of a finding, as a change writes them. */
export const FINDING_STATES = [
  { code: '1', title: 'present' },
  { code: '0', title: 'absent' },
  { code: '-1', title: 'uncertain' },
  { code: 'blank', title: 'not mentioned' },
] as const;

/** How a change writes what is known of a finding. */
export const findingCode = (value: FindingValue | undefined): string =>
  value === undefined ? 'blank' : String(value);

/** `Pneumonia=-1` in words. */
function findingText(value: string): string {
  const at = value.lastIndexOf('=');
  const state = FINDING_STATES.find(({ code }) => code === value.slice(at + 1));
  return `${value.slice(0, at)}: ${state?.title ?? value.slice(at + 1)}`;
}

const TEXTS: Record<Change['kind'], (value: string) => string> = {
  relabel: (value) => `relabelled to ${value}`,
  finding: findingText,
  tag: (value) => `tagged ${value}`,
  untag: (value) => `tag ${value} taken away`,
  exclude: () => 'excluded',
  include: () => 'included again',
};

/** "12 images relabelled to cat". */
export const changeText = (entry: ChangeEntry): string =>
  `${counted(entry.images, 'image')} ${TEXTS[entry.kind](entry.value ?? '')}`;
