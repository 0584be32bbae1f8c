import type { Database } from 'better-sqlite3';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import type { HostContext } from '../context.ts';
import { writeTransaction } from '../db/transaction.ts';
import { forgetColumns } from './columns.ts';
import { counted } from './order.ts';
import { getSummary, listStudies } from './read.ts';

const KEPT_BY_RUNS = 'keep it: runs stay comparable only with the data set they were trained on';

/**
 * Forgets a data set and what was computed over it; the user's files stay as they are. Throws CarryoverError `not-found`, or
 * `conflict` naming the studies when studies or runs still use it.
 */
export function removeDataset(context: HostContext, id: string): void {
  const { db, events, home } = context;
  const arrays = writeTransaction(db, () => {
    const { name } = getSummary(db, id);
    const studies = listStudies(db, id);
    const runs = db
      .prepare<[string], number>('SELECT count(*) FROM runs WHERE dataset_id = ?')
      .pluck()
      .get(id);
    if (studies.length > 0) {
      const names = studies.map((study) => `"${study.name}"`).join(', ');
      const users = `${studies.length === 1 ? 'the study' : 'the studies'} ${names}`;
      throw inUse(name, users, 'remove what uses it first');
    }
    if (runs) throw inUse(name, counted(runs, 'trained run'), KEPT_BY_RUNS);
    const files = analysisFiles(db, id);
    db.prepare('DELETE FROM images WHERE dataset_id = ?').run(id);
    db.prepare('DELETE FROM datasets WHERE id = ?').run(id);
    return files;
  });
  for (const name of arrays) rmSync(join(home.analyses, name), { force: true });
  forgetColumns(db, id);
  events.emit({ type: 'datasets' });
}

/** Names of the arrays that were computed over its images. */
function analysisFiles(db: Database, id: string): string[] {
  const lists = db
    .prepare<[string], string>('SELECT files_json FROM dataset_analyses WHERE dataset_id = ?')
    .pluck()
    .all(id);
  return lists.flatMap((json) => (JSON.parse(json) as { name: string }[]).map(({ name }) => name));
}

function inUse(name: string, user: string, wayOut: string): CarryoverError {
  return new CarryoverError('conflict', `the data set "${name}" is used by ${user}`, {
    value: name,
    wayOut,
  });
}
