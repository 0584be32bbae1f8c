import type { Database } from 'better-sqlite3';
import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import { damaged } from './errors.ts';

/** One numbered SQL file. */
export interface Migration {
  version: number;
  /** File name without `.sql`. */
  name: string;
  sql: string;
  sha256: string;
}

interface Applied {
  version: number;
  name: string;
  sha256: string;
}

/** Reads `NNNN-name.sql` files in order; numbers must be 1, 2, 3 ... without a gap. */
export function readMigrations(folder: string): Migration[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'));
  return names.sort().map((file, index) => {
    const match = /^(\d{4})-[a-z0-9-]+\.sql$/.exec(file);
    if (Number(match?.[1]) !== index + 1) {
      throw new CarryoverError('internal', `migrations/${file} is not number ${index + 1}`);
    }
    const sql = readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n');
    return { version: index + 1, name: file.slice(0, -4), sql, sha256: hash('sha256', sql) };
  });
}

/** The migrations this database lacks. Refuses one from the future, edited history and foreign files. */
export function pendingMigrations(db: Database, all: Migration[]): Migration[] {
  const version = db.pragma('user_version', { simple: true }) as number;
  const applied = appliedMigrations(db, version);
  const newest = Math.max(version, applied.length);
  if (newest > all.length) {
    throw new CarryoverError(
      'unsupported',
      `${db.name} was written by a newer Carryover (schema ${newest}; this one knows ${all.length})`,
      { file: db.name, wayOut: 'update Carryover, or work in another home with --home DIR' },
    );
  }
  for (const [index, row] of applied.entries()) {
    if (row.version === index + 1 && row.sha256 === all[index]?.sha256) continue;
    throw new CarryoverError(
      'unsupported',
      `${db.name} was made with another text of migration ${row.name} than this Carryover has`,
      { file: db.name, wayOut: 'use the Carryover that made it, or another home with --home DIR' },
    );
  }
  return all.slice(applied.length);
}

function appliedMigrations(db: Database, version: number): Applied[] {
  const tables = db
    .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .pluck()
    .all();
  if (tables.includes('migrations')) {
    return db
      .prepare<[], Applied>('SELECT version, name, sha256 FROM migrations ORDER BY version')
      .all();
  }
  if (tables.length === 0 && version === 0) return [];
  throw new CarryoverError('bad-input', `${db.name} is a database of another program`, {
    file: db.name,
    wayOut: 'choose another home with --home DIR',
  });
}

/**
 * Applies each migration in one transaction with its bookkeeping; a failing one leaves no trace.
 * Foreign keys are off meanwhile, so that a table can be rebuilt without its dependents being
 * deleted; that every reference holds is checked at the end of each.
 */
export function applyMigrations(db: Database, pending: Migration[]): void {
  db.pragma('foreign_keys = OFF');
  try {
    for (const migration of pending) db.transaction(() => apply(db, migration)).immediate();
  } finally {
    db.pragma('foreign_keys = ON');
  }
}

function apply(db: Database, migration: Migration): void {
  db.exec(`CREATE TABLE IF NOT EXISTS migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    applied_at TEXT NOT NULL
  ) STRICT`);
  db.exec(migration.sql);
  db.prepare('INSERT INTO migrations VALUES (?, ?, ?, ?)').run(
    migration.version,
    migration.name,
    migration.sha256,
    new Date().toISOString(),
  );
  db.pragma(`user_version = ${migration.version}`);
  const broken = db.pragma('foreign_key_check') as { table: string }[];
  if (broken[0]) {
    throw damaged(
      db.name,
      `migration ${migration.name} leaves broken references in ${broken[0].table}`,
    );
  }
}
