import { CarryoverError } from '../../contract/errors.ts';
import { fileError, systemCode } from '../files.ts';

const DAMAGED = new Set(['SQLITE_CORRUPT', 'SQLITE_NOTADB']);

/**
 * A thrown SQLite error as a CarryoverError that says what the user can do; anything else as it is.
 * `file` is the database.
 */
export function databaseError(thrown: unknown, file: string): unknown {
  const code = systemCode(thrown);
  if (code === undefined || !code.startsWith('SQLITE_')) return thrown;
  if (code === 'SQLITE_FULL') return fileError(thrown, file, 'write to');
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  if (DAMAGED.has(code)) return damaged(file, reason, thrown);
  if (code.startsWith('SQLITE_IOERR') || code.startsWith('SQLITE_CANTOPEN')) {
    return fileError(thrown, file, 'use');
  }
  if (code.startsWith('SQLITE_READONLY')) {
    const wayOut = 'check that the home folder and the files in it may be written';
    return new CarryoverError('io', `${file} cannot be written: ${reason}`, { file, wayOut });
  }
  if (code.startsWith('SQLITE_BUSY')) {
    const wayOut = 'close the other program that has this database open';
    return new CarryoverError('busy', `${file} is in use: ${reason}`, { file, wayOut });
  }
  return thrown;
}

/** The database is no SQLite file, or its pages are broken. */
export function damaged(file: string, reason: string, cause?: unknown): CarryoverError {
  const wayOut =
    'keep the file, then put a copy from the backups folder beside it in its place, or start with another --home';
  return new CarryoverError('io', `${file} is damaged: ${reason}`, { file, wayOut }, cause);
}
