/** A data set of synthetic rows for the browse bench; there are no files. */
import type { Database } from 'better-sqlite3';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import sharp from 'sharp';
import { thumbnailPath } from '../host/media/thumbnails.ts';

export const DATASET = 'browse';
export const STUDY = 'browse-study';
export const CLASSES = 50;
export const DOMAINS = 5;
export const ATTRIBUTES = { sex: 2, age: 90, view: 3, scanner: 12 } as const;

/** Numbers 0 to n - 1 as column i. */
const numbers = (n: number): string =>
  `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${n})`;

/** Writes so many images: half a path's length is theirs alone, names are spread over the set. */
export function insertRows(db: Database, images: number): void {
  db.transaction(() => {
    insertNames(db);
    db.exec(`${numbers(images)} INSERT INTO images
      (id, dataset_id, path, file, class_id, domain_id, group_name, split, width, height, bytes,
       modified_ms, sha256, format)
      SELECT i + 1, '${DATASET}', p, p, 1 + i % ${CLASSES}, 1 + i * ${DOMAINS} / ${images},
        'patient-' || (i / 7), CASE WHEN i % 10 < 8 THEN 'train' ELSE 'test' END, 96, 96, 5000, 0,
        printf('%064x', i), 'png'
      FROM (SELECT i, printf('domain-%d/class-%02d/Image of a thing %08d.png',
        i * ${DOMAINS} / ${images}, i % ${CLASSES}, i) AS p FROM n)`);
    insertAttributes(db, images);
    db.exec(`INSERT INTO image_tags SELECT id, 'odd' FROM images WHERE id % 20 = 0;
      INSERT INTO image_overlays SELECT id, 1 + id % 3, id % 2 FROM images WHERE id % 50 = 0;
      INSERT INTO study_images SELECT '${STUDY}', id, split FROM images WHERE id % 3 > 0`);
  })();
}

/** As names of classes have it. */
export function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}

function insertNames(db: Database): void {
  const classNames = Array.from({ length: CLASSES }, (_, i) => `class-${twoDigits(i)}`);
  const report = JSON.stringify({ classNames });
  db.prepare(
    `INSERT INTO datasets VALUES (?, 'browse', '/nowhere', '{"format":"idx"}', 'single-label', '',
       'column', ?, '')`,
  ).run(DATASET, report);
  db.exec(`${numbers(CLASSES)} INSERT INTO classes
      SELECT i + 1, '${DATASET}', i, printf('class-%02d', i) FROM n;
    ${numbers(DOMAINS)} INSERT INTO domains
      SELECT i + 1, '${DATASET}', i, 'domain-' || i FROM n;
    INSERT INTO studies (id, name, yaml, spec_json, dataset_id, plan_json, status, created_at)
      VALUES ('${STUDY}', 'browse', '', '{}', '${DATASET}', '{}', 'planned', '')`);
}

function insertAttributes(db: Database, images: number): void {
  let first = 1;
  for (const [position, [name, values]] of Object.entries(ATTRIBUTES).entries()) {
    db.exec(`INSERT INTO attributes VALUES (${position + 1}, '${DATASET}', ${position}, '${name}');
      ${numbers(values)} INSERT INTO attribute_values
        SELECT ${first} + i, ${position + 1}, i FROM n;
      ${numbers(images)} INSERT INTO image_attributes
        SELECT i + 1, ${first} + (i / ${position + 1}) % ${values} FROM n`);
    first += values;
  }
}

/** Puts thumbnails of the first `count` images into the cache. */
export async function fillThumbnails(cache: string, count: number): Promise<void> {
  const pixels = Buffer.from(Array.from({ length: 96 * 96 * 3 }, (_, i) => (i * i) >> 9));
  const picture = await sharp(pixels, { raw: { width: 96, height: 96, channels: 3 } })
    .webp({ quality: 82 })
    .toBuffer();
  for (let i = 0; i < count; i++) {
    const path = thumbnailPath(cache, i.toString(16).padStart(64, '0'), 128);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, picture);
  }
}
