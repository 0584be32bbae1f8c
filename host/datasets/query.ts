import type { Database } from 'better-sqlite3';
import type { FilterCounts, ImageFilter, ImageRow } from '../../contract/datasets.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { listNames } from './read.ts';

/** A piece of SQL over `images i` with its values. */
interface Condition {
  facet: 'dataset' | 'domains' | 'labels' | 'text' | 'splits';
  sql: string;
  values: unknown[];
}

/** A page of the images that match, in the order of their paths. */
export function queryImages(
  db: Database,
  datasetId: string,
  filter: ImageFilter,
  page: { offset: number; limit: number },
): { total: number; images: ImageRow[] } {
  const where = and(conditions(db, datasetId, filter));
  const total = db.prepare(`SELECT count(*) FROM images i WHERE ${where.sql}`).pluck();
  const images = db.prepare<unknown[], ImageRow>(
    `SELECT i.id, i.path, d.name AS domain, c.name AS label, i.group_name AS "group",
       i.width, i.height
     FROM (SELECT i.id FROM images i WHERE ${where.sql} ORDER BY i.path LIMIT ? OFFSET ?) hit
     JOIN images i ON i.id = hit.id
     JOIN classes c ON c.id = i.class_id JOIN domains d ON d.id = i.domain_id
     ORDER BY i.path`,
  );
  return {
    total: total.get(...where.values) as number,
    images: images.all(...where.values, page.limit, page.offset),
  };
}

/** Counts per facet value; see FilterCounts. `splits` is filled when the filter names a study. */
export function countImages(db: Database, datasetId: string, filter: ImageFilter): FilterCounts {
  const all = conditions(db, datasetId, filter);
  const where = and(all);
  const total = db.prepare(`SELECT count(*) FROM images i WHERE ${where.sql}`).pluck();
  return {
    total: total.get(...where.values) as number,
    domains: countNames(db, 'domains', datasetId, all),
    labels: countNames(db, 'labels', datasetId, all),
    splits: filter.studyId === undefined ? {} : countSplits(db, filter.studyId, all),
  };
}

function conditions(db: Database, datasetId: string, filter: ImageFilter): Condition[] {
  const found: Condition[] = [{ facet: 'dataset', sql: 'i.dataset_id = ?', values: [datasetId] }];
  if (filter.labels) {
    const sql = `i.class_id IN ${idsOf('classes')}`;
    found.push({ facet: 'labels', sql, values: [datasetId, JSON.stringify(filter.labels)] });
  }
  if (filter.domains) {
    const sql = `i.domain_id IN ${idsOf('domains')}`;
    found.push({ facet: 'domains', sql, values: [datasetId, JSON.stringify(filter.domains)] });
  }
  if (filter.text) {
    found.push({ facet: 'text', sql: 'i.path GLOB ?', values: [containing(filter.text)] });
  }
  if (filter.split) found.push(splitCondition(db, filter.split, filter.studyId));
  return found;
}

function idsOf(table: 'classes' | 'domains'): string {
  return `(SELECT id FROM ${table} WHERE dataset_id = ? AND name IN (SELECT value FROM json_each(?)))`;
}

/** No file system has longer paths; SQLite refuses patterns that are much longer. */
const LONGEST_PATH = 5000;

/** A GLOB pattern for "contains, in any case", in every script that has cases (LIKE knows ASCII's only). */
function containing(text: string): string {
  const parts = [...text.slice(0, LONGEST_PATH)].map((character) => {
    const cases = new Set([character, character.toLowerCase(), character.toUpperCase()]);
    const single = [...cases].filter((one) => [...one].length === 1);
    // In a GLOB set, ']' must come first and '^' must not.
    return character === '^' ? '^' : `[${single.join('')}]`;
  });
  return `*${parts.join('')}*`;
}

const IN_STUDY = '(SELECT image_id FROM study_images WHERE study_id = ?';

function splitCondition(
  db: Database,
  split: NonNullable<ImageFilter['split']>,
  studyId: string | undefined,
): Condition {
  if (studyId === undefined) {
    throw new CarryoverError('bad-input', `the split "${split}" is that of no study`, {
      value: split,
      wayOut: 'name the study too (studyId)',
    });
  }
  refuseUnknownStudy(db, studyId);
  return split === 'unused'
    ? { facet: 'splits', sql: `i.id NOT IN ${IN_STUDY})`, values: [studyId] }
    : { facet: 'splits', sql: `i.id IN ${IN_STUDY} AND split = ?)`, values: [studyId, split] };
}

function refuseUnknownStudy(db: Database, id: string): void {
  if (db.prepare('SELECT 1 FROM studies WHERE id = ?').get(id)) return;
  throw new CarryoverError('not-found', `there is no study ${id}`, { value: id });
}

function and(all: Condition[], except?: Condition['facet']): { sql: string; values: unknown[] } {
  const used = all.filter(({ facet }) => facet !== except);
  return {
    sql: used.map(({ sql }) => sql).join(' AND '),
    values: used.flatMap(({ values }) => values),
  };
}

/** Every name of the data set, with 0 where nothing matches. */
function countNames(
  db: Database,
  facet: 'domains' | 'labels',
  datasetId: string,
  all: Condition[],
): Record<string, number> {
  const [table, column] =
    facet === 'labels' ? (['classes', 'class_id'] as const) : (['domains', 'domain_id'] as const);
  const where = and(all, facet);
  const rows = db
    .prepare<unknown[], { name: string; images: number }>(
      `SELECT t.name, n.images FROM
         (SELECT i.${column} AS id, count(*) AS images FROM images i
          WHERE ${where.sql} GROUP BY i.${column}) n JOIN ${table} t ON t.id = n.id`,
    )
    .all(...where.values);
  const counts = new Map(listNames(db, table, datasetId).map((name) => [name, 0]));
  for (const { name, images } of rows) counts.set(name, images);
  return Object.fromEntries(counts);
}

function countSplits(db: Database, studyId: string, all: Condition[]): Record<string, number> {
  refuseUnknownStudy(db, studyId);
  const where = and(all, 'splits');
  const rows = db
    .prepare<unknown[], { split: string; images: number }>(
      `SELECT coalesce(s.split, 'unused') AS split, count(*) AS images
       FROM images i LEFT JOIN study_images s ON s.image_id = i.id AND s.study_id = ?
       WHERE ${where.sql} GROUP BY 1`,
    )
    .all(studyId, ...where.values);
  const counts: Record<string, number> = { train: 0, test: 0, unused: 0 };
  for (const { split, images } of rows) counts[split] = images;
  return counts;
}
