import type { ImportReport, SkippedFile } from '../../contract/datasets.ts';
import { isMislabelled } from './inspect.ts';
import { ONLY_DOMAIN } from './layout.ts';
import type { Metadata } from './metadata.ts';
import { imageKey } from './metadata.ts';
import { byCodeUnits, counted, fewOf, sortedSet } from './order.ts';
import type { ScannedImage } from './scan.ts';

const SMALL_CLASS = 10;
const SPLIT_NAMES = new Set(['train', 'training', 'val', 'valid', 'validation', 'test', 'testing']);

/** What a scan found, before it is put into words. */
export interface Findings {
  root: string;
  layout: ImportReport['layout'];
  /** In the order of their paths; not empty. */
  images: ScannedImage[];
  skipped: SkippedFile[];
  layoutWarnings: string[];
  metadata: Metadata | null;
  /** Groups joined because of identical content. */
  joined: number;
}

export function buildReport(findings: Findings): ImportReport {
  const { root, layout, images, skipped, metadata } = findings;
  const classNames = sortedSet(images.map((image) => image.label));
  const domainNames = sortedSet(images.map((image) => image.domain));
  const same = identicalFiles(images);
  const tables = { classNames, domainNames, counts: count(images, domainNames, classNames) };
  return {
    root,
    layout,
    images: images.length,
    bytes: images.reduce((sum, image) => sum + image.bytes, 0),
    ...tables,
    groupedBy: metadata?.hasGroups ? 'group column of metadata.csv' : 'identical content',
    groups: new Set(images.map((image) => image.group)).size,
    skipped,
    duplicates: same.map((set) => set.map((image) => image.path)),
    conflicts: conflicts(same),
    warnings: warnings(findings, tables),
    licences: licences(images),
  };
}

function count(images: ScannedImage[], domains: string[], classes: string[]): number[][] {
  const row = new Map(domains.map((name, i) => [name, i]));
  const column = new Map(classes.map((name, i) => [name, i]));
  const counts = domains.map(() => classes.map(() => 0));
  for (const { domain, label } of images) {
    const cells = counts[row.get(domain) ?? 0];
    const at = column.get(label) ?? 0;
    if (cells) cells[at] = (cells[at] ?? 0) + 1;
  }
  return counts;
}

/** Sets of two and more images with the same bytes. */
function identicalFiles(images: ScannedImage[]): ScannedImage[][] {
  const sets = Map.groupBy(images, (image) => image.sha256);
  return [...sets.values()].filter((set) => set.length > 1);
}

function conflicts(same: ScannedImage[][]): ImportReport['conflicts'] {
  const found = same.map((set) => ({
    paths: set.map((image) => image.path),
    classes: sortedSet(set.map((image) => image.label)),
  }));
  return found.filter(({ classes }) => classes.length > 1);
}

function licences(images: ScannedImage[]): ImportReport['licences'] {
  if (images.every((image) => image.licence === null)) return [];
  const byLicence = Map.groupBy(images, (image) => image.licence ?? 'not stated');
  return [...byLicence]
    .map(([licence, members]) => ({ licence, images: members.length }))
    .sort((a, b) => byCodeUnits(a.licence, b.licence));
}

type Tables = Pick<ImportReport, 'classNames' | 'domainNames' | 'counts'>;

function warnings(findings: Findings, tables: Tables): string[] {
  return [
    ...findings.layoutWarnings,
    ...classWarnings(tables),
    ...domainWarnings(tables),
    ...groupWarnings(findings),
    ...metadataWarnings(findings),
    ...fileWarnings(findings.images),
  ];
}

function classWarnings({ classNames, counts }: Tables): string[] {
  const found: string[] = [];
  if (classNames.length === 1) {
    found.push(`one class only (${classNames[0]}): a classifier has nothing to tell apart`);
  }
  const sizes = classNames.map((_, i) => counts.reduce((sum, row) => sum + (row[i] ?? 0), 0));
  const small = classNames.filter((_, i) => (sizes[i] ?? 0) < SMALL_CLASS);
  if (small.length > 0) {
    const verb = small.length === 1 ? 'has' : 'have';
    found.push(
      `${counted(small.length, 'class', 'classes')} ${verb} fewer than ${SMALL_CLASS} images: ${fewOf(small)}`,
    );
  }
  const folded = Map.groupBy(classNames, (name) => name.normalize('NFC').trim().toLowerCase());
  for (const names of folded.values()) {
    if (names.length > 1) found.push(`classes that differ in little: ${names.join(', ')}`);
  }
  return found;
}

function domainWarnings({ classNames, domainNames, counts }: Tables): string[] {
  const found: string[] = [];
  const empty = counts.flat().filter((images) => images === 0).length;
  if (empty > 0) {
    const cells = domainNames.length * classNames.length;
    found.push(`${empty} of ${cells} combinations of domain and class have no image`);
  }
  if (domainNames.every((name) => SPLIT_NAMES.has(name.toLowerCase()))) {
    found.push(
      `the first folders (${domainNames.join(', ')}) look like splits; they were read as domains`,
    );
  }
  return domainNames.length === 1 && domainNames[0] === ONLY_DOMAIN ? [] : found;
}

function groupWarnings({ images, metadata, joined }: Findings): string[] {
  if (!metadata?.hasGroups) {
    return [
      'ungrouped: without a group column in metadata.csv, images that belong together ' +
        '(one patient, one artist) may fall on both sides of a split; identical files will not',
    ];
  }
  const found: string[] = [];
  const without = images.filter(({ path }) => !metadata.rows.get(imageKey(path))?.group);
  if (without.length > 0) {
    found.push(
      `${counted(without.length, 'image')} without a group in metadata.csv, each grouped with its ` +
        `identical files only: ${fewOf(without.map(({ path }) => path))}`,
    );
  }
  if (joined > 0) {
    found.push(`${counted(joined, 'group')} joined to others that hold identical files`);
  }
  return found;
}

function metadataWarnings({ images, metadata }: Findings): string[] {
  if (!metadata) return [];
  const taken = new Set(images.map(({ path }) => imageKey(path)));
  const orphans = [...metadata.rows.keys()].filter((path) => !taken.has(path));
  if (orphans.length === 0) return [];
  const rows = counted(orphans.length, 'row');
  return [`${rows} of metadata.csv without an image that was taken: ${fewOf(orphans)}`];
}

function fileWarnings(images: ScannedImage[]): string[] {
  const found: string[] = [];
  const mislabelled = images.filter(isMislabelled);
  if (mislabelled.length > 0) {
    const named = mislabelled.map(({ path, format }) => `${path} is ${format}`);
    found.push(
      `${counted(named.length, 'file')} with another content than the name says, taken by content: ${fewOf(named)}`,
    );
  }
  const animated = images.filter(({ pages }) => pages > 1);
  if (animated.length > 0) {
    const names = fewOf(animated.map(({ path }) => path));
    found.push(
      `${counted(animated.length, 'image')} with more frames or pages than one, the first is used: ${names}`,
    );
  }
  return found;
}
