/** The images that a search for label errors asks about, and the classes that it tells apart. */
import type { Database } from 'better-sqlite3';
import { FINDING_CLASSES } from '../../contract/analyses.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { getSummary, listNames } from '../datasets/read.ts';
import type { StudyImage } from '../studies/data.ts';

/** What is asked about; parallel lists. */
export interface Judged {
  /** Positions in the list of images. */
  places: number[];
  /** Of each place, an index into `classes`. */
  labels: number[];
  classes: string[];
  /** What was left out. */
  notes: string[];
}

/** Throws `bad-input` where a multi-label set comes without one of its findings, or another with one. */
export function requireSubject(db: Database, datasetId: string, finding: string | undefined): void {
  const { name, task } = getSummary(db, datasetId);
  if (task === 'single-label') {
    if (finding === undefined) return;
    throw new CarryoverError('bad-input', `the images of "${name}" have a class, no findings`, {
      value: finding,
      wayOut: 'leave the finding out',
    });
  }
  const findings = listNames(db, 'classes', datasetId);
  if (finding !== undefined && findings.includes(finding)) return;
  throw new CarryoverError(
    'bad-input',
    finding === undefined
      ? `"${name}" has several findings an image: label errors are looked for in one of them`
      : `"${name}" has no finding "${finding}"`,
    { value: finding ?? name, wayOut: `choose one of ${findings.join(', ')}` },
  );
}

/**
 * Images of classes that can be learnt without any one of their groups. With a finding: those on
 * which it is known to be present or absent. Throws `bad-input` where less than two classes are left.
 */
export function judgedImages(images: readonly StudyImage[], finding?: string): Judged {
  const named = images.map((image) => labelOf(image, finding));
  const groups = new Map<string, Set<string>>();
  for (const [at, label] of named.entries()) {
    if (label === null) continue;
    groups.set(label, (groups.get(label) ?? new Set()).add(images[at]!.group));
  }
  const [learnable, single] = [[] as string[], [] as string[]];
  for (const [label, own] of groups) (own.size > 1 ? learnable : single).push(label);
  const classes = learnable.sort();
  if (classes.length < 2) throw tooFew(finding);
  const indices = new Map(classes.map((label, index) => [label, index]));
  const places = [...images.keys()].filter((at) => indices.has(named[at] ?? ''));
  const labels = places.map((at) => indices.get(named[at]!)!);
  const notes = finding === undefined ? ofOneGroup(single) : unknown(images, finding);
  return { places, labels, classes, notes };
}

/** The class, or what a finding is known to be; null where nothing is. */
function labelOf({ labels, findings }: StudyImage, finding: string | undefined): string | null {
  if (finding === undefined) return labels[0]!;
  const value = findings.get(finding);
  const named = Object.entries(FINDING_CLASSES).find(([, code]) => code === value);
  return named?.[0] ?? null;
}

function tooFew(finding: string | undefined): CarryoverError {
  return finding === undefined
    ? new CarryoverError('bad-input', 'label errors take two classes of two groups each', {
        wayOut: 'import more images, or other groups',
      })
    : new CarryoverError(
        'bad-input',
        `label errors take images of two groups with ${finding} present, and of two with it absent`,
        { value: finding, wayOut: 'choose another finding, or import more images' },
      );
}

function ofOneGroup(classes: readonly string[]): string[] {
  if (classes.length === 0) return [];
  const more = classes.length > 5 ? ` and ${classes.length - 5} more classes` : '';
  return [
    `left out, as all their images are of one group: ${classes.slice(0, 5).join(', ')}${more}`,
  ];
}

const imagesOf = (count: number): string => `${count} image${count === 1 ? '' : 's'}`;

function unknown(images: readonly StudyImage[], finding: string): string[] {
  const values = images.map(({ findings }) => findings.get(finding));
  const uncertain = values.filter((value) => value === -1).length;
  const blank = values.filter((value) => value === undefined).length;
  const parts = [
    ...(uncertain > 0 ? [`${finding} is uncertain on ${imagesOf(uncertain)}`] : []),
    ...(blank > 0 ? [`${finding} is not mentioned on ${imagesOf(blank)}`] : []),
  ];
  return parts.length === 0 ? [] : [`left out: ${parts.join(', ')}`];
}
