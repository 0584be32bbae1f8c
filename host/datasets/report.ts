import type { ImportReport, SkippedFile } from '../../contract/datasets.ts';
import type { Reading } from '../../contract/reading.ts';
import type { Read } from './formats/reader.ts';
import { isMislabelled } from './inspect.ts';
import { byCodeUnits, counted, fewOf, sortedSet } from './order.ts';
import type { ScannedImage } from './scan.ts';

const SMALL_CLASS = 10;
/** Of identical files so many sets, and of each so many paths, are listed; all are counted. */
const SETS_LISTED = 2000;
const PATHS_LISTED = 100;

/** What a scan found, before it is put into words. */
export interface Findings {
  root: string;
  reading: Reading;
  read: Read;
  /** In the order of their paths; not empty. */
  images: ScannedImage[];
  /** Those to which the source gives no group. */
  ungrouped: { path: string }[];
  skipped: SkippedFile[];
  /** Groups joined because of identical content. */
  joined: number;
}

export function buildReport(findings: Findings): ImportReport {
  const { root, reading, read, images, skipped } = findings;
  const classNames = namesOf(read, images);
  const domainNames = sortedSet(images.map((image) => image.domain));
  const same = identicalFiles(images);
  const conflicting = same.filter((set) => new Set(set.map(labelText)).size > 1);
  const tables = { classNames, domainNames, counts: count(images, domainNames, classNames) };
  return {
    root,
    reading,
    task: read.task,
    images: images.length,
    bytes: bytesOf(images),
    ...tables,
    splits: splits(images),
    attributeNames: attributeNames(images),
    groupedBy: read.groupedBy ?? 'identical content',
    groups: new Set(images.map((image) => image.group)).size,
    skipped,
    duplicates: same.slice(0, SETS_LISTED).map(pathsOf),
    duplicateFiles: same.slice(0, SETS_LISTED).map((set) => set.length),
    duplicateSets: same.length,
    conflicts: conflicting.slice(0, SETS_LISTED).map(conflictOf),
    conflictSets: conflicting.length,
    warnings: warnings(findings, tables, same.length),
    licences: licences(images),
  };
}

/** Classes that have an image, or findings that one mentions; in the order that the source fixes. */
function namesOf({ classNames }: Read, images: ScannedImage[]): string[] {
  const used = new Set<string>();
  for (const { label, findings } of images) {
    if (label !== null) used.add(label);
    for (const name of findings?.keys() ?? []) used.add(name);
  }
  const fixed = (classNames ?? []).filter((name) => used.delete(name));
  return [...fixed, ...sortedSet(used)];
}

/** What is on an image: its class, or the findings that are present. */
function present({ label, findings }: ScannedImage): string[] {
  if (findings === null) return label === null ? [] : [label];
  return [...findings].flatMap(([name, value]) => (value === 1 ? [name] : []));
}

function count(images: ScannedImage[], domains: string[], classes: string[]): number[][] {
  const row = new Map(domains.map((name, i) => [name, i]));
  const column = new Map(classes.map((name, i) => [name, i]));
  const counts = domains.map(() => classes.map(() => 0));
  for (const image of images) {
    const cells = counts[row.get(image.domain) ?? 0]!;
    for (const name of present(image)) cells[column.get(name)!]!++;
  }
  return counts;
}

/** In the order in which they come up, which is that of a table's columns. */
function attributeNames(images: ScannedImage[]): string[] {
  const names = new Set<string>();
  for (const { attributes } of images) for (const name in attributes) names.add(name);
  return [...names];
}

/** Of the files and entries that hold the images. */
function bytesOf(images: ScannedImage[]): number {
  const files = new Set(images.map(({ file }) => file));
  return [...files].reduce((sum, { bytes }) => sum + bytes, 0);
}

function splits(images: ScannedImage[]): Record<string, number> {
  if (images.every(({ split }) => split === null)) return {};
  const found: Record<string, number> = {};
  for (const name of ['train', 'validation', 'test', null] as const) {
    const members = images.filter(({ split }) => split === name).length;
    if (members > 0) found[name ?? 'none'] = members;
  }
  return found;
}

/** Sets of two and more images with the same content. */
function identicalFiles(images: ScannedImage[]): ScannedImage[][] {
  const sets = Map.groupBy(images, (image) => image.sha256);
  return [...sets.values()].filter((set) => set.length > 1);
}

/** Of a long set some paths only, among them one of each class. */
function pathsOf(set: ScannedImage[]): string[] {
  if (set.length <= PATHS_LISTED) return set.map(({ path }) => path);
  const ofLabels = [...Map.groupBy(set, labelText).values()];
  const firsts = new Set(ofLabels.map(([first]) => first!));
  const others = set.filter((image) => !firsts.has(image));
  const taken = new Set([...firsts, ...others.slice(0, Math.max(0, PATHS_LISTED - firsts.size))]);
  return set.filter((image) => taken.has(image)).map(({ path }) => path);
}

