import type { TrustReport } from '../../../contract/trust.ts';
import { gridOf } from '../data/filter.ts';
import { count } from '../lib/format.ts';

export type Level = TrustReport['findings'][number]['level'];

/** What a report comes to, by its worst finding; null: none that matters. */
export function verdictOf({ findings }: Pick<TrustReport, 'findings'>): 'bad' | 'warn' | null {
  if (findings.some(({ level }) => level === 'bad')) return 'bad';
  return findings.some(({ level }) => level === 'warn') ? 'warn' : null;
}

export const VERDICTS = {
  bad: 'Figures made from it would mislead',
  warn: 'Look before you trust it',
  none: 'Nothing to distrust was found',
} as const;

/** The parts of a report, as its tabs. */
export const PARTS = [
  'conflicts',
  'exact',
  'near',
  'groups',
  'odd',
  'unreadable',
  'counts',
] as const;
export type Part = (typeof PARTS)[number];

export const PART_TITLES: Readonly<Record<Part, string>> = {
  conflicts: 'Label conflicts',
  exact: 'Identical',
  near: 'Nearly identical',
  groups: 'Groups over splits',
  odd: 'Odd images',
  unreadable: 'Files not taken',
  counts: 'Balance',
};

/** How many there are of a part; null where it is no list. */
export function sizeOf(report: TrustReport, part: Part): number | null {
  if (part === 'groups') return report.groupsAcrossSplits.groups;
  if (part === 'odd') {
    return report.oddSizes.length + report.blank.length + report.nearConstant.length;
  }
  return part === 'counts' ? null : report[part].length;
}

/** The part to begin with: the first that has something. */
export function firstPart(report: TrustReport): Part {
  return PARTS.find((part) => (sizeOf(report, part) ?? 1) > 0) ?? 'counts';
}

/** An address holds so many ids; of a longer list the first are shown. */
const MOST_LINKED = 100_000;

/** The grid with these images, and what to call the way there. */
export function imagesLink(
  datasetId: string,
  ids: readonly number[],
): { href: string; text: string } {
  const images = ids.length === 1 ? 'the image' : `${count(ids.length)} images`;
  const text = ids.length > MOST_LINKED ? `the first ${count(MOST_LINKED)} of ${images}` : images;
  return { href: gridOf(datasetId, ids.slice(0, MOST_LINKED)), text: `Show ${text}` };
}
