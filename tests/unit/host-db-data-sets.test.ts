import type { Database } from 'better-sqlite3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { getDetail, getImage } from '../../host/datasets/read.ts';
import { readMigrations } from '../../host/db/migrate.ts';
import { MIGRATIONS_FOLDER, openDatabase } from '../../host/db/open.ts';

/** A data set, and a study that tests on it, as schema 3 had them. */
function fillSchema3(db: Database): void {
  const report = {
    root: '/photos',
    ...{ layout: 'domain/class', images: 1, bytes: 10, classNames: ['cat'], domainNames: ['line'] },
    ...{ counts: [[1]], groupedBy: 'identical content', groups: 1, licences: [] },
    ...{ skipped: [], duplicates: [], conflicts: [], warnings: ['one class only'] },
  };
  const dataset = db.prepare('INSERT INTO datasets VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const [root, layout] = ['/photos', 'domain/class'];
  dataset.run(
    'd1',
    'photos',
    root,
    layout,
    'hash',
    'identical content',
    JSON.stringify(report),
    '',
  );
  db.exec(`
    INSERT INTO classes VALUES (1, 'd1', 0, 'cat');
    INSERT INTO domains VALUES (1, 'd1', 0, 'line');
    INSERT INTO images VALUES
      (7, 'd1', 'line/cat/1.png', 1, 1, 'g', 8, 8, 10, 5.5, 'abc', 'png', 'MIT', NULL, NULL);
    INSERT INTO studies VALUES ('s1', 'study', '', '{}', 'd1', '{}', 'planned', NULL, NULL, '', NULL);
    INSERT INTO study_images VALUES ('s1', 7, 'test');
  `);
}

test('a data set of schema 3 is there as it was, with what was not known then left empty', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'carryover-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'carryover.db');
  const migrations = readMigrations(MIGRATIONS_FOLDER).slice(0, 3);
  const before = openDatabase(path, { command: 'test', migrations });
  fillSchema3(before.db);
  before.close();

  const { db, close } = openDatabase(path, { command: 'test' });
  onTestFinished(close);
  const reading = { format: 'folders', levels: ['domain', 'class'] };
  const detail = getDetail(db, 'd1');
  expect(detail).toMatchObject({ task: 'single-label', reading, counts: [[1]], attributes: [] });
  expect(detail.report).toEqual({
    root: '/photos',
    ...{ reading, task: 'single-label', splits: {}, attributeNames: [] },
    ...{ images: 1, bytes: 10, classNames: ['cat'], domainNames: ['line'], counts: [[1]] },
    ...{ groupedBy: 'identical content', groups: 1, licences: [] },
    ...{ skipped: [], duplicates: [], conflicts: [], warnings: ['one class only'] },
  });
  expect(await getImage(db, 7)).toMatchObject({
    ...{ path: 'line/cat/1.png', domain: 'line', label: 'cat', split: null, licence: 'MIT' },
    ...{ excluded: false, relabelledFrom: null, tags: [], state: 'missing' },
  });
  expect(db.prepare('SELECT * FROM study_images').all()).toEqual([
    { study_id: 's1', image_id: 7, split: 'test' },
  ]);
});
