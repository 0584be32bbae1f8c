import type { Database } from 'better-sqlite3';
import type { ImageRow } from '../../contract/datasets.ts';

/** Findings of image i that are present now, or as imported, in the order of the classes. */
function presentFindings(table: 'current_findings' | 'image_findings'): string {
  return `(SELECT group_concat(name, ', ') FROM
    (SELECT k.name FROM ${table} f JOIN classes k ON k.id = f.class_id
     WHERE f.image_id = i.id AND f.value = 1 ORDER BY k.position))`;
}

/**
 * The columns of an ImageRow over `current_images i`, with `s`, `d`, `c`, `b` joined as ROW_JOINS
 * has them; excluded is 0 or 1, tags a JSON array.
 */
export const ROW_COLUMNS = `i.id, i.path, d.name AS domain, i.group_name AS "group", i.width,
  i.height, i.excluded,
  CASE s.task WHEN 'single-label' THEN c.name
    ELSE coalesce(${presentFindings('current_findings')}, '') END AS label,
  CASE s.task WHEN 'single-label' THEN CASE WHEN i.class_id <> i.imported_class_id THEN b.name END
    WHEN 'multi-label' THEN
      CASE WHEN EXISTS (SELECT 1 FROM finding_overlays o WHERE o.image_id = i.id)
      THEN coalesce(${presentFindings('image_findings')}, '') END END AS relabelledFrom,
  (SELECT json_group_array(tag) FROM
    (SELECT tag FROM image_tags t WHERE t.image_id = i.id ORDER BY tag)) AS tags`;

export const ROW_JOINS = `JOIN datasets s ON s.id = i.dataset_id
  JOIN domains d ON d.id = i.domain_id LEFT JOIN classes c ON c.id = i.class_id
  LEFT JOIN classes b ON b.id = i.imported_class_id`;

/** A row as SQLite gives it. */
export type StoredRow<R extends ImageRow> = Omit<R, 'excluded' | 'tags'> & {
  excluded: number;
  tags: string;
};

/** A stored row as the contract has it. */
export function asRow<S extends { excluded: number; tags: string }>(
  stored: S,
): Omit<S, 'excluded' | 'tags'> & { excluded: boolean; tags: string[] } {
  return { ...stored, excluded: stored.excluded === 1, tags: JSON.parse(stored.tags) as string[] };
}

/** The rows of images by their ids, in that order; those that are not there are left out. */
export function imageRows(db: Database, ids: readonly number[]): ImageRow[] {
  const read = db.prepare<[number], StoredRow<ImageRow>>(
    `SELECT ${ROW_COLUMNS} FROM current_images i ${ROW_JOINS} WHERE i.id = ?`,
  );
  return ids.flatMap((id) => {
    const stored = read.get(id);
    return stored ? [asRow(stored)] : [];
  });
}
