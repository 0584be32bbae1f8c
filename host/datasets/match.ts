/** Which images a filter lets through. */
import type { Database } from 'better-sqlite3';
import { createHash } from 'node:crypto';
import type { ImageFilter } from '../../contract/datasets.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Bits } from './bits.ts';
import { complementOf, hasBit, noBits, setBit, unionOf } from './bits.ts';
import type { Codes, Columns } from './columns.ts';
import { GIVEN } from './columns.ts';

export interface Matches {
  /** Positions of the images that match: in the order of their paths, or of the filter's ids. */
  positions: Int32Array;
  /** The position in that list of the image at `position`; null: it does not match. */
  placeOf(position: number): number | null;
  /** Every restricted facet; what `refused` counts. */
  facets: string[];
  /** By position: 0 matches, k only the k-th facet (from 1) refuses it, else SEVERAL. */
  refused: Uint16Array;
}

const SEVERAL = 0xffff;

/** What one key of a filter lets through. */
interface Restriction {
  facet: string;
  keeps: (position: number) => boolean;
}

interface Kept {
  matches: Matches;
  /** Writes of the connection when it was made, where it depends on more than the columns. */
  writes: number | null;
}

/** Results of the last filters, so that any page of one is at hand. */
const FILTERS_KEPT = 4;
const kept = new WeakMap<Columns, Map<string, Kept>>();

/**
 * The images of a data set that match. Throws CarryoverError `bad-input` (a split without its
 * study) or `not-found` (the study).
 */
export function matching(db: Database, columns: Columns, filter: ImageFilter): Matches {
  const known = kept.get(columns) ?? new Map<string, Kept>();
  kept.set(columns, known);
  const key = createHash('sha256').update(JSON.stringify(filter)).digest('base64');
  const writes = filter.studyId === undefined ? null : writesOf(db);
  const present = known.get(key);
  known.delete(key);
  if (present && present.writes === writes) {
    known.set(key, present);
    return present.matches;
  }
  const matches = evaluate(columns, restrictionsOf(db, columns, filter), filter.ids);
  known.set(key, { matches, writes });
  const [oldest] = known.keys();
  if (known.size > FILTERS_KEPT && oldest !== undefined) known.delete(oldest);
  return matches;
}

/** Changes with every row that this connection writes. */
function writesOf(db: Database): number {
  return db.prepare<[], number>('SELECT total_changes()').pluck().get()!;
}

function evaluate(
  columns: Columns,
  restrictions: Restriction[],
  ids: number[] | undefined,
): Matches {
  const refused = new Uint16Array(columns.ids.length);
  for (const [index, { keeps }] of restrictions.entries()) {
    for (let position = 0; position < refused.length; position++) {
      if (keeps(position)) continue;
      refused[position] = refused[position] === 0 ? index + 1 : SEVERAL;
    }
  }
  const facets = restrictions.map(({ facet }) => facet);
  return ids === undefined
    ? { facets, refused, ...inPathOrder(refused) }
    : { facets, refused, ...inGivenOrder(columns, refused, ids) };
}

type Order = Pick<Matches, 'positions' | 'placeOf'>;

function inPathOrder(refused: Uint16Array): Order {
  let count = 0;
  for (const reason of refused) if (reason === 0) count++;
  const positions = new Int32Array(count);
  let place = 0;
  for (let position = 0; place < count; position++) {
    if (refused[position] === 0) positions[place++] = position;
  }
  return { positions, placeOf: (position) => placeIn(positions, position) };
}

/** Binary search. */
function placeIn(ascending: Int32Array, wanted: number): number | null {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return ascending[low] === wanted ? low : null;
}

function inGivenOrder(columns: Columns, refused: Uint16Array, ids: number[]): Order {
  const positions = Int32Array.from(new Set(ids), columns.positionOf).filter(
    (position) => position >= 0 && refused[position] === 0,
  );
  return {
    positions,
    placeOf: (position) => {
      const place = positions.indexOf(position);
      return place < 0 ? null : place;
    },
  };
}

function restrictionsOf(db: Database, columns: Columns, filter: ImageFilter): Restriction[] {
  const { given, ids, relabelled, split, studyId, tags, text } = filter;
  const found = [...namesRestricted(columns, filter), ...excludedRestricted(columns, filter)];
  if (tags) found.push(inBits('tags', anySet(columns, columns.tags, tags)));
  if (given) {
    const allowed = GIVEN.map((name) => given.includes(name));
    found.push({ facet: 'given', keeps: (position) => allowed[columns.given[position]!]! });
  }
  for (const [name, values] of Object.entries(filter.attributes ?? {})) {
    found.push(attributeRestriction(db, columns, name, values));
  }
  if (relabelled) found.push(inBits('relabelled', columns.relabelled));
  if (text) found.push(inBits('text', columns.text().containing(text)));
  if (ids) found.push(inBits('ids', bitsOf(columns, ids)));
  if (split) found.push(inBits('splits', splitBits(db, columns, split, studyId)));
  return found;
}

