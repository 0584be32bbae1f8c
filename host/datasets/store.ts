/** A scan as rows of the database. */
import type { Database } from 'better-sqlite3';
import { hash } from 'node:crypto';
import type { Scan, ScannedImage } from './scan.ts';

type RowId = number | bigint;

/** An image of a scan with its id in the database. */
export interface StoredImage {
  id: RowId;
  image: ScannedImage;
}

/** Stores a scan as a new data set and returns its id, which is the same for the same content and name. */
export function storeScan(db: Database, scan: Scan, name: string): string {
  const id = hash('sha256', `${scan.contentHash}\n${name}`).slice(0, 12);
  const { report } = scan;
  db.prepare('INSERT INTO datasets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
    id,
    name,
    scan.root,
    JSON.stringify(report.reading),
    report.task,
    scan.contentHash,
    report.groupedBy,
    JSON.stringify(report),
    new Date().toISOString(),
  );
  const classes = storeNames(db, 'classes', id, report.classNames);
  const domains = storeNames(db, 'domains', id, report.domainNames);
  const insert = db.prepare(
    `INSERT INTO images (dataset_id, path, file, entry, frame, class_id, domain_id, group_name, split,
       width, height, bytes, modified_ms, sha256, format, phash, mean, deviation,
       licence, attribution, source)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const stored = scan.images.map((image): StoredImage => {
    const { file, label, width, height, sha256, format, mean, deviation } = image;
    const { lastInsertRowid } = insert.run(
      ...[id, image.path, file.file, file.entry, image.frame],
      ...[label === null ? null : classes.get(label), domains.get(image.domain)],
      ...[image.group, image.split, width, height, file.fileBytes, file.modifiedMs],
      ...[sha256, format, signed(image.phash), mean, deviation],
      ...[image.licence, image.attribution, image.source],
    );
    return { id: lastInsertRowid, image };
  });
  storeFindings(db, stored, classes);
  storeAttributes(db, id, stored);
  return id;
}

/** SQLite's integers have a sign. */
export function signed(phash: bigint): bigint {
  return BigInt.asIntN(64, phash);
}

function storeNames(
  db: Database,
  table: 'classes' | 'domains',
  datasetId: string,
  names: string[],
): Map<string, RowId> {
  const statement = db.prepare(
    `INSERT INTO ${table} (dataset_id, position, name) VALUES (?, ?, ?)`,
  );
  return new Map(
    names.map((name, position) => [name, statement.run(datasetId, position, name).lastInsertRowid]),
  );
}

function storeFindings(
  db: Database,
  stored: readonly StoredImage[],
  classes: ReadonlyMap<string, RowId>,
): void {
  const insert = db.prepare('INSERT INTO image_findings VALUES (?, ?, ?)');
  for (const { id, image } of stored) {
    for (const [name, value] of image.findings ?? []) insert.run(id, classes.get(name), value);
  }
}

/** Stores the attributes of a data set that has none. */
export function storeAttributes(
  db: Database,
  datasetId: string,
  stored: readonly StoredImage[],
): void {
  const addAttribute = db.prepare(
    'INSERT INTO attributes (dataset_id, position, name) VALUES (?, ?, ?)',
  );
  const addValue = db.prepare('INSERT INTO attribute_values (attribute_id, value) VALUES (?, ?)');
  const attach = db.prepare('INSERT INTO image_attributes VALUES (?, ?)');
  const attributes = new Map<string, { id: RowId; values: Map<string, RowId> }>();
  for (const { id, image } of stored) {
    for (const [name, value] of Object.entries(image.attributes)) {
      let attribute = attributes.get(name);
      if (attribute === undefined) {
        const added = addAttribute.run(datasetId, attributes.size, name);
        attribute = { id: added.lastInsertRowid, values: new Map() };
        attributes.set(name, attribute);
      }
      let valueId = attribute.values.get(value);
      if (valueId === undefined) {
        valueId = addValue.run(attribute.id, value).lastInsertRowid;
        attribute.values.set(value, valueId);
      }
      attach.run(id, valueId);
    }
  }
}
