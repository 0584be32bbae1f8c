import Database from 'better-sqlite3';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { CarryoverError } from '../../contract/errors.ts';
import { fileError, systemCode } from '../files.ts';
import { databaseError } from './errors.ts';

/** Who holds the lock, for the message that a second process gives. */
const holderSchema = z.object({ pid: z.int(), command: z.string(), since: z.string() });

export interface Lock {
  release(): void;
}

/**
 * Makes this process the only writer of the database beside which the lock lies. The lock is the
 * operating system's (SQLite's exclusive lock on an empty file), so it goes when the process dies,
 * however it dies. `command` is what others are told. Throws CarryoverError `busy`.
 */
export function acquireLock(database: string, command: string): Lock {
  const lockFile = join(dirname(database), 'lock.db');
  const holderFile = join(dirname(database), 'lock.json');
  const lock = openLock(lockFile);
  try {
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
    const holder = { pid: process.pid, command, since: new Date().toISOString() };
    writeFileSync(holderFile, JSON.stringify(holder));
  } catch (error) {
    lock.close();
    if (systemCode(error) === 'SQLITE_BUSY') throw busy(dirname(database), holderFile);
    throw fileError(databaseError(error, lockFile), lockFile, 'lock the home with');
  }
  return {
    release() {
      rmSync(holderFile, { force: true });
      lock.close();
    },
  };
}

function openLock(file: string): Database.Database {
  try {
    return new Database(file, { timeout: 0 });
  } catch (error) {
    throw databaseError(error, file);
  }
}

function busy(home: string, holderFile: string): CarryoverError {
  const holder = readHolder(holderFile);
  const who = holder ? `process ${holder.pid} (carryover ${holder.command})` : 'another process';
  return new CarryoverError('busy', `${who} is working in ${home}`, {
    file: home,
    ...(holder ? { value: String(holder.pid) } : {}),
    wayOut: 'wait until it has ended, stop it, or work in another home with --home DIR',
  });
}

function readHolder(file: string): z.infer<typeof holderSchema> | null {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null; // not yet written, or left half-written by a crash: the lock itself still holds
  }
}
