import type { Database } from 'better-sqlite3';
import type { FindingValue, ImageRow } from '../../contract/datasets.ts';

const IMPORTED_PRESENT = 'SELECT class_id FROM image_findings WHERE image_id = i.id AND value = 1';

/** Not by the view current_findings: SQLite would read all of it for every image. */
const PRESENT_NOW = `${IMPORTED_PRESENT} AND class_id NOT IN
    (SELECT class_id FROM finding_overlays WHERE image_id = i.id)
  UNION ALL SELECT class_id FROM finding_overlays WHERE image_id = i.id AND value = 1`;

/** The names of findings, in the order of the classes. */
function joinedNames(classIds: string): string {
  return `coalesce((SELECT group_concat(name, ', ') FROM
    (SELECT k.name FROM (${classIds}) f JOIN classes k ON k.id = f.class_id
     ORDER BY k.position)), '')`;
}

/**
 * The columns of an ImageRow but its findings over `current_images i`, with `s`, `d`, `c`, `b` joined as ROW_JOINS
 * has them; excluded is 0 or 1, tags a JSON array.
 */
export const ROW_COLUMNS = `i.id, i.path, d.name AS domain, i.group_name AS "group", i.width,
  i.height, i.excluded,
  CASE s.task WHEN 'single-label' THEN c.name
    ELSE ${joinedNames(PRESENT_NOW)} END AS label,
  CASE s.task WHEN 'single-label' THEN CASE WHEN i.class_id <> i.imported_class_id THEN b.name END
    WHEN 'multi-label' THEN
      CASE WHEN EXISTS (SELECT 1 FROM finding_overlays o WHERE o.image_id = i.id)
      THEN ${joinedNames(IMPORTED_PRESENT)} END END AS relabelledFrom,
  (SELECT json_group_array(tag) FROM
    (SELECT tag FROM image_tags t WHERE t.image_id = i.id ORDER BY tag)) AS tags`;

export const ROW_JOINS = `JOIN datasets s ON s.id = i.dataset_id
  JOIN domains d ON d.id = i.domain_id LEFT JOIN classes c ON c.id = i.class_id
  LEFT JOIN classes b ON b.id = i.imported_class_id`;

/** A row as SQLite gives it, without its findings. */
export type StoredRow<R extends ImageRow> = Omit<R, 'excluded' | 'tags' | 'findings'> & {
  excluded: number;
  tags: string;
};

/** A stored row as the contract has it. */
export function asRow<S extends { excluded: number; tags: string }>(
  stored: S,
): Omit<S, 'excluded' | 'tags'> & { excluded: boolean; tags: string[] } {
  return { ...stored, excluded: stored.excluded === 1, tags: JSON.parse(stored.tags) as string[] };
}

/** `current_images i` by the ids of a JSON array, in that order; with ROW_COLUMNS and ROW_JOINS. */
export const FROM_IDS = `FROM json_each(?) j CROSS JOIN current_images i ON i.id = j.value
  ${ROW_JOINS}`;

/** The rows of images by their ids, in that order; those that are not there are left out. */
export function imageRows(db: Database, ids: readonly number[]): ImageRow[] {
  const findings = findingsOf(db, ids);
  return db
    .prepare<[string], StoredRow<ImageRow>>(`SELECT ${ROW_COLUMNS} ${FROM_IDS} ORDER BY j.key`)
    .all(JSON.stringify(ids))
    .map((stored) => ({ ...asRow(stored), findings: findings.get(stored.id) ?? {} }));
}

/** What is known of the findings on images, by image and name, with the user's changes. */
export function findingsOf(
  db: Database,
  ids: readonly number[],
): Map<number, Record<string, FindingValue>> {
  const rows = db
    .prepare<[object], [number, string, FindingValue]>(
      `SELECT f.image_id, c.name, f.value FROM (
         SELECT image_id, class_id, value FROM image_findings i
         WHERE image_id IN (SELECT value FROM json_each(@ids)) AND NOT EXISTS
           (SELECT 1 FROM finding_overlays o
            WHERE o.image_id = i.image_id AND o.class_id = i.class_id)
         UNION ALL SELECT image_id, class_id, value FROM finding_overlays
         WHERE image_id IN (SELECT value FROM json_each(@ids)) AND value IS NOT NULL) f
       JOIN classes c ON c.id = f.class_id ORDER BY c.position`,
    )
    .raw()
    .all({ ids: JSON.stringify(ids) });
  return byImage(rows);
}

/** The attributes of images, by image and name. */
export function attributesOf(
  db: Database,
  ids: readonly number[],
): Map<number, Record<string, string>> {
  const rows = db
    .prepare<[string], [number, string, string]>(
      `SELECT i.image_id, a.name, v.value FROM json_each(?) j
       CROSS JOIN image_attributes i ON i.image_id = j.value
       JOIN attribute_values v ON v.id = i.value_id JOIN attributes a ON a.id = v.attribute_id
       ORDER BY a.position`,
    )
    .raw()
    .all(JSON.stringify(ids));
  return byImage(rows);
}

function byImage<T>(rows: readonly [number, string, T][]): Map<number, Record<string, T>> {
  const images = Map.groupBy(rows, ([image]) => image);
  return new Map(
    [...images].map(([image, own]) => [
      image,
      Object.fromEntries(own.map(([, name, value]) => [name, value])),
    ]),
  );
}
