import type { Database } from 'better-sqlite3';
import type { DatasetSummary } from '../../contract/datasets.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { HostContext } from '../context.ts';
import { writeTransaction } from '../db/transaction.ts';
import { forgetColumns } from './columns.ts';
import { getSummary, listStudies } from './read.ts';
import { describeAnew, moveTo } from './move.ts';
import type { Scan } from './scan.ts';
import { storeScan } from './store.ts';

/** How a data set's name was chosen. */
export interface Naming {
  /** It must have this very name, though its folder may be imported under another. */
  exact?: boolean;
}

/**
 * The data set that importing this scan as `name` would give back instead of making a second one:
 * the same content under the same name (its folder may have moved) or, unless the name is exact,
 * from the same folder under another. Null when the import would make a new one.
 */
export function findImported(
  context: HostContext,
  scan: Scan,
  name: string,
  { exact = false }: Naming = {},
): DatasetSummary | null {
  const id = context.db
    .prepare<[string, string | null, string, string], string>(
      `SELECT id FROM datasets WHERE content_hash = ? AND (root = ? OR name = ?)
       ORDER BY name = ? DESC, created_at`,
    )
    .pluck()
    .get(scan.contentHash, exact ? null : scan.root, name, name);
  return id === undefined ? null : getSummary(context.db, id);
}

/**
 * Records a scan as a data set, in one transaction; the images stay where they are. Content that
 * is already imported (`findImported`) keeps its data set, which then points to the scanned files
 * and, unless a study or run uses it, takes over what the source says of them beside that content.
 * Throws CarryoverError `conflict` when the name belongs to other content, `disk-full`, `io`.
 */
export function importScan(
  context: HostContext,
  scan: Scan,
  name: string,
  naming: Naming = {},
): DatasetSummary {
  const { db, events } = context;
  const id = writeTransaction(db, () => {
    const existing = findImported(context, scan, name, naming);
    if (existing) {
      const files = moveTo(db, existing.id, scan);
      if (!isUsed(db, existing.id)) describeAnew(db, existing.id, files);
      return existing.id;
    }
    refuseTakenName(db, name);
    return storeScan(db, scan, name);
  });
  forgetColumns(db, id);
  events.emit({ type: 'datasets' });
  return getSummary(db, id);
}

function refuseTakenName(db: Database, name: string): void {
  const taken = db
    .prepare<[string], { id: string; root: string }>('SELECT id, root FROM datasets WHERE name = ?')
    .get(name);
  if (!taken) return;
  const message = `a data set "${name}" with other content exists (${taken.root})`;
  const removable = isUsed(db, taken.id) ? '' : ', or remove that data set in the workbench';
  throw new CarryoverError('conflict', message, {
    value: name,
    wayOut: `choose another name${removable}`,
  });
}

function isUsed(db: Database, id: string): boolean {
  const run = db.prepare<[string]>('SELECT 1 FROM runs WHERE dataset_id = ? LIMIT 1').get(id);
  return run !== undefined || listStudies(db, id).length > 0;
}
