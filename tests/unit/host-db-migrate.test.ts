import Database from 'better-sqlite3';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import type { Migration } from '../../host/db/migrate.ts';
import { readMigrations } from '../../host/db/migrate.ts';
import { MIGRATIONS_FOLDER, openDatabase } from '../../host/db/open.ts';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'carryover-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function numbered(...texts: string[]): Migration[] {
  return texts.map((sql, i) => {
    const name = `000${i + 1}-step`;
    return { version: i + 1, name, sql, sha256: hash('sha256', sql) };
  });
}

/** Opens, lets `use` work, closes. */
function withDatabase<T>(
  path: string,
  migrations: Migration[] | undefined,
  use: (db: Database.Database) => T,
): T {
  const opened = openDatabase(path, { command: 'test', ...(migrations ? { migrations } : {}) });
  try {
    return use(opened.db);
  } finally {
    opened.close();
  }
}

function failureOf(work: () => unknown): CarryoverError {
  try {
    work();
  } catch (error) {
    if (error instanceof CarryoverError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

const schema = (db: Database.Database): string[] =>
  db
    .prepare<[], string>('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name')
    .pluck()
    .all();

const ONE = 'CREATE TABLE one (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;';
const TWO = 'CREATE TABLE two (one_id INTEGER REFERENCES one (id)) STRICT;';

describe('the real migrations', () => {
  test('give the schema of the snapshot', async () => {
    const path = join(temporaryFolder(), 'carryover.db');
    const text = withDatabase(path, undefined, (db) => `${schema(db).join(';\n\n')};\n`);
    await expect(text).toMatchFileSnapshot('host-db-schema.snapshot.sql');
  });

  test('leave a durable, checked database with its bookkeeping', () => {
    const path = join(temporaryFolder(), 'carryover.db');
    withDatabase(path, undefined, (db) => {
      expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
      expect(db.pragma('synchronous', { simple: true })).toBe(2);
      expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
      const all = readMigrations(MIGRATIONS_FOLDER);
      expect(db.pragma('user_version', { simple: true })).toBe(all.length);
      const rows = db.prepare('SELECT version, name, sha256 FROM migrations').all();
      expect(rows).toEqual(all.map(({ version, name, sha256 }) => ({ version, name, sha256 })));
    });
    expect(existsSync(join(path, '..', 'backups'))).toBe(false);
  });
});

test('validation images fit into a home of before; its splits and curves stay', () => {
  const path = join(temporaryFolder(), 'carryover.db');
  const all = readMigrations(MIGRATIONS_FOLDER);
  withDatabase(path, all.slice(0, 2), (db) =>
    db.exec(`INSERT INTO datasets VALUES ('d', 'd', '/', 'class', '', '', '{}', '');
      INSERT INTO classes VALUES (1, 'd', 0, 'c');
      INSERT INTO domains VALUES (1, 'd', 0, '');
      INSERT INTO images VALUES
        (1, 'd', 'a', 1, 1, 'g', 1, 1, 1, 0, 'h', 'png', NULL, NULL, NULL),
        (2, 'd', 'b', 1, 1, 'g', 1, 1, 1, 0, 'i', 'png', NULL, NULL, NULL);
      INSERT INTO studies VALUES ('s', 's', '', '{}', 'd', '{}', 'done', NULL, NULL, '', NULL);
      INSERT INTO study_images VALUES ('s', 1, 'train');
      INSERT INTO runs (id, kind, arm, spec_json, dataset_id, dataset_hash, architecture, seed,
        shuffle, epochs, device, versions_json, status, notes_json, created_at)
        VALUES ('r', 'target', 'A', '{}', 'd', '', 'x', 0, 'none', 1, 'cpu', '{}', 'done', '[]', '');
      INSERT INTO epochs VALUES ('r', 1, 0.5, 0.6, 0.7, 0.8, 0.1, 2);`),
  );
  withDatabase(path, all.slice(0, 3), (db) => {
    db.exec(`INSERT INTO study_images VALUES ('s', 2, 'validation')`);
    expect(db.prepare('SELECT image_id, split FROM study_images').raw().all()).toEqual([
      [1, 'train'],
      [2, 'validation'],
    ]);
    expect(db.prepare('SELECT test_accuracy, validation_loss FROM epochs').raw().get()).toEqual([
      0.8,
      null,
    ]);
    expect(() => db.exec(`INSERT INTO study_images VALUES ('s', 2, 'other')`)).toThrow('CHECK');
    db.exec(`DELETE FROM studies`);
    expect(db.prepare('SELECT count(*) FROM study_images').pluck().get()).toBe(0);
  });
});

test('images of before are whole files of a single-label set; all that refers to them stays', () => {
  const path = join(temporaryFolder(), 'carryover.db');
  const all = readMigrations(MIGRATIONS_FOLDER);
  withDatabase(path, all.slice(0, 3), (db) =>
    db.exec(`INSERT INTO datasets VALUES
        ('d', 'one', '/one', 'class', 'h1', 'identical content', '{}', 'then'),
        ('e', 'two', '/two', 'domain/class', 'h2', 'identical content', '{}', 'then');
      INSERT INTO classes VALUES (1, 'd', 0, 'c');
      INSERT INTO domains VALUES (1, 'd', 0, 'all');
      INSERT INTO images VALUES
        (7, 'd', 'c/a.png', 1, 1, 'g', 3, 4, 5, 6.5, 'h', 'png', 'MIT', 'me', 'here');
      INSERT INTO studies VALUES ('s', 's', '', '{}', 'd', '{}', 'done', NULL, NULL, '', NULL);
      INSERT INTO study_images VALUES ('s', 7, 'train');`),
  );
  withDatabase(path, undefined, (db) => {
    expect(db.pragma('foreign_key_check')).toEqual([]);
    expect(
      db.prepare('SELECT id, reading_json, task, content_hash FROM datasets').raw().all(),
    ).toEqual([
      ['d', '{"format":"folders","levels":["class"]}', 'single-label', 'h1'],
      ['e', '{"format":"folders","levels":["domain","class"]}', 'single-label', 'h2'],
    ]);
    expect(db.prepare('SELECT * FROM current_images').get()).toEqual({
      ...{ id: 7, dataset_id: 'd', path: 'c/a.png', file: 'c/a.png', entry: null, frame: null },
      ...{ class_id: 1, imported_class_id: 1, excluded: 0, domain_id: 1, group_name: 'g' },
      ...{ split: null, width: 3, height: 4, bytes: 5, modified_ms: 6.5, sha256: 'h' },
      ...{ format: 'png', phash: null, mean: null, deviation: null },
      ...{ licence: 'MIT', attribution: 'me', source: 'here' },
    });
    expect(db.prepare('SELECT * FROM study_images').raw().all()).toEqual([['s', 7, 'train']]);
    db.exec('DELETE FROM studies; DELETE FROM images; DELETE FROM datasets');
    expect(db.prepare('SELECT count(*) FROM classes').pluck().get()).toBe(0);
  });
});

describe('reading the files', () => {
  test('numbers have no gap; line endings do not count', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, '0001-a.sql'), 'SELECT 1;\r\nSELECT 2;\r\n');
    writeFileSync(join(folder, 'README.md'), '');
    expect(readMigrations(folder)).toMatchObject([
      { version: 1, name: '0001-a', sha256: hash('sha256', 'SELECT 1;\nSELECT 2;\n') },
    ]);
    writeFileSync(join(folder, '0003-c.sql'), '');
    expect(() => readMigrations(folder)).toThrow('0003-c.sql is not number 2');
  });
});

