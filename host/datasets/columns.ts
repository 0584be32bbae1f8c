/**
 * What filters and counts look at, column by column in memory: about 20 bytes an image and, once a
 * path was searched for, its path. Built from the database on first use.
 */
import type { Database } from 'better-sqlite3';
import type { Bits } from './bits.ts';
import { complementOf, hasBit, noBits, setBit, unionOf } from './bits.ts';
import type { Slot } from './change-slots.ts';
import { pathText } from './path-text.ts';
import type { PathText } from './path-text.ts';

/** Attributes with more distinct values (instance numbers, file names) are no facets. */
export const MOST_FACET_VALUES = 1000;

/** Sets of which the columns are kept, and their images together; the last used one always is. */
const MOST_SETS = 3;
const MOST_IMAGES = 1_500_000;

/** 0: none; else 1 + the index of a name or value. */
export type Codes = Uint8Array | Uint16Array | Uint32Array;

export interface AttributeColumn {
  values: string[];
  codes: Codes;
}

export const GIVEN = ['none', 'train', 'validation', 'test'] as const;

/** The images of a data set in the order of their paths; a position is an index in that order. */
export interface Columns {
  datasetId: string;
  multiLabel: boolean;
  ids: Int32Array;
  classNames: string[];
  domainNames: string[];
  /** The class now, and as imported. */
  classes: Codes;
  imported: Codes;
  domains: Codes;
  /** Index in GIVEN. */
  given: Uint8Array;
  excluded: Bits;
  /** The class, or a finding, was changed by the user. */
  relabelled: Bits;
  /** Multi-label, by finding: it is present, uncertain, absent, not mentioned, was changed; else empty. */
  present: Map<string, Bits>;
  uncertain: Map<string, Bits>;
  absent: Map<string, Bits>;
  blank: Map<string, Bits>;
  overlaid: Map<string, Bits>;
  /** In the order of their names. */
  tags: Map<string, Bits>;
  /** Those with at most MOST_FACET_VALUES values. */
  attributes: Map<string, AttributeColumn>;
  /** Position of an image by its id; -1 where it is none of this set. */
  positionOf(id: number): number;
  /** The paths for searching; made on first use. */
  text(): PathText;
}

const shelves = new WeakMap<Database, Map<string, Columns>>();

/** The columns of a data set; throws nothing for an unknown one, which has no images. */
export function columnsOf(db: Database, datasetId: string): Columns {
  const shelf = shelves.get(db) ?? new Map<string, Columns>();
  shelves.set(db, shelf);
  const columns = shelf.get(datasetId) ?? buildColumns(db, datasetId);
  shelf.delete(datasetId);
  shelf.set(datasetId, columns);
  shorten(shelf);
  return columns;
}

/** The last used stand last. */
function shorten(shelf: Map<string, Columns>): void {
  let images = 0;
  const newestFirst = [...shelf].reverse();
  for (const [place, [datasetId, { ids }]] of newestFirst.entries()) {
    images += ids.length;
    if (place > 0 && (place >= MOST_SETS || images > MOST_IMAGES)) shelf.delete(datasetId);
  }
}

/**
 * To be called when images of a data set were added, removed or renamed, or its classes changed;
 * without an id, for all.
 */
export function forgetColumns(db: Database, datasetId?: string): void {
  if (datasetId === undefined) shelves.delete(db);
  else shelves.get(db)?.delete(datasetId);
}

/** Reads again what changes of a slot may have changed, where the columns are in memory. */
export function refreshColumns(db: Database, datasetId: string, slot: Slot): void {
  const shelf = shelves.get(db);
  const columns = shelf?.get(datasetId);
  if (!shelf || !columns) return;
  const classes = namedOf(db, 'classes', datasetId);
  const same = ({ name }: Named, index: number): boolean => name === columns.classNames[index];
  if (classes.length !== columns.classNames.length || !classes.every(same)) {
    shelf.delete(datasetId);
    return;
  }
  if (slot.kind === 'tag') loadTags(db, columns);
  else if (slot.kind === 'finding') reloadFinding(db, columns, classes, slot.name);
  else loadOverlays(db, columns);
  // Another object: what others have derived from the old one is outdated.
  shelf.set(datasetId, { ...columns });
}

/** An array for codes of so many names. */
function codesFor(length: number, names: number): Codes {
  if (names < 0xff) return new Uint8Array(length);
  return names < 0xffff ? new Uint16Array(length) : new Uint32Array(length);
}

interface Named {
  id: number;
  name: string;
}

