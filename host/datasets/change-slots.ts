/** What changes are about: one thing per image that can be changed again, and taken back. */
import type { Database } from 'better-sqlite3';
import type { Change } from '../../contract/datasets.ts';

/** Two changes of the same slot are about the same thing: the later one counts. */
export type Slot =
  { kind: 'class' } | { kind: 'excluded' } | { kind: 'tag' | 'finding'; name: string };

export function slotOf(change: Change): Slot {
  switch (change.kind) {
    case 'relabel':
      return { kind: 'class' };
    case 'finding':
      return { kind: 'finding', name: change.value.slice(0, change.value.lastIndexOf('=')) };
    case 'tag':
    case 'untag':
      return { kind: 'tag', name: change.value };
    default:
      return { kind: 'excluded' };
  }
}

/** What a slot holds after a change: the class; 1, 0, -1 or blank; else 1 for yes and 0 for no. */
export function valueOf(change: Change): string {
  switch (change.kind) {
    case 'relabel':
      return change.value;
    case 'finding':
      return change.value.slice(change.value.lastIndexOf('=') + 1);
    default:
      return change.kind === 'tag' || change.kind === 'exclude' ? '1' : '0';
  }
}

/** Images of a data set and what a slot of them is to hold. */
export interface Assignment {
  slot: Slot;
  /** As `valueOf`; null: as imported. */
  value: string | null;
  /** The class or finding that is named, which exists. */
  classId: number | null;
  images: readonly number[] | Int32Array;
}

/** A finding of image j.value as it is now; null: not mentioned. */
const FINDING_NOW = `CASE WHEN EXISTS (SELECT 1 FROM finding_overlays o
      WHERE o.image_id = j.value AND o.class_id = @classId)
    THEN (SELECT o.value FROM finding_overlays o
      WHERE o.image_id = j.value AND o.class_id = @classId)
    ELSE (SELECT f.value FROM image_findings f
      WHERE f.image_id = j.value AND f.class_id = @classId) END`;

/** Those of the images @ids that a change to @value touches, with what they had before. */
const TOUCHED: Record<Slot['kind'], string> = {
  class: `SELECT i.id, c.name AS before FROM json_each(@ids) j
    JOIN current_images i ON i.id = j.value LEFT JOIN classes c ON c.id = i.class_id
    WHERE i.class_id IS NOT @classId`,
  excluded: `SELECT i.id, NULL AS before FROM json_each(@ids) j
    JOIN current_images i ON i.id = j.value WHERE i.excluded <> @value`,
  tag: `SELECT j.value, t.tag AS before FROM json_each(@ids) j
    LEFT JOIN image_tags t ON t.image_id = j.value AND t.tag = @name
    WHERE (t.tag IS NOT NULL) <> @value`,
  finding: `SELECT id, @name || '=' || now AS before
    FROM (SELECT j.value AS id, ${FINDING_NOW} AS now FROM json_each(@ids) j)
    WHERE now IS NOT @value`,
};

/** Writes which images a change touches, and what they had; returns their ids. */
export function recordTouched(db: Database, changeId: number, change: Assignment): number[] {
  const select = TOUCHED[change.slot.kind];
  return db
    .prepare<[object], number>(
      `INSERT INTO change_images (change_id, image_id, before) SELECT @changeId, * FROM (${select}) WHERE true RETURNING image_id`,
    )
    .pluck()
    .all({ changeId, ...bindings(change) });
}

const THESE = 'IN (SELECT value FROM json_each(@ids))';
const TIDY_OVERLAYS = `DELETE FROM image_overlays
  WHERE class_id IS NULL AND excluded = 0 AND image_id ${THESE}`;

/** Statements that give the images @ids their value; what is as imported has no overlay. */
function assigning({ slot, value }: Assignment): string[] {
  switch (slot.kind) {
    case 'class':
      return [
        `INSERT INTO image_overlays (image_id, class_id)
         SELECT i.id, nullif(@classId, i.class_id) FROM json_each(@ids) j
         JOIN images i ON i.id = j.value WHERE true
         ON CONFLICT (image_id) DO UPDATE SET class_id = excluded.class_id`,
        TIDY_OVERLAYS,
      ];
    case 'excluded':
      return [
        `INSERT INTO image_overlays (image_id, excluded)
         SELECT value, coalesce(@value, 0) FROM json_each(@ids) WHERE true
         ON CONFLICT (image_id) DO UPDATE SET excluded = excluded.excluded`,
        TIDY_OVERLAYS,
      ];
    case 'tag':
      return value === '1'
        ? ['INSERT OR IGNORE INTO image_tags SELECT value, @name FROM json_each(@ids)']
        : [`DELETE FROM image_tags WHERE tag = @name AND image_id ${THESE}`];
    case 'finding':
      return value === null
        ? [`DELETE FROM finding_overlays WHERE class_id = @classId AND image_id ${THESE}`]
        : [
            `INSERT OR REPLACE INTO finding_overlays (image_id, class_id, value)
             SELECT value, @classId, @value FROM json_each(@ids)`,
            `DELETE FROM finding_overlays WHERE class_id = @classId AND image_id ${THESE}
             AND value IS (SELECT f.value FROM image_findings f
               WHERE f.image_id = finding_overlays.image_id AND f.class_id = @classId)`,
          ];
  }
}

/** Gives images a value. */
export function assign(db: Database, assignment: Assignment): void {
  const values = bindings(assignment);
  for (const sql of assigning(assignment)) db.prepare<[object]>(sql).run(values);
}

function bindings({ slot, value, classId, images }: Assignment): object {
  return {
    ids: JSON.stringify([...images]),
    name: 'name' in slot ? slot.name : null,
    classId,
    value: slot.kind === 'class' || value === null || value === 'blank' ? null : Number(value),
  };
}

/** What change entries of a slot look like. */
function entriesOf(slot: Slot): { kinds: Change['kind'][]; values: string[] | null } {
  switch (slot.kind) {
    case 'class':
      return { kinds: ['relabel'], values: null };
    case 'excluded':
      return { kinds: ['exclude', 'include'], values: null };
    case 'tag':
      return { kinds: ['tag', 'untag'], values: [slot.name] };
    case 'finding':
      return {
        kinds: ['finding'],
        values: ['1', '0', '-1', 'blank'].map((value) => `${slot.name}=${value}`),
      };
  }
}

/** The images of a change by the change of a slot that is now the last one in force on them; null: none is. */
export function inForceBy(
  db: Database,
  changeId: number,
  slot: Slot,
): Map<number | null, number[]> {
  const { kinds, values } = entriesOf(slot);
  const rows = db
    .prepare<[object], { image: number; change: number | null }>(
      `SELECT t.image_id AS image, (SELECT max(c.id) FROM change_images o
           JOIN changes c ON c.id = o.change_id
           WHERE o.image_id = t.image_id AND c.undone_at IS NULL
             AND c.kind IN (SELECT value FROM json_each(@kinds))
             AND (@values IS NULL OR c.value IN (SELECT value FROM json_each(@values)))) AS change
       FROM change_images t WHERE t.change_id = @changeId`,
    )
    .all({
      changeId,
      kinds: JSON.stringify(kinds),
      values: values === null ? null : JSON.stringify(values),
    });
  const byChange = new Map<number | null, number[]>();
  for (const { image, change } of rows) {
    const images = byChange.get(change) ?? [];
    byChange.set(change, images);
    images.push(image);
  }
  return byChange;
}
