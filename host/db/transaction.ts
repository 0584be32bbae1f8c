import type { Database } from 'better-sqlite3';
import { CarryoverError } from '../../contract/errors.ts';
import { systemCode } from '../files.ts';
import { databaseError } from './errors.ts';

/**
 * Does a large piece of `work` in one write transaction: all of it is stored, or on a throw nothing.
 * SQLite's errors become CarryoverErrors (`disk-full`, `io`, `busy`). The write-ahead log is emptied
 * first, because on a full disk only a log without finished transactions can give its space back.
 */
export function writeTransaction<T>(db: Database, work: () => T): T {
  if (db.readonly) {
    throw new CarryoverError('unsupported', `${db.name} is open for reading only`, {
      file: db.name,
    });
  }
  try {
    db.pragma('wal_checkpoint(TRUNCATE)');
    return db.transaction(work).immediate();
  } catch (error) {
    if (systemCode(error) === 'SQLITE_FULL') db.pragma('wal_checkpoint(TRUNCATE)');
    throw databaseError(error, db.name);
  }
}
