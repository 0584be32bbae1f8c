/** Addresses of the window that figures lead to. */
import type { StudyView } from './definition.ts';

/** Two runs compared, or one cell of theirs. */
export function pairLink(a: string, b: string, cell?: string): string {
  return address('compare', { a, b, cell });
}

/** A run within its study. */
export function runLink(study: string, run: string): string {
  return address(`studies/${encodeURIComponent(study)}`, { run });
}

/** The runs behind a number of several: its `link`, or nothing where none is known. */
export function behind(
  study: string,
  ...values: readonly (readonly { run?: string }[])[]
): { link?: string } {
  const runs = [...new Set(values.flat().flatMap(({ run }) => run ?? []))];
  if (runs.length === 0) return {};
  if (runs.length === 1) return { link: runLink(study, runs[0]!) };
  return { link: address(`studies/${encodeURIComponent(study)}`, { runs: runs.join() }) };
}

/** An image of a data set. */
export function imageLink(dataset: string, image: number): string {
  return address(`data/${encodeURIComponent(dataset)}`, { image: String(image) });
}

/** The images of a domain. */
export function domainLink(dataset: string, domain: string): string {
  return address(`data/${encodeURIComponent(dataset)}`, { domain });
}

/** The test images of a study, or those of them that a filter of the data page leaves. */
export function testedLink(
  { id, study }: Pick<StudyView, 'id' | 'study'>,
  filter: Record<string, readonly string[]> = {},
): string {
  return address(`data/${encodeURIComponent(study.dataset.id)}`, {
    ...{ study: id, split: 'test' },
    ...filter,
  });
}

function address(
  path: string,
  query: Record<string, string | readonly string[] | undefined>,
): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    [value ?? []].flat().flatMap((one): [string, string][] => (one === '' ? [] : [[key, one]])),
  );
  const search = new URLSearchParams(given).toString();
  return `#/${path}${search === '' ? '' : `?${search}`}`;
}
