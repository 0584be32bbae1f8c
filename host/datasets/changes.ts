import type { Database } from 'better-sqlite3';
import type { Change, ChangeEntry, ImageFilter } from '../../contract/datasets.ts';
import { changeSchema } from '../../contract/datasets.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { HostContext } from '../context.ts';
import { writeTransaction } from '../db/transaction.ts';
import { dropUnusedClasses, ensureClass } from './change-classes.ts';
import type { Slot } from './change-slots.ts';
import { assign, inForceBy, recordTouched, slotOf, valueOf } from './change-slots.ts';
import { refreshColumns } from './columns.ts';
import { idsMatching } from './query.ts';
import { getSummary, requireDataset } from './read.ts';

/**
 * Changes all images that match, in one transaction, and adds an entry to the history; images that
 * are so already are not touched and not counted. A class or finding that does not exist is made,
 * as the last one; one that only changes made goes with its last image. The user's files stay as
 * they are. Throws CarryoverError `bad-input` (nothing matches, a class for a multi-label set, a
 * finding for a single-label one) and what `queryImages` throws.
 */
export function changeImages(
  context: Pick<HostContext, 'db' | 'events'>,
  datasetId: string,
  filter: ImageFilter,
  change: Change,
): ChangeEntry {
  const { db } = context;
  refuseOtherTask(db, datasetId, change);
  // What is to be included again is not seen by a filter that says nothing of it.
  const seen: ImageFilter = change.kind === 'include' ? { excluded: 'only', ...filter } : filter;
  const images = idsMatching(db, datasetId, seen);
  if (images.length === 0) throw nothingMatches(change);
  const slot = slotOf(change);
  const value = valueOf(change);
  return edited(context, datasetId, slot, () => {
    const id = insertChange(db, datasetId, change);
    const classId = classOf(db, datasetId, slot, value);
    const touched = recordTouched(db, id, { slot, value, classId, images });
    assign(db, { slot, value, classId, images: touched });
    db.prepare('UPDATE changes SET images = ? WHERE id = ?').run(touched.length, id);
    return id;
  });
}

const ENTRY = 'id, kind, value, images, created_at AS createdAt, undone_at AS undoneAt';

/** The history, newest first. Throws CarryoverError `not-found`. */
export function listChanges(db: Database, datasetId: string): ChangeEntry[] {
  requireDataset(db, datasetId);
  const list = `SELECT ${ENTRY} FROM changes WHERE dataset_id = ? ORDER BY id DESC`;
  return db.prepare<[string], ChangeEntry>(list).all(datasetId);
}

/**
 * Takes a change back, in one transaction: each of its images gets what it had before, as if the
 * change had never been made. Where a later change of the same thing (the class, whether it is
 * excluded, the same finding, the same tag) is in force on an image, that one stays. The entry
 * stays in the history; to have it again is a new change.
 * Throws CarryoverError `not-found`, or `conflict` when it was undone before.
 */
export function undoChange(
  context: Pick<HostContext, 'db' | 'events'>,
  datasetId: string,
  changeId: number,
): ChangeEntry {
  const { db } = context;
  requireDataset(db, datasetId);
  const undone = entryOf(db, datasetId, changeId);
  if (undone.undoneAt !== null) {
    throw new CarryoverError('conflict', `change ${changeId} was undone before`, {
      value: String(changeId),
      wayOut: 'to have it again, make the change again',
    });
  }
  const slot = slotOf(asChange(undone));
  return edited(context, datasetId, slot, () => {
    db.prepare('UPDATE changes SET undone_at = ? WHERE id = ?').run(now(), changeId);
    for (const [other, images] of inForceBy(db, changeId, slot)) {
      const value = other === null ? null : valueOf(asChange(entryOf(db, datasetId, other)));
      assign(db, { slot, value, classId: classOf(db, datasetId, slot, value), images });
    }
    return changeId;
  });
}

/** Edits the overlays; the columns in memory follow, and everyone is told. `edit`: gives the change's id. */
function edited(
  context: Pick<HostContext, 'db' | 'events'>,
  datasetId: string,
  slot: Slot,
  edit: () => number,
): ChangeEntry {
  const { db, events } = context;
  const id = writeTransaction(db, () => {
    const changeId = edit();
    dropUnusedClasses(db, datasetId);
    return changeId;
  });
  refreshColumns(db, datasetId, slot);
  events.emit({ type: 'datasets' });
  return entryOf(db, datasetId, id);
}

/** The class (or finding) that a value of a slot names, made where there is none. */
function classOf(db: Database, datasetId: string, slot: Slot, value: string | null): number | null {
  if (slot.kind === 'finding') return ensureClass(db, datasetId, slot.name);
  if (slot.kind === 'class' && value !== null) return ensureClass(db, datasetId, value);
  return null;
}

function insertChange(db: Database, datasetId: string, change: Change): number {
  const { lastInsertRowid } = db
    .prepare(
      `INSERT INTO changes (dataset_id, kind, value, images, created_at)
       VALUES (?, ?, ?, 0, ?)`,
    )
    .run(datasetId, change.kind, 'value' in change ? change.value : null, now());
  return Number(lastInsertRowid);
}

function entryOf(db: Database, datasetId: string, changeId: number): ChangeEntry {
  const entry = db
    .prepare<[string, number], ChangeEntry>(
      `SELECT ${ENTRY} FROM changes WHERE dataset_id = ? AND id = ?`,
    )
    .get(datasetId, changeId);
  if (entry) return entry;
  throw new CarryoverError('not-found', `there is no change ${changeId} of this data set`, {
    value: String(changeId),
  });
}

function asChange({ kind, value }: ChangeEntry): Change {
  return changeSchema.parse(value === null ? { kind } : { kind, value });
}

function refuseOtherTask(db: Database, datasetId: string, { kind }: Change): void {
  const { name, task } = getSummary(db, datasetId);
  const wanted = { relabel: 'single-label', finding: 'multi-label' }[kind as string];
  if (wanted === undefined || wanted === task) return;
  throw new CarryoverError(
    'bad-input',
    `"${name}" is ${task}: its images have no ${kind === 'relabel' ? 'single class' : 'findings'}`,
    {
      value: kind,
      wayOut:
        kind === 'relabel' ? 'change findings instead' : 'give the images another class instead',
    },
  );
}

function nothingMatches({ kind }: Change): CarryoverError {
  return new CarryoverError('bad-input', `no image matches, so there is nothing to ${kind}`, {
    value: kind,
    wayOut: 'widen the filter; excluded images are left out unless it asks for them',
  });
}

function now(): string {
  return new Date().toISOString();
}