function buildColumns(db: Database, datasetId: string): Columns {
  const classes = namedOf(db, 'classes', datasetId);
  const columns = emptyColumns(db, datasetId, classes, namedOf(db, 'domains', datasetId));
  loadImages(db, columns);
  loadOverlays(db, columns);
  loadTags(db, columns);
  if (columns.multiLabel) {
    for (const finding of classes) loadFinding(db, columns, finding);
    joinRelabelled(columns);
  }
  loadAttributes(db, columns);
  return columns;
}

type ImageLine = [
  id: number,
  classId: number | null,
  domainId: number,
  split: (typeof GIVEN)[number] | null,
];

/** Reads what was imported, in the order of the rows: in that of the paths it takes far longer. */
function loadImages(db: Database, columns: Columns): void {
  const { datasetId, ids, positionOf } = columns;
  const classCodes = codesById(namedOf(db, 'classes', datasetId));
  const domainCodes = codesById(namedOf(db, 'domains', datasetId));
  const [first, last] = rangeOf(ids);
  const lines = db
    .prepare<[number, number, string], ImageLine>(
      `SELECT id, class_id, domain_id, split FROM images
       WHERE id BETWEEN ? AND ? AND +dataset_id = ?`,
    )
    .raw()
    .iterate(first, last, datasetId);
  for (const [id, classId, domainId, split] of lines) {
    const position = positionOf(id);
    columns.imported[position] = classId === null ? 0 : classCodes.get(classId)!;
    columns.domains[position] = domainCodes.get(domainId)!;
    columns.given[position] = split === null ? 0 : GIVEN.indexOf(split);
  }
}

function idsByPath(db: Database, datasetId: string): Int32Array {
  const ids = db
    .prepare<[string], number>('SELECT id FROM images WHERE dataset_id = ? ORDER BY path')
    .pluck();
  return Int32Array.from(ids.all(datasetId));
}

/** The first and the last id; of an empty set a range without any. */
function rangeOf(ids: Int32Array): [first: number, last: number] {
  let [first, last] = [ids[0] ?? 1, ids[0] ?? 0];
  for (const id of ids) {
    if (id < first) first = id;
    if (id > last) last = id;
  }
  return [first, last];
}

/** Finds positions by id. An import numbers its images one after the other, so a table is short. */
function positionsById(ids: Int32Array): (id: number) => number {
  const [first, last] = rangeOf(ids);
  const table = new Int32Array(last - first + 1).fill(-1);
  for (const [position, id] of ids.entries()) table[id - first] = position;
  return (id) => table[id - first] ?? -1;
}

function emptyColumns(
  db: Database,
  datasetId: string,
  classes: Named[],
  domains: Named[],
): Columns {
  const ids = idsByPath(db, datasetId);
  const images = ids.length;
  const task = db.prepare<[string], string>('SELECT task FROM datasets WHERE id = ?');
  const multiLabel = task.pluck().get(datasetId) === 'multi-label';
  const findings = multiLabel ? classes : [];
  const perFinding = (): Map<string, Bits> =>
    new Map(findings.map(({ name }) => [name, noBits(images)]));
  let text: PathText | null = null;
  return {
    ...{ datasetId, multiLabel },
    ids,
    classNames: classes.map(({ name }) => name),
    domainNames: domains.map(({ name }) => name),
    classes: codesFor(images, classes.length),
    imported: codesFor(images, classes.length),
    domains: codesFor(images, domains.length),
    given: new Uint8Array(images),
    excluded: noBits(images),
    relabelled: noBits(images),
    present: perFinding(),
    uncertain: perFinding(),
    absent: perFinding(),
    blank: perFinding(),
    overlaid: perFinding(),
    tags: new Map(),
    attributes: new Map(),
    positionOf: positionsById(ids),
    text: () => (text ??= pathText(db, datasetId, images)),
  };
}

function namedOf(db: Database, table: 'classes' | 'domains', datasetId: string): Named[] {
  return db
    .prepare<[string], Named>(
      `SELECT id, name FROM ${table} WHERE dataset_id = ? ORDER BY position`,
    )
    .all(datasetId);
}

function codesById(named: Named[]): Map<number, number> {
  return new Map(named.map(({ id }, index) => [id, index + 1]));
}

/** Reads which classes were changed and which images are excluded. */
function loadOverlays(db: Database, columns: Columns): void {
  const codes = codesById(namedOf(db, 'classes', columns.datasetId));
  columns.classes.set(columns.imported);
  columns.excluded.fill(0);
  if (!columns.multiLabel) columns.relabelled.fill(0);
  const overlays = db
    .prepare<[], [number, number | null, number]>(
      'SELECT image_id, class_id, excluded FROM image_overlays',
    )
    .raw()
    .iterate();
  for (const [id, classId, excluded] of overlays) {
    const position = columns.positionOf(id);
    if (position < 0) continue;
    if (excluded) setBit(columns.excluded, position);
    if (classId === null) continue;
    columns.classes[position] = codes.get(classId)!;
    setBit(columns.relabelled, position);
  }
}

