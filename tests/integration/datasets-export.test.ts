import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { carryover } from './cli-support.ts';
import { pictures, temporaryFolder } from './datasets-folder.ts';

test('the command line writes the tables of a data set, with what was changed', async () => {
  const folder = temporaryFolder();
  const home = ['--home', join(folder, 'home')];
  const root = join(folder, 'pets');
  await pictures(root, [''], ['cat', 'dog'], 2);
  await carryover(...home, 'import', root);
  const label = ['datasets', 'label', 'pets', '--filter', '{"text":"cat/0"}', '--to', 'dog'];
  await carryover(...home, ...label);

  const written = async (table: string): Promise<string> => {
    const out = join(folder, table);
    const ended = await carryover(...home, 'datasets', 'export', 'pets', table, '--out', out);
    expect(ended).toMatchObject({ code: 0, stdout: `${table} of data set "pets": ${out}\n` });
    return readFileSync(out, 'utf8');
  };
  const rows = (await written('metadata.csv')).trim().split('\r\n');
  expect(rows).toHaveLength(1 + 4);
  expect(rows.find((row) => row.startsWith('cat/0.png'))).toContain('dog');
  expect(await written('images.csv')).toContain('cat/0.png');
  expect(JSON.parse(await written('changes.json'))).toHaveLength(1);

  const none = join(folder, 'none.csv');
  const wrong = await carryover(...home, 'datasets', 'export', 'pets', 'all.csv', '--out', none);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain('there is no table all.csv');
  expect(existsSync(none)).toBe(false);
}, 60_000);
