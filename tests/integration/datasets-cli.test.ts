import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
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
  expect(dry.stdout).toContain('8 images, read as domain/class/image');
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
