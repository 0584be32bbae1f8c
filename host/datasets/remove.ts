import { CarryoverError } from '../../contract/errors.ts';
import type { HostContext } from '../context.ts';
import { writeTransaction } from '../db/transaction.ts';
import { counted } from './order.ts';
import { getSummary, listStudies } from './read.ts';

/**
 * Forgets a data set; the user's files stay as they are. Throws CarryoverError `not-found`, or
 * `conflict` naming the studies when studies or runs still use it.
 */
export function removeDataset(context: HostContext, id: string): void {
  const { db, events } = context;
  writeTransaction(db, () => {
    const { name } = getSummary(db, id);
    const studies = listStudies(db, id);
    const runs = db
      .prepare<[string], number>('SELECT count(*) FROM runs WHERE dataset_id = ?')
      .pluck()
      .get(id);
    if (studies.length > 0) {
      const names = studies.map((study) => `"${study.name}"`).join(', ');
      throw inUse(name, `${studies.length === 1 ? 'the study' : 'the studies'} ${names}`);
    }
    if (runs) throw inUse(name, counted(runs, 'run'));
    db.prepare('DELETE FROM images WHERE dataset_id = ?').run(id);
    db.prepare('DELETE FROM datasets WHERE id = ?').run(id);
  });
  events.emit({ type: 'datasets' });
}

function inUse(name: string, user: string): CarryoverError {
  return new CarryoverError('conflict', `the data set "${name}" is used by ${user}`, {
    value: name,
    wayOut: 'remove those first',
  });
}
