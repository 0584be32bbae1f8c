import type { Database } from 'better-sqlite3';
import type { DatasetDetail, DatasetSummary, ImageDetail } from '../../contract/datasets.ts';
import { stat } from 'node:fs/promises';
import { CarryoverError } from '../../contract/errors.ts';
import { hashFile } from './inspect.ts';
import { absolutePath } from './walk.ts';

const SUMMARY = `SELECT s.id, s.name, s.root, s.content_hash AS contentHash,
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

/** Throws CarryoverError `not-found`. */
export function getDetail(db: Database, id: string): DatasetDetail {
  const summary = getSummary(db, id);
  const report = db
    .prepare<[string], string>('SELECT report_json FROM datasets WHERE id = ?')
    .pluck()
    .get(id);
  const classNames = listNames(db, 'classes', id);
  const domainNames = listNames(db, 'domains', id);
  return {
    ...summary,
    classNames,
    domainNames,
    counts: countCells(db, id, domainNames.length, classNames.length),
    report: JSON.parse(report ?? 'null'),
    studies: listStudies(db, id),
  };
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

function countCells(db: Database, id: string, domains: number, classes: number): number[][] {
  const counts = Array.from({ length: domains }, () => new Array<number>(classes).fill(0));
  const cells = db
    .prepare<[string], { domain: number; class: number; images: number }>(
      `SELECT d.position AS domain, c.position AS class, n.images
       FROM (SELECT class_id, domain_id, count(*) AS images FROM images
             WHERE dataset_id = ? GROUP BY class_id, domain_id) n
       JOIN classes c ON c.id = n.class_id JOIN domains d ON d.id = n.domain_id`,
    )
    .all(id);
  for (const cell of cells) {
    const row = counts[cell.domain];
    if (row) row[cell.class] = cell.images;
  }
  return counts;
}

type StoredImage = Omit<ImageDetail, 'absolutePath' | 'state'> & {
  root: string;
  modifiedMs: number;
};

/** One image with the state of its file now. Throws CarryoverError `not-found`. */
export async function getImage(db: Database, id: number): Promise<ImageDetail> {
  const row = db
    .prepare<[number], StoredImage>(
      `SELECT i.id, i.path, d.name AS domain, c.name AS label, i.group_name AS "group", i.width,
         i.height, i.dataset_id AS datasetId, i.bytes, i.sha256, i.format, i.licence,
         i.attribution, i.source, s.root, i.modified_ms AS modifiedMs
       FROM images i JOIN classes c ON c.id = i.class_id JOIN domains d ON d.id = i.domain_id
       JOIN datasets s ON s.id = i.dataset_id WHERE i.id = ?`,
    )
    .get(id);
  if (!row) {
    throw new CarryoverError('not-found', `there is no image ${id}`, { value: String(id) });
  }
  const { root, modifiedMs, ...image } = row;
  const path = absolutePath(root, image.path);
  return { ...image, absolutePath: path, state: await fileState(path, { ...image, modifiedMs }) };
}

/** What became of a file since its import: by size and time first, by content where the time differs. */
export async function fileState(
  path: string,
  known: { bytes: number; modifiedMs: number; sha256: string },
): Promise<ImageDetail['state']> {
  try {
    const now = await stat(path);
    if (!now.isFile() || now.size !== known.bytes) return 'changed';
    if (now.mtimeMs === known.modifiedMs) return 'ok';
    return (await hashFile(path)) === known.sha256 ? 'ok' : 'changed';
  } catch {
    return 'missing';
  }
}
