/** Classes and findings that only changes made: they are there as long as an image has them. */
import type { Database } from 'better-sqlite3';
import { z } from 'zod';

/** The id of a class (or finding) by its name; one that does not exist becomes the last one. */
export function ensureClass(db: Database, datasetId: string, name: string): number {
  const known = db
    .prepare<[string, string], number>('SELECT id FROM classes WHERE dataset_id = ? AND name = ?')
    .pluck()
    .get(datasetId, name);
  if (known !== undefined) return known;
  const { lastInsertRowid } = db
    .prepare(
      `INSERT INTO classes (dataset_id, position, name)
       SELECT @datasetId, count(*), @name FROM classes WHERE dataset_id = @datasetId`,
    )
    .run({ datasetId, name });
  return Number(lastInsertRowid);
}

const imported = z.object({ classNames: z.array(z.string()) });

/** Removes the classes that were not imported and that no image has any more; the others move up. */
export function dropUnusedClasses(db: Database, datasetId: string): void {
  const report = db.prepare<[string], string>('SELECT report_json FROM datasets WHERE id = ?');
  const { classNames } = imported.parse(JSON.parse(report.pluck().get(datasetId) ?? '{}'));
  const { changes } = db
    .prepare(
      `DELETE FROM classes WHERE dataset_id = ? AND position >= ?
       AND name NOT IN (SELECT value FROM json_each(?))
       AND NOT EXISTS (SELECT 1 FROM images i WHERE i.class_id = classes.id)
       AND NOT EXISTS (SELECT 1 FROM image_findings f WHERE f.class_id = classes.id)
       AND NOT EXISTS (SELECT 1 FROM image_overlays o WHERE o.class_id = classes.id)
       AND NOT EXISTS (SELECT 1 FROM finding_overlays o WHERE o.class_id = classes.id)`,
    )
    .run(datasetId, classNames.length, JSON.stringify(classNames));
  if (changes > 0) closeGaps(db, datasetId);
}

/** Numbers the classes from 0 again, in their order. */
function closeGaps(db: Database, datasetId: string): void {
  const ids = db
    .prepare<[string], number>('SELECT id FROM classes WHERE dataset_id = ? ORDER BY position')
    .pluck()
    .all(datasetId);
  const move = db.prepare('UPDATE classes SET position = ? WHERE id = ? AND position <> ?');
  for (const [position, id] of ids.entries()) move.run(position, id, position);
}