/** Reads the tags. */
function loadTags(db: Database, columns: Columns): void {
  columns.tags.clear();
  const tagged = db
    .prepare<[], [number, string]>('SELECT image_id, tag FROM image_tags ORDER BY tag')
    .raw()
    .iterate();
  for (const [id, tag] of tagged) {
    const position = columns.positionOf(id);
    if (position < 0) continue;
    const bits = columns.tags.get(tag) ?? noBits(columns.ids.length);
    columns.tags.set(tag, bits);
    setBit(bits, position);
  }
}

/** Where a finding's values are kept. */
const SAID = { 1: 'present', 0: 'absent', [-1]: 'uncertain' } as const;

type FindingLine = [imageId: number, value: number | null];

/** Reads one finding of a multi-label set. `finding.id`: of the class. */
function loadFinding(db: Database, columns: Columns, finding: Named): void {
  const { name } = finding;
  const said = new Map(
    ([-1, 0, 1] as const).map((value) => [value as number, columns[SAID[value]].get(name)!]),
  );
  const overlaid = columns.overlaid.get(name)!;
  for (const bits of [...said.values(), overlaid]) bits.fill(0);
  const read = (sql: string): Iterable<FindingLine> =>
    db.prepare<[number], FindingLine>(sql).raw().iterate(finding.id);
  for (const [id] of read('SELECT image_id FROM finding_overlays WHERE class_id = ?')) {
    setBit(overlaid, columns.positionOf(id));
  }
  for (const [id, value] of read(
    'SELECT image_id, value FROM image_findings WHERE class_id = ? AND value IS NOT NULL',
  )) {
    const position = columns.positionOf(id);
    if (!hasBit(overlaid, position)) setBit(said.get(value!)!, position);
  }
  for (const [id, value] of read(
    'SELECT image_id, value FROM finding_overlays WHERE class_id = ? AND value IS NOT NULL',
  )) {
    setBit(said.get(value!)!, columns.positionOf(id));
  }
  const mentioned = unionOf([...said.values()], columns.ids.length);
  columns.blank.set(name, complementOf(mentioned));
}

function reloadFinding(db: Database, columns: Columns, classes: Named[], name: string): void {
  const finding = classes.find((each) => each.name === name);
  if (finding) loadFinding(db, columns, finding);
  joinRelabelled(columns);
}

function joinRelabelled({ relabelled, overlaid }: Columns): void {
  relabelled.fill(0);
  for (const bits of overlaid.values()) {
    for (let word = 0; word < bits.length; word++) relabelled[word]! |= bits[word]!;
  }
}

interface AttributeRow extends Named {
  values: number;
}

function loadAttributes(db: Database, columns: Columns): void {
  const attributes = db
    .prepare<[string], AttributeRow>(
      `SELECT id, name, (SELECT count(*) FROM attribute_values v WHERE v.attribute_id = a.id) AS "values"
       FROM attributes a WHERE dataset_id = ? ORDER BY position`,
    )
    .all(columns.datasetId);
  const imagesOf = db
    .prepare<[number], number>('SELECT image_id FROM image_attributes WHERE value_id = ?')
    .pluck();
  for (const { id, name, values } of attributes) {
    if (values > MOST_FACET_VALUES) continue;
    const named = valuesOf(db, id);
    const codes = codesFor(columns.ids.length, named.length);
    for (const [index, value] of named.entries()) {
      for (const image of imagesOf.iterate(value.id)) codes[columns.positionOf(image)] = index + 1;
    }
    columns.attributes.set(name, { values: named.map((value) => value.name), codes });
  }
}

/** The first MOST_FACET_VALUES distinct values of an attribute; where all are numbers, by size. */
export function valuesOf(db: Database, attributeId: number): Named[] {
  const values = db
    .prepare<[number, number], Named>(
      'SELECT id, value AS name FROM attribute_values WHERE attribute_id = ? ORDER BY value LIMIT ?',
    )
    .all(attributeId, MOST_FACET_VALUES);
  const numbers = values.every(({ name }) => name.trim() !== '' && Number.isFinite(Number(name)));
  return numbers ? values.sort((a, b) => Number(a.name) - Number(b.name)) : values;
}