function conflictOf(set: ScannedImage[]): ImportReport['conflicts'][number] {
  return { paths: pathsOf(set), classes: sortedSet(set.map(labelText)), files: set.length };
}

/** A class, or findings that are present or (with a question mark) uncertain. */
function labelText({ label, findings }: ScannedImage): string {
  if (findings === null) return label ?? '';
  const named = [...findings].filter(([, value]) => value !== 0);
  const texts = named.map(([name, value]) => (value === 1 ? name : `${name}?`));
  return texts.sort(byCodeUnits).join(', ') || 'none';
}

function licences(images: ScannedImage[]): ImportReport['licences'] {
  if (images.every((image) => image.licence === null)) return [];
  const byLicence = Map.groupBy(images, (image) => image.licence ?? 'not stated');
  return [...byLicence]
    .map(([licence, members]) => ({ licence, images: members.length }))
    .sort((a, b) => byCodeUnits(a.licence, b.licence));
}

type Tables = Pick<ImportReport, 'classNames' | 'domainNames' | 'counts'>;

function warnings(findings: Findings, tables: Tables, identical: number): string[] {
  const { task } = findings.read;
  return [
    ...findings.read.warnings,
    ...(task === 'single-label' ? classWarnings(tables) : findingWarnings(tables)),
    ...groupWarnings(findings),
    ...fileWarnings(findings.images),
    ...(identical > SETS_LISTED
      ? [`${identical} sets of identical images; the first ${SETS_LISTED} are listed`]
      : []),
  ];
}

function classWarnings(tables: Tables): string[] {
  const { classNames, domainNames, counts } = tables;
  const found: string[] = [];
  if (classNames.length === 1) {
    found.push(`one class only (${classNames[0]}): a classifier has nothing to tell apart`);
  }
  const small = smallClasses(tables);
  if (small.length > 0) {
    const verb = small.length === 1 ? 'has' : 'have';
    found.push(
      `${counted(small.length, 'class', 'classes')} ${verb} fewer than ${SMALL_CLASS} images: ${fewOf(small)}`,
    );
  }
  found.push(...similarNames(classNames));
  const empty = counts.flat().filter((images) => images === 0).length;
  if (empty > 0) {
    const cells = domainNames.length * classNames.length;
    found.push(`${empty} of ${cells} combinations of domain and class have no image`);
  }
  return found;
}

function findingWarnings(tables: Tables): string[] {
  const small = smallClasses(tables);
  const found = similarNames(tables.classNames);
  if (small.length === 0) return found;
  const verb = small.length === 1 ? 'is' : 'are';
  return [
    `${counted(small.length, 'finding')} ${verb} present on fewer than ${SMALL_CLASS} images: ${fewOf(small)}`,
    ...found,
  ];
}

function smallClasses({ classNames, counts }: Tables): string[] {
  return classNames.filter((_, i) => {
    const images = counts.reduce((sum, row) => sum + (row[i] ?? 0), 0);
    return images < SMALL_CLASS;
  });
}

function similarNames(names: string[]): string[] {
  const folded = Map.groupBy(names, (name) => name.normalize('NFC').trim().toLowerCase());
  const sets = [...folded.values()].filter((set) => set.length > 1);
  return sets.map((set) => `classes that differ in little: ${set.join(', ')}`);
}

function groupWarnings({ read, ungrouped, joined }: Findings): string[] {
  if (read.groupedBy === null) {
    return [
      'ungrouped: without a group (a column or a level of folders), images that belong together ' +
        '(one patient, one artist) may fall on both sides of a split; identical files will not',
    ];
  }
  const found: string[] = [];
  if (ungrouped.length > 0) {
    found.push(
      `${counted(ungrouped.length, 'image')} without a group, each grouped with its ` +
        `identical files only: ${fewOf(ungrouped.map(({ path }) => path))}`,
    );
  }
  if (joined > 0) {
    found.push(`${counted(joined, 'group')} joined to others that hold identical files`);
  }
  return found;
}

function fileWarnings(images: ScannedImage[]): string[] {
  const found: string[] = [];
  const mislabelled = images.filter(({ file, format }) => isMislabelled(file.path, format));
  if (mislabelled.length > 0) {
    const named = mislabelled.map(({ path, format }) => `${path} is ${format}`);
    found.push(
      `${counted(named.length, 'file')} with another content than the name says, taken by content: ${fewOf(named)}`,
    );
  }
  const animated = images.filter(({ pages, frame }) => pages > 1 && frame === null);
  if (animated.length > 0) {
    const names = fewOf(animated.map(({ path }) => path));
    found.push(
      `${counted(animated.length, 'image')} with more frames or pages than one, the first is used: ${names}`,
    );
  }
  return found;
}
