import { execFile } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pictures, put, temporaryFolder } from './datasets-folder.ts';

const CLI = join(import.meta.dirname, '..', '..', 'cli', 'carryover.ts');

/** Runs the real command line in a home. */
function carryover(home: string, ...args: string[]) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [CLI, '--home', home, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

test('dry run, import, import again, list, show: in text and as JSON', async () => {
  const home = join(temporaryFolder(), 'home');
  const root = join(temporaryFolder(), 'Pets of 2026');
  await pictures(root, ['photo', 'sketch'], ['cat', 'dog'], 2);
  put(root, 'photo/cat/notes.txt', 'x');

  const dry = await carryover(home, 'import', root, '--dry-run');
  expect(dry.code).toBe(0);
  expect(dry.stdout).toContain('8 images, read as folders: domain / class / image');
  expect(dry.stdout).toMatch(/class +photo +sketch\ncat +2 +2\ndog +2 +2\n/);
  expect(dry.stdout).toContain('photo/cat/notes.txt: ');
  expect(dry.stderr).toContain('reading images');
  expect(existsSync(home)).toBe(false);

  expect((await carryover(home, 'datasets')).stdout).toContain('no data sets yet');
  const done = await carryover(home, 'import', root, '--json');
  expect(done.code).toBe(0);
  const { dataset, existed, report } = JSON.parse(done.stdout);
  expect({ existed, name: dataset.name, images: dataset.images }).toEqual({
    existed: false,
    name: 'Pets of 2026',
    images: 8,
  });
  expect(report.skipped).toHaveLength(1);

  const again = await carryover(home, 'import', root);
  expect(again.code).toBe(0);
  expect(again.stdout).toContain('"Pets of 2026"');
  expect(again.stdout).toContain('was imported before');

  expect(JSON.parse((await carryover(home, 'datasets', '--json')).stdout)).toEqual([dataset]);
  const shown = await carryover(home, 'datasets', dataset.id, '--json');
  expect(JSON.parse(shown.stdout)).toMatchObject({ ...dataset, report, studies: [] });
  expect((await carryover(home, 'datasets', 'Pets of 2026')).stdout).toContain(dataset.contentHash);

  const other = await carryover(home, 'import', root, '--name', 'Other', '--json');
  expect(JSON.parse(other.stdout)).toMatchObject({ existed: false, dataset: { name: 'Other' } });
  const names = JSON.parse((await carryover(home, 'datasets', '--json')).stdout);
  expect(names).toMatchObject([{ name: 'Other' }, { name: 'Pets of 2026' }]);
});

test('look, readings from options and from a file, findings of a table', async () => {
  const home = join(temporaryFolder(), 'home');
  const root = join(temporaryFolder(), 'chests');
  await pictures(root, [''], ['images'], 4);
  const rows = ['0,p1,1,,12', '1,p1,0,1,12', '2,p2,-1,1,30', '3,p3,,,41'];
  const lines = rows.map((row) => `images/${row[0]}.png${row.slice(1)}`);
  put(root, 'labels.csv', ['file,who,Edema,Fracture,age', ...lines, ''].join('\n'));

  const look = await carryover(home, 'look', root);
  expect(look.stdout).toContain('table labels.csv, 4 rows');
  expect(look.stdout).toMatch(/who +3 +0 +p1/);
  expect(existsSync(home)).toBe(false);

  const table = ['--table', 'labels.csv', '--path-column', 'file', '--findings', 'Edema,Fracture'];
  const more = ['--group-column', 'who', '--attributes', 'age'];
  const done = await carryover(home, 'import', root, ...table, ...more);
  expect(done.stdout).toContain('multi-label');
  expect(done.stdout).toMatch(/finding +all\nEdema +1\nFracture +2\n/);
  expect(done.stdout).toContain('grouped by column who: 3 groups');
  expect(done.stdout).toContain('attributes: age');
  const [{ report }] = [JSON.parse((await carryover(home, 'datasets', 'chests', '--json')).stdout)];

  const file = put(temporaryFolder(), 'reading.json', JSON.stringify(report.reading));
  const again = await carryover(home, 'import', root, '--reading', file, '--json');
  expect(JSON.parse(again.stdout)).toMatchObject({ existed: true });
  const levels = await carryover(home, 'import', root, '--levels', 'class,group,', '--json');
  expect(JSON.parse(levels.stdout)).toMatchObject({
    error: { code: 'bad-input', message: expect.stringContaining('--levels') },
  });
  const half = await carryover(home, 'import', root, '--table', 'labels.csv');
  expect(half).toMatchObject({ code: 1, stderr: expect.stringContaining('--label-column') });
}, 30_000);

test('relink, check, label, changes, undo', async () => {
  const home = join(temporaryFolder(), 'home');
  const root = join(temporaryFolder(), 'pets');
  await pictures(root, [''], ['cat', 'dog'], 2);
  await carryover(home, 'import', root);
  expect(await carryover(home, 'datasets', 'check', 'pets')).toMatchObject({
    code: 0,
    stdout: 'data set "pets": 4 images, 0 missing, 0 changed\n',
  });
  const moved = join(temporaryFolder(), 'moved');
  renameSync(root, moved);
  const gone = await carryover(home, 'datasets', 'check', 'pets');
  expect(gone).toMatchObject({ code: 1, stdout: expect.stringContaining('missing: dog/1.png') });
  const linked = await carryover(home, 'datasets', 'relink', 'pets', moved, '--json');
  expect(JSON.parse(linked.stdout)).toMatchObject({ name: 'pets', root: moved });

  const label = ['datasets', 'label', 'pets', '--json', '--filter', '{"text":"cat/0"}'];
  expect(JSON.parse((await carryover(home, ...label, '--to', 'dog')).stdout)).toMatchObject({
    kind: 'relabel',
    value: 'dog',
    images: 1,
  });
  const counts = async () =>
    JSON.parse((await carryover(home, 'datasets', 'pets', '--json')).stdout).counts;
  expect(await counts()).toEqual([[1, 3]]);
  const listed = await carryover(home, 'datasets', 'changes', 'pets');
  expect(listed.stdout).toMatch(/1 +relabel +dog +1 /);
  await carryover(home, 'datasets', 'undo', 'pets', '1');
  expect(await counts()).toEqual([[2, 2]]);
  expect(await carryover(home, ...label, '--exclude', '--tag', 'x')).toMatchObject({ code: 1 });
}, 30_000);

test('failures end with 1, say what and the way out, and are JSON on request', async () => {
  const home = temporaryFolder();
  const empty = temporaryFolder();
  const text = await carryover(home, 'import', empty);
  expect(text).toMatchObject({ code: 1, stdout: '' });
  expect(text.stderr).toContain(`error: ${empty} is empty`);
  expect(text.stderr).toContain('way out: ');

  const json = await carryover(home, 'import', join(empty, 'none'), '--dry-run', '--json');
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'not-found' } });

  const unknown = await carryover(home, 'datasets', 'none', '--json');
  expect(unknown.code).toBe(1);
  expect(JSON.parse(unknown.stdout)).toMatchObject({ error: { code: 'not-found', detail: {} } });
});
