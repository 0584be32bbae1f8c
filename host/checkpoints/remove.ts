import { rm } from 'node:fs/promises';
import { CarryoverError } from '../../contract/errors.ts';
import type { HostContext } from '../context.ts';
import { writeTransaction } from '../db/transaction.ts';
import { checkpointFile, findCheckpoint, studiesFrom } from './store.ts';

/**
 * Forgets a checkpoint and deletes our file of it; the file that it was imported from stays. Throws
 * `not-found`, or `conflict` naming the studies, or the runs, that start from it.
 */
export async function removeCheckpoint({ db, home }: HostContext, nameOrId: string): Promise<void> {
  const { id, name } = findCheckpoint(db, nameOrId);
  writeTransaction(db, () => {
    const studies = studiesFrom(db, id).map((study) => `"${study.name}"`);
    if (studies.length > 0) {
      const users = `${studies.length === 1 ? 'the study' : 'the studies'} ${studies.join(', ')}`;
      throw inUse(name, users, 'remove what uses it first');
    }
    const runs = db
      .prepare<[string], string>('SELECT id FROM runs WHERE parent_checkpoint_id = ?')
      .pluck()
      .all(id);
    if (runs.length > 0) {
      const wayOut = 'keep it: runs stay repeatable only with the checkpoint they started from';
      throw inUse(name, `${runs.length === 1 ? 'the run' : 'the runs'} ${runs.join(', ')}`, wayOut);
    }
    db.prepare('DELETE FROM checkpoints WHERE id = ?').run(id);
  });
  await rm(checkpointFile(home, id), { force: true });
}

function inUse(name: string, user: string, wayOut: string): CarryoverError {
  return new CarryoverError('conflict', `the checkpoint "${name}" is used by ${user}`, {
    value: name,
    wayOut,
  });
}
