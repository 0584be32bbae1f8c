import type { Database } from 'better-sqlite3';
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { FindingValue } from '../../contract/datasets.ts';
import { openDatabase } from '../../host/db/open.ts';
import { temporaryFolder } from './datasets-folder.ts';

/** A new database that goes with the test. */
export function emptyDatabase(): Database {
  const opened = openDatabase(join(temporaryFolder(), 'carryover.db'), { command: 'test' });
  onTestFinished(() => opened.close());
  return opened.db;
}

/** An image of a data set that is written into the database as it is; there is no file. */
export interface RowImage {
  path: string;
  domain?: string;
  /** Single-label. */
  label?: string;
  /** Multi-label. */
  findings?: Record<string, FindingValue>;
  split?: 'train' | 'validation' | 'test';
  attributes?: Record<string, string>;
}

/** Writes a data set whose classes and domains come in the order of their names; gives ids by path. */
export function insertDataset(
  db: Database,
  id: string,
  images: readonly RowImage[],
): Map<string, number> {
  return db.transaction(() => insertAll(db, id, images))();
}

function insertAll(db: Database, id: string, images: readonly RowImage[]): Map<string, number> {
  const multi = images.some(({ findings }) => findings);
  const classNames = distinct(
    images.flatMap(({ label, findings }) => (label ? [label] : Object.keys(findings ?? {}))),
  );
  const report = JSON.stringify({ classNames });
  db.prepare(
    `INSERT INTO datasets (id, name, root, reading_json, task, content_hash, grouped_by, report_json,
       created_at) VALUES (?, ?, '/nowhere', '{"format":"idx"}', ?, ?, 'content', ?, '')`,
  ).run(id, `set ${id}`, multi ? 'multi-label' : 'single-label', id, report);
  const classes = insertNames(db, 'classes', id, classNames);
  const domains = insertNames(db, 'domains', id, distinct(images.map(domainOf)));
  const insert = db.prepare(
    `INSERT INTO images (dataset_id, path, file, class_id, domain_id, group_name, split, width, height,
       bytes, modified_ms, sha256, format)
     VALUES (?, ?, ?, ?, ?, ?, ?, 64, 48, 1000, 0, ?, 'png')`,
  );
  const finding = db.prepare('INSERT INTO image_findings VALUES (?, ?, ?)');
  const attribute = attributeWriter(db, id);
  const ids = new Map<string, number>();
  for (const image of images) {
    const { path, label, findings = {}, attributes = {}, split = null } = image;
    const classId = label === undefined ? null : classes.get(label);
    const domainId = domains.get(domainOf(image));
    const sha256 = hash('sha256', `${id} ${path}`);
    const { lastInsertRowid } = insert.run(
      ...[id, path, path, classId, domainId, `group of ${path}`, split, sha256],
    );
    const imageId = Number(lastInsertRowid);
    ids.set(path, imageId);
    for (const [name, value] of Object.entries(findings)) {
      finding.run(imageId, classes.get(name), value);
    }
    for (const [name, value] of Object.entries(attributes)) attribute(imageId, name, value);
  }
  return ids;
}

function domainOf({ domain = 'all' }: RowImage): string {
  return domain;
}

function distinct(names: string[]): string[] {
  return [...new Set(names)].sort();
}

function insertNames(
  db: Database,
  table: 'classes' | 'domains',
  datasetId: string,
  names: string[],
): Map<string, number> {
  const insert = db.prepare(`INSERT INTO ${table} (dataset_id, position, name) VALUES (?, ?, ?)`);
  return new Map(
    names.map((name, position) => [
      name,
      Number(insert.run(datasetId, position, name).lastInsertRowid),
    ]),
  );
}

function attributeWriter(
  db: Database,
  datasetId: string,
): (image: number, name: string, value: string) => void {
  const attribute = db.prepare(
    `INSERT INTO attributes (dataset_id, position, name)
     SELECT @datasetId, (SELECT count(*) FROM attributes WHERE dataset_id = @datasetId), @name
     WHERE true ON CONFLICT DO UPDATE SET name = name RETURNING id`,
  );
  const known = db.prepare(
    `INSERT INTO attribute_values (attribute_id, value) VALUES (?, ?)
     ON CONFLICT DO UPDATE SET value = value RETURNING id`,
  );
  const use = db.prepare('INSERT INTO image_attributes VALUES (?, ?)');
  return (image, name, value) => {
    const attributeId = attribute.pluck().get({ datasetId, name });
    use.run(image, known.pluck().get(attributeId, value));
  };
}
