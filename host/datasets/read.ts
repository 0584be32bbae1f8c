import type { Database } from 'better-sqlite3';
import { stat } from 'node:fs/promises';
import type { DatasetDetail, DatasetSummary, ImageDetail } from '../../contract/datasets.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { contentHash, readContent } from '../../engine/transforms/content.ts';
import type { Place } from '../../engine/transforms/place.ts';
import { hasBit } from './bits.ts';
import type { Columns } from './columns.ts';
import { columnsOf, valuesOf } from './columns.ts';
import type { StoredRow } from './rows.ts';
import { ROW_COLUMNS, ROW_JOINS, asRow, attributesOf, findingsOf } from './rows.ts';
import { absolutePath } from './walk.ts';

const SUMMARY = `SELECT s.id, s.name, s.root, s.task, s.content_hash AS contentHash,
    (SELECT count(*) FROM images WHERE dataset_id = s.id) AS images,
    (SELECT count(*) FROM classes WHERE dataset_id = s.id) AS classes,
    (SELECT count(*) FROM domains WHERE dataset_id = s.id) AS domains,
    s.grouped_by AS groupedBy, s.created_at AS createdAt
  FROM datasets s`;

/** All data sets by name. */
export function listSummaries(db: Database): DatasetSummary[] {
  return db.prepare<[], DatasetSummary>(`${SUMMARY} ORDER BY s.name`).all();
}

/** Throws CarryoverError `not-found`. */
export function getSummary(db: Database, id: string): DatasetSummary {
  const row = db.prepare<[string], DatasetSummary>(`${SUMMARY} WHERE s.id = ?`).get(id);
  if (row) return row;
  throw unknownDataset(id);
}

/** The data set of this name, else of this id. Throws CarryoverError `not-found`. */
export function findDataset(db: Database, nameOrId: string): DatasetSummary {
  const named = db.prepare<[string], DatasetSummary>(`${SUMMARY} WHERE s.name = ?`).get(nameOrId);
  return named ?? getSummary(db, nameOrId);
}

/** Throws CarryoverError `not-found` unless the data set exists. */
export function requireDataset(db: Database, id: string): void {
  if (!db.prepare('SELECT 1 FROM datasets WHERE id = ?').get(id)) throw unknownDataset(id);
}

function unknownDataset(id: string): CarryoverError {
  return new CarryoverError('not-found', `there is no data set ${id}`, {
    value: id,
    wayOut: 'see `carryover datasets` for those there are',
  });
}

interface StoredTexts {
  reading: string;
  report: string;
}

/** Throws CarryoverError `not-found`. */
export function getDetail(db: Database, id: string): DatasetDetail {
  const summary = getSummary(db, id);
  const { reading, report } = db
    .prepare<[string], StoredTexts>(
      'SELECT reading_json AS reading, report_json AS report FROM datasets WHERE id = ?',
    )
    .get(id)!;
  const columns = columnsOf(db, id);
  return {
    ...summary,
    reading: JSON.parse(reading),
    classNames: columns.classNames,
    domainNames: columns.domainNames,
    counts: countCells(columns),
    attributes: listAttributes(db, id),
    tags: [...columns.tags.keys()],
    report: JSON.parse(report),
    studies: listStudies(db, id),
  };
}

/** With at most the first MOST_FACET_VALUES values each. */
function listAttributes(db: Database, datasetId: string): DatasetDetail['attributes'] {
  return attributeRows(db, datasetId).map(({ id, name }) => ({
    name,
    values: valuesOf(db, id).map((value) => value.name),
  }));
}

/** In the order of the source. */
export function listAttributeNames(db: Database, datasetId: string): string[] {
  return attributeRows(db, datasetId).map(({ name }) => name);
}

function attributeRows(db: Database, datasetId: string): { id: number; name: string }[] {
  return db
    .prepare<[string], { id: number; name: string }>(
      'SELECT id, name FROM attributes WHERE dataset_id = ? ORDER BY position',
    )
    .all(datasetId);
}

/** Names in their stored order. */
export function listNames(db: Database, table: 'classes' | 'domains', datasetId: string): string[] {
  return db
    .prepare<[string], string>(`SELECT name FROM ${table} WHERE dataset_id = ? ORDER BY position`)
    .pluck()
    .all(datasetId);
}

/** The studies that use a data set, oldest first. */
export function listStudies(db: Database, datasetId: string): { id: string; name: string }[] {
  return db
    .prepare<[string], { id: string; name: string }>(
      'SELECT id, name FROM studies WHERE dataset_id = ? ORDER BY created_at',
    )
    .all(datasetId);
}

/** Images per domain and class now, without excluded ones. */
function countCells(columns: Columns): number[][] {
  const { classNames, domainNames, excluded, multiLabel, present } = columns;
  const counts = domainNames.map(() => new Array<number>(classNames.length).fill(0));
  const findings = [...present.values()];
  for (let position = 0; position < columns.ids.length; position++) {
    if (hasBit(excluded, position)) continue;
    const row = counts[columns.domains[position]! - 1]!;
    if (!multiLabel) row[columns.classes[position]! - 1]!++;
    for (const [finding, images] of findings.entries()) {
      if (hasBit(images, position)) row[finding]!++;
    }
  }
  return counts;
}

type StoredImage = StoredRow<Omit<ImageDetail, 'absolutePath' | 'state' | 'attributes'>> & {
  root: string;
  file: string;
  entry: string | null;
  frame: number | null;
  modifiedMs: number;
};

/** One image with the state of its file now. Throws CarryoverError `not-found`. */
export async function getImage(db: Database, id: number): Promise<ImageDetail> {
  const stored = db
    .prepare<[number], StoredImage>(
      `SELECT ${ROW_COLUMNS}, i.dataset_id AS datasetId, i.split, i.bytes, i.sha256, i.format,
         i.licence, i.attribution, i.source, i.file, i.entry, i.frame,
         i.modified_ms AS modifiedMs, s.root
       FROM current_images i ${ROW_JOINS} WHERE i.id = ?`,
    )
    .get(id);
  if (!stored) {
    throw new CarryoverError('not-found', `there is no image ${id}`, { value: String(id) });
  }
  const { root, modifiedMs, file, entry, frame, ...row } = asRow(stored);
  const place = { file: absolutePath(root, file), entry, frame };
  return {
    ...row,
    absolutePath: place.file,
    findings: findingsOf(db, [id]).get(id) ?? {},
    attributes: attributesOf(db, [id]).get(id) ?? {},
    state: await fileState(place, { ...row, modifiedMs }),
  };
}

/**
 * What became of an image since its import: by size and time of its file first, by its content
 * where the time differs, or the size of an archive. `known.bytes`: of the file on disk, `known.sha256`: of the image.
 */
export async function fileState(
  place: Place,
  known: { bytes: number; modifiedMs: number; sha256: string },
): Promise<ImageDetail['state']> {
  try {
    const now = await stat(place.file);
    const same = now.size === known.bytes;
    // An array or an archive may have changed elsewhere.
    if (!now.isFile() || (!same && place.entry === null)) return 'changed';
    if (same && now.mtimeMs === known.modifiedMs) return 'ok';
  } catch {
    return 'missing';
  }
  try {
    return contentHash(await readContent(place), place.frame) === known.sha256 ? 'ok' : 'changed';
  } catch {
    return 'changed';
  }
}
