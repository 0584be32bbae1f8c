import type { Database } from 'better-sqlite3';
import { hash } from 'node:crypto';
import type { DatasetSummary } from '../../contract/datasets.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { HostContext } from '../context.ts';
import { writeTransaction } from '../db/transaction.ts';
import { getSummary, listStudies } from './read.ts';
import type { Scan, ScannedImage } from './scan.ts';

/** How a data set's name was chosen. */
export interface Naming {
  /** It must have this very name, though its folder may be imported under another. */
  exact?: boolean;
}

/**
 * The data set that importing this scan as `name` would give back instead of making a second one:
 * the same content under the same name (its folder may have moved) or, unless the name is exact,
 * from the same folder under another. Null when the import would make a new one.
 */
export function findImported(
  context: HostContext,
  scan: Scan,
  name: string,
  { exact = false }: Naming = {},
): DatasetSummary | null {
  const id = context.db
    .prepare<[string, string | null, string, string], string>(
      `SELECT id FROM datasets WHERE content_hash = ? AND (root = ? OR name = ?)
       ORDER BY name = ? DESC, created_at`,
    )
    .pluck()
    .get(scan.contentHash, exact ? null : scan.root, name, name);
  return id === undefined ? null : getSummary(context.db, id);
}

/**
 * Records a scan as a data set, in one transaction; the images stay where they are. Content that
 * is already imported (`findImported`) keeps its data set, which then points to the scanned files.
 * Throws CarryoverError `conflict` when the name belongs to other content, `disk-full`, `io`.
 */
export function importScan(
  context: HostContext,
  scan: Scan,
  name: string,
  naming: Naming = {},
): DatasetSummary {
  const { db, events } = context;
  const id = writeTransaction(db, () => {
    const existing = findImported(context, scan, name, naming);
    if (existing) {
      pointTo(db, existing.id, scan);
      return existing.id;
    }
    refuseTakenName(db, name);
    return insert(db, scan, name);
  });
  events.emit({ type: 'datasets' });
  return getSummary(db, id);
}

function refuseTakenName(db: Database, name: string): void {
  const taken = db
    .prepare<[string], { id: string; root: string }>('SELECT id, root FROM datasets WHERE name = ?')
    .get(name);
  if (!taken) return;
  const message = `a data set "${name}" with other content exists (${taken.root})`;
  const removable = isUsed(db, taken.id) ? '' : ', or remove that data set in the workbench';
  throw new CarryoverError('conflict', message, {
    value: name,
    wayOut: `choose another name${removable}`,
  });
}

function isUsed(db: Database, id: string): boolean {
  const run = db.prepare<[string]>('SELECT 1 FROM runs WHERE dataset_id = ? LIMIT 1').get(id);
  return run !== undefined || listStudies(db, id).length > 0;
}

function insert(db: Database, scan: Scan, name: string): string {
  const id = hash('sha256', `${scan.contentHash}\n${name}`).slice(0, 12);
  const { report } = scan;
  db.prepare('INSERT INTO datasets VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
    id,
    name,
    scan.root,
    report.layout,
    scan.contentHash,
    report.groupedBy,
    JSON.stringify(report),
    new Date().toISOString(),
  );
  const classes = insertNames(db, 'classes', id, report.classNames);
  const domains = insertNames(db, 'domains', id, report.domainNames);
  const image = db.prepare(
    `INSERT INTO images (dataset_id, path, class_id, domain_id, group_name, width, height, bytes,
       modified_ms, sha256, format, licence, attribution, source)
     VALUES (@datasetId, @path, @classId, @domainId, @group, @width, @height, @bytes,
       @modifiedMs, @sha256, @format, @licence, @attribution, @source)`,
  );
  for (const scanned of scan.images) {
    image.run({
      ...scanned,
      datasetId: id,
      classId: classes.get(scanned.label),
      domainId: domains.get(scanned.domain),
    });
  }
  return id;
}

function insertNames(
  db: Database,
  table: 'classes' | 'domains',
  datasetId: string,
  names: string[],
): Map<string, number | bigint> {
  const statement = db.prepare(
    `INSERT INTO ${table} (dataset_id, position, name) VALUES (?, ?, ?)`,
  );
  return new Map(
    names.map((name, position) => [name, statement.run(datasetId, position, name).lastInsertRowid]),
  );
}

interface StoredImage {
  id: number;
  domain: string;
  label: string;
  group: string;
  sha256: string;
}

/**
 * Makes the images of a data set name the files of a scan with the same content hash, which means
 * that both hold the same (domain, class, group, content) equally often.
 */
function pointTo(db: Database, datasetId: string, scan: Scan): void {
  const stored = db
    .prepare<[string], StoredImage>(
      `SELECT i.id, d.name AS domain, c.name AS label, i.group_name AS "group", i.sha256
       FROM images i JOIN classes c ON c.id = i.class_id JOIN domains d ON d.id = i.domain_id
       WHERE i.dataset_id = ? ORDER BY i.path`,
    )
    .all(datasetId);
  const byContent = Map.groupBy(scan.images, contentKey);
  const vacate = db.prepare("UPDATE images SET path = '/' || id WHERE dataset_id = ?");
  const point = db.prepare('UPDATE images SET path = ?, modified_ms = ? WHERE id = ?');
  vacate.run(datasetId);
  for (const image of stored) {
    const file = byContent.get(contentKey(image))?.shift();
    if (!file)
      throw new CarryoverError('internal', `no file for image ${image.id} in ${scan.root}`);
    point.run(file.path, file.modifiedMs, image.id);
  }
  db.prepare('UPDATE datasets SET root = ?, layout = ?, report_json = ? WHERE id = ?').run(
    scan.root,
    scan.report.layout,
    JSON.stringify(scan.report),
    datasetId,
  );
}

function contentKey(image: StoredImage | ScannedImage): string {
  return JSON.stringify([image.domain, image.label, image.group, image.sha256]);
}