describe('migrating', () => {
  test('applies what is missing and keeps a copy of what was there', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'carryover.db');
    withDatabase(path, numbered(ONE), (db) => db.exec("INSERT INTO one VALUES (1, 'kept')"));
    withDatabase(path, numbered(ONE, TWO), (db) => {
      expect(db.pragma('user_version', { simple: true })).toBe(2);
      expect(db.prepare('SELECT name FROM one').pluck().all()).toEqual(['kept']);
      db.exec('INSERT INTO two VALUES (1)');
    });
    withDatabase(path, numbered(ONE, TWO), () => undefined);
    const backups = readdirSync(join(folder, 'backups'));
    expect(backups).toHaveLength(1);
    const copy = new Database(join(folder, 'backups', backups[0]!), { readonly: true });
    onTestFinished(() => void copy.close());
    expect(copy.pragma('user_version', { simple: true })).toBe(1);
    expect(copy.prepare('SELECT name FROM one').pluck().all()).toEqual(['kept']);
  });

  test('a migration that fails midway leaves no trace, and the ones before it stay', () => {
    const path = join(temporaryFolder(), 'carryover.db');
    const broken = `CREATE TABLE half (id INTEGER) STRICT; INSERT INTO one VALUES (1, 'x');
      INSERT INTO nowhere VALUES (1);`;
    expect(() => withDatabase(path, numbered(ONE, broken, TWO), () => undefined)).toThrow(
      'no such table: nowhere',
    );
    withDatabase(path, numbered(ONE), (db) => {
      expect(db.pragma('user_version', { simple: true })).toBe(1);
      expect(db.prepare('SELECT count(*) FROM migrations').pluck().get()).toBe(1);
      expect(schema(db).join()).not.toContain('half');
      expect(db.prepare('SELECT count(*) FROM one').pluck().get()).toBe(0);
    });
  });

  test('a migration that breaks references is taken back', () => {
    const path = join(temporaryFolder(), 'carryover.db');
    const orphan = `CREATE TABLE old (one_id INTEGER); INSERT INTO old VALUES (7);
      CREATE TABLE child (one_id INTEGER REFERENCES one (id) DEFERRABLE INITIALLY DEFERRED);
      INSERT INTO child SELECT one_id FROM old;`;
    const failure = failureOf(() => withDatabase(path, numbered(ONE, orphan), () => undefined));
    expect(failure.message).toContain('broken references in child');
    withDatabase(path, numbered(ONE), (db) => expect(schema(db).join()).not.toContain('child'));
  });
});

