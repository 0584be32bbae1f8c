import { expect, test } from 'vitest';
import { readingOf } from '../../cli/commands/reading-options.ts';

const TABLE = { table: ['t.csv'], pathColumn: 'file', labelColumn: 'label' };

test.each([
  [{ groupColumn: 'who' }, '--group-column', '--table FILE'],
  [{ levels: 'class', pathColumn: 'file' }, '--path-column', '--table FILE'],
  [{ levels: 'class', labelColumn: 'label' }, '--label-column', '--table FILE'],
  [{ ...TABLE, levels: 'class' }, '--levels', 'choose one of the two'],
  [{ ...TABLE, separator: ';' }, '--separator', 'give --list-column'],
  [{ reading: 'r.json', groupColumn: 'who' }, '--group-column', 'into that file'],
  [{ reading: 'r.json', levels: 'class' }, '--levels', 'into that file'],
  [{ reading: 'r.json', table: ['t.csv'] }, '--table', 'into that file'],
])('an option that would have no effect is refused: %o', async (options, flag, wayOut) => {
  await expect(readingOf(options)).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining(flag),
    detail: { value: flag, wayOut: expect.stringContaining(wayOut) },
  });
});

test('options that go together are taken', async () => {
  expect(await readingOf({})).toBeNull();
  expect(await readingOf({ levels: 'domain,class' })).toMatchObject({ format: 'folders' });
  expect(await readingOf({ ...TABLE, groupColumn: 'who' })).toMatchObject({
    format: 'table',
    columns: { path: 'file', group: 'who' },
  });
});
