import Database from 'better-sqlite3';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileError } from '../files.ts';
import { damaged, databaseError } from './errors.ts';
import { acquireLock } from './lock.ts';
import type { Migration } from './migrate.ts';
import { applyMigrations, pendingMigrations, readMigrations } from './migrate.ts';

/** The numbered SQL files of this program. */
export const MIGRATIONS_FOLDER = join(import.meta.dirname, '..', '..', 'migrations');

/** A write-ahead log that grew beyond this is cut back at the next checkpoint. */
const WAL_BYTES = 64 * 2 ** 20;

export interface OpenOptions {
  /** What a second process is told about this one: `import`, `serve` ... */
  command: string;
  /** Opens beside a writer, takes no lock. A database that is missing or old is brought up to date first. */
  readonly?: boolean;
  migrations?: Migration[];
}

export interface OpenedDatabase {
  db: Database.Database;
  /** Closes the database and gives the lock back. */
  close(): void;
}

/**
 * Opens (and creates) the database: lock, checks, backup and migrations as needed.
 * Throws CarryoverError: `busy` (another writer), `unsupported` (from the future or edited),
 * `io` (damaged, not writable), `disk-full`.
 */
export function openDatabase(path: string, options: OpenOptions): OpenedDatabase {
  const migrations = options.migrations ?? readMigrations(MIGRATIONS_FOLDER);
  try {
    return options.readonly
      ? openReader(path, options.command, migrations)
      : openWriter(path, options.command, migrations);
  } catch (error) {
    throw databaseError(error, path);
  }
}

function openReader(path: string, command: string, migrations: Migration[]): OpenedDatabase {
  if (!existsSync(path)) openWriter(path, command, migrations).close();
  const db = new Database(path, { readonly: true, fileMustExist: true });
  try {
    if (pendingMigrations(db, migrations).length === 0) return { db, close: () => db.close() };
  } catch (error) {
    db.close();
    throw error;
  }
  db.close();
  openWriter(path, command, migrations).close();
  return openReader(path, command, migrations);
}

function openWriter(path: string, command: string, migrations: Migration[]): OpenedDatabase {
  const lock = acquireLock(path, command);
  let db: Database.Database | undefined;
  try {
    db = new Database(path);
    prepare(db, migrations);
  } catch (error) {
    db?.close();
    lock.release();
    throw error;
  }
  const opened = db;
  return {
    db: opened,
    close() {
      opened.close();
      lock.release();
    },
  };
}

function prepare(db: Database.Database, migrations: Migration[]): void {
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('foreign_keys = ON');
  db.pragma(`journal_size_limit = ${WAL_BYTES}`);
  const verdict = db.pragma('quick_check(1)', { simple: true });
  if (verdict !== 'ok') throw damaged(db.name, String(verdict));
  const pending = pendingMigrations(db, migrations);
  const version = migrations.length - pending.length;
  if (version > 0 && pending.length > 0) backUp(db, version);
  applyMigrations(db, pending);
}

/** A copy of the database as it is, `backups/carryover-schema<version>-<time>.db`. */
function backUp(db: Database.Database, version: number): void {
  const folder = join(dirname(db.name), 'backups');
  const time = new Date().toISOString().replaceAll(/[-:]/g, '');
  const file = join(folder, `${basename(db.name, '.db')}-schema${version}-${time}.db`);
  try {
    mkdirSync(folder, { recursive: true });
    db.prepare('VACUUM INTO ?').run(file);
  } catch (error) {
    rmSync(file, { force: true });
    throw fileError(error, file, 'back the database up to');
  }
}
