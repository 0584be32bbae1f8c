/** Stored images meet the same images of another scan. */
import type { Database } from 'better-sqlite3';
import { isDeepStrictEqual } from 'node:util';
import type { FindingValue } from '../../contract/datasets.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Scan, ScannedImage } from './scan.ts';
import { shown } from './scan.ts';
import type { StoredImage } from './store.ts';
import { signed, storeAttributes } from './store.ts';

interface KnownImage {
  id: number;
  path: string;
  domain: string;
  label: string | null;
  group: string;
  sha256: string;
  bytes: number;
  modifiedMs: number;
  /** 0: imported before images were measured. */
  measured: 0 | 1;
}

/** The images of a data set as imported, by what the content hash has of each; in the order of their paths. */
export function imagesByContent(db: Database, datasetId: string): Map<string, KnownImage[]> {
  const stored = db
    .prepare<[string], KnownImage>(
      `SELECT i.id, i.path, d.name AS domain, c.name AS label, i.group_name AS "group", i.sha256,
         i.bytes, i.modified_ms AS modifiedMs, i.phash IS NOT NULL AS measured
       FROM images i LEFT JOIN classes c ON c.id = i.class_id JOIN domains d ON d.id = i.domain_id
       WHERE i.dataset_id = ? ORDER BY i.path`,
    )
    .all(datasetId);
  const findings = findingsOf(db, datasetId);
  return Map.groupBy(stored, (image) =>
    contentKey({
      ...image,
      findings: image.label === null ? (findings.get(image.id) ?? new Map()) : null,
    }),
  );
}

function findingsOf(db: Database, datasetId: string): Map<number, Map<string, FindingValue>> {
  const rows = db
    .prepare<[string], { id: number; name: string; value: FindingValue }>(
      `SELECT f.image_id AS id, c.name, f.value FROM classes c
       JOIN image_findings f ON f.class_id = c.id WHERE c.dataset_id = ?`,
    )
    .iterate(datasetId);
  const findings = new Map<number, Map<string, FindingValue>>();
  for (const { id, name, value } of rows) {
    const own = findings.get(id) ?? new Map<string, FindingValue>();
    findings.set(id, own.set(name, value));
  }
  return findings;
}

/** What the content hash has of an image. */
export function contentKey(
  image: Pick<ScannedImage, 'domain' | 'label' | 'findings' | 'group' | 'sha256'>,
): string {
  return JSON.stringify([image.domain, shown(image), image.group, image.sha256]);
}

/**
 * Makes the images of a data set name the files of a scan with the same content hash, which means
 * that both hold the same (domain, class or findings, group, content) equally often. Ids and all
 * else stay. Returns which image is which.
 */
export function moveTo(db: Database, datasetId: string, scan: Scan): StoredImage[] {
  const known = imagesByContent(db, datasetId);
  const moved: StoredImage[] = [];
  let measuredAnew = false;
  const stored = scan.images.map((image): StoredImage => {
    const same = known.get(contentKey(image))?.shift();
    if (!same) throw new CarryoverError('internal', `no image is that of ${image.path}`);
    const { path, file } = image;
    const there =
      same.measured &&
      same.path === path &&
      same.bytes === file.fileBytes &&
      same.modifiedMs === file.modifiedMs;
    if (!there) moved.push({ id: same.id, image });
    measuredAnew ||= !same.measured;
    return { id: same.id, image };
  });
  // Paths are unique at every moment, and images may change places with each other.
  const vacate = db.prepare("UPDATE images SET path = '/' || id WHERE id = ?");
  for (const { id } of moved) vacate.run(id);
  const point = db.prepare(
    `UPDATE images SET path = ?, file = ?, entry = ?, frame = ?, bytes = ?, modified_ms = ?,
       phash = ?, mean = ?, deviation = ? WHERE id = ?`,
  );
  for (const { id, image } of moved) {
    const { path, file, frame, phash, mean, deviation } = image;
    point.run(
      ...[path, file.file, file.entry, frame, file.fileBytes, file.modifiedMs],
      ...[signed(phash), mean, deviation, id],
    );
  }
  db.prepare('UPDATE datasets SET root = ?, reading_json = ?, report_json = ? WHERE id = ?').run(
    scan.root,
    JSON.stringify(scan.report.reading),
    JSON.stringify(scan.report),
    datasetId,
  );
  if (measuredAnew) forgetTrust(db, datasetId);
  return stored;
}

/** Forgets the reports on trust, whose ids know neither measurements nor splits and attributes. */
function forgetTrust(db: Database, datasetId: string): void {
  db.prepare("DELETE FROM dataset_analyses WHERE dataset_id = ? AND kind = 'trust'").run(datasetId);
}

/** Takes over what a scan says of images beside their content: splits, attributes, licences. */
export function describeAnew(
  db: Database,
  datasetId: string,
  stored: readonly StoredImage[],
): void {
  const describe = db.prepare(
    `UPDATE images SET split = @split, licence = @licence, attribution = @attribution, source = @source
     WHERE id = @id AND (split, licence, attribution, source)
       IS NOT (@split, @licence, @attribution, @source)`,
  );
  let changed = 0;
  for (const { id, image } of stored) {
    const { split, licence, attribution, source } = image;
    changed += describe.run({ id, split, licence, attribution, source }).changes;
  }
  const known = attributesOf(db, datasetId);
  const same = stored.every(({ id, image }) =>
    isDeepStrictEqual(known.get(Number(id)) ?? {}, image.attributes),
  );
  if (!same) {
    db.prepare('DELETE FROM attributes WHERE dataset_id = ?').run(datasetId);
    storeAttributes(db, datasetId, stored);
  }
  if (!same || changed > 0) forgetTrust(db, datasetId);
}

/** The attributes of each image that has any. */
function attributesOf(db: Database, datasetId: string): Map<number, Record<string, string>> {
  const rows = db
    .prepare<[string], { id: number; name: string; value: string }>(
      `SELECT i.image_id AS id, a.name, v.value FROM attributes a
       JOIN attribute_values v ON v.attribute_id = a.id
       JOIN image_attributes i ON i.value_id = v.id WHERE a.dataset_id = ?`,
    )
    .iterate(datasetId);
  const attributes = new Map<number, Record<string, string>>();
  for (const { id, name, value } of rows) {
    const own = attributes.get(id) ?? {};
    own[name] = value;
    attributes.set(id, own);
  }
  return attributes;
}