function namesRestricted(columns: Columns, filter: ImageFilter): Restriction[] {
  const { classNames, domainNames, multiLabel, present } = columns;
  const found: Restriction[] = [];
  const { domains, labels } = filter;
  if (domains) found.push(oneOf('domains', columns.domains, domainNames, domains));
  if (labels) {
    found.push(
      multiLabel
        ? inBits('labels', anySet(columns, present, labels))
        : oneOf('labels', columns.classes, classNames, labels),
    );
  }
  for (const said of ['uncertain', 'absent', 'blank'] as const) {
    const wanted = filter[said];
    if (wanted) found.push(inBits(said, anySet(columns, columns[said], wanted)));
  }
  return found;
}

function excludedRestricted({ excluded }: Columns, filter: ImageFilter): Restriction[] {
  switch (filter.excluded) {
    case 'with':
      return [];
    case 'only':
      return [inBits('excluded', excluded)];
    default:
      return [{ facet: 'excluded', keeps: (position) => !hasBit(excluded, position) }];
  }
}

function inBits(facet: string, bits: Bits): Restriction {
  return { facet, keeps: (position) => hasBit(bits, position) };
}

function oneOf(facet: string, codes: Codes, names: string[], wanted: string[]): Restriction {
  const set = new Set(wanted);
  const allowed = Uint8Array.from([0, ...names.map((name) => (set.has(name) ? 1 : 0))]);
  return { facet, keeps: (position) => allowed[codes[position]!] === 1 };
}

/** Images in any of the sets of these names. */
function anySet(columns: Columns, sets: ReadonlyMap<string, Bits>, wanted: string[]): Bits {
  const found = wanted.map((name) => sets.get(name)).filter((bits) => bits !== undefined);
  return unionOf(found, columns.ids.length);
}

function bitsOf({ ids, positionOf }: Columns, wanted: Iterable<number>): Bits {
  const bits = noBits(ids.length);
  for (const id of wanted) {
    const position = positionOf(id);
    if (position >= 0) setBit(bits, position);
  }
  return bits;
}

export function attributeFacet(name: string): string {
  return `attribute ${name}`;
}

function attributeRestriction(
  db: Database,
  columns: Columns,
  name: string,
  values: string[],
): Restriction {
  const facet = attributeFacet(name);
  const column = columns.attributes.get(name);
  if (column) return oneOf(facet, column.codes, column.values, values);
  const images = db
    .prepare<[string, string, string], number>(
      `SELECT i.image_id FROM attributes a JOIN attribute_values v ON v.attribute_id = a.id
       JOIN image_attributes i ON i.value_id = v.id
       WHERE a.dataset_id = ? AND a.name = ? AND v.value IN (SELECT value FROM json_each(?))`,
    )
    .pluck()
    .all(columns.datasetId, name, JSON.stringify(values));
  return inBits(facet, bitsOf(columns, images));
}

function splitBits(
  db: Database,
  columns: Columns,
  split: NonNullable<ImageFilter['split']>,
  studyId: string | undefined,
): Bits {
  if (studyId === undefined) {
    throw new CarryoverError('bad-input', `the split "${split}" is that of no study`, {
      value: split,
      wayOut: 'name the study too (studyId)',
    });
  }
  const parts = partsOf(db, columns, studyId);
  if (split !== 'unused') return parts.get(split) ?? noBits(columns.ids.length);
  return complementOf(unionOf([...parts.values()], columns.ids.length));
}

/** The images of each part of a study. Throws `not-found`. */
export function partsOf(db: Database, columns: Columns, studyId: string): Map<string, Bits> {
  if (!db.prepare('SELECT 1 FROM studies WHERE id = ?').get(studyId)) {
    throw new CarryoverError('not-found', `there is no study ${studyId}`, { value: studyId });
  }
  const images = db
    .prepare<[string, string], number>(
      'SELECT image_id FROM study_images WHERE study_id = ? AND split = ?',
    )
    .pluck();
  const parts = ['train', 'validation', 'test'] as const;
  return new Map(parts.map((part) => [part, bitsOf(columns, images.iterate(studyId, part))]));
}