describe('refusals', () => {
  test.each([false, true])('a database from the future (readonly: %s)', (readonly) => {
    const path = join(temporaryFolder(), 'carryover.db');
    withDatabase(path, numbered(ONE, TWO), () => undefined);
    const options = { command: 'test', readonly, migrations: numbered(ONE) };
    const failure = failureOf(() => openDatabase(path, options));
    expect(failure.code).toBe('unsupported');
    expect(failure.message).toContain('newer Carryover (schema 2; this one knows 1)');
    expect(failure.detail).toMatchObject({ file: path, wayOut: expect.stringContaining('update') });
    withDatabase(path, numbered(ONE, TWO), () => undefined);
  });

  test('history that was edited', () => {
    const path = join(temporaryFolder(), 'carryover.db');
    withDatabase(path, numbered(ONE), () => undefined);
    const edited = numbered(`${ONE} -- edited`, TWO);
    const failure = failureOf(() => withDatabase(path, edited, () => undefined));
    expect(failure).toMatchObject({ code: 'unsupported' });
    expect(failure.message).toContain('another text of migration 0001-step');
  });

  test('a database of another program, left as it was', () => {
    const path = join(temporaryFolder(), 'carryover.db');
    const other = new Database(path);
    other.exec('CREATE TABLE theirs (id INTEGER)');
    other.close();
    const failure = failureOf(() => withDatabase(path, undefined, () => undefined));
    expect(failure).toMatchObject({ code: 'bad-input' });
    const again = new Database(path, { readonly: true });
    onTestFinished(() => void again.close());
    expect(schema(again)).toEqual(['CREATE TABLE theirs (id INTEGER)']);
  });

  test('a file that is no database, and one with broken pages', () => {
    const folder = temporaryFolder();
    const text = join(folder, 'text.db');
    writeFileSync(text, 'this is not a database, only text that is long enough '.repeat(40));
    expect(failureOf(() => withDatabase(text, undefined, () => undefined))).toMatchObject({
      code: 'io',
      message: expect.stringContaining('text.db is damaged'),
      detail: { wayOut: expect.stringContaining('backups') },
    });

    const path = join(folder, 'carryover.db');
    withDatabase(path, numbered(ONE), (db) => {
      const insert = db.prepare('INSERT INTO one (name) VALUES (?)');
      for (let i = 0; i < 2000; i++) insert.run(`row ${i} ${'x'.repeat(50)}`);
    });
    writeFileSync(path, Buffer.alloc(8192, 0xee), { flag: 'r+' });
    expect(failureOf(() => withDatabase(path, numbered(ONE), () => undefined)).code).toBe('io');
  });
});
