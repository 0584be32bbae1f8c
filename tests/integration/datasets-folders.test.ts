import { mkdirSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, parse } from 'node:path';
import { expect, test } from 'vitest';
import { listFolders } from '../../host/datasets/folders.ts';
import { put, temporaryFolder } from './datasets-folder.ts';

test('folders in order, links to folders among them; hidden ones left out; images counted by name', async () => {
  const root = temporaryFolder();
  for (const name of ['b', 'a', '.hidden']) mkdirSync(join(root, name));
  symlinkSync(join(root, 'a'), join(root, 'link'));
  symlinkSync(join(root, 'none'), join(root, 'dead'));
  for (const name of [
    '1.PNG',
    '2.jpeg',
    'notes.txt',
    'folder.png/x',
    'set.ZIP',
    'DICOMDIR',
    'labels.csv',
    'b/x.csv',
  ])
    put(root, name, 'x');
  expect(await listFolders(root)).toEqual({
    path: root,
    parent: dirname(root),
    folders: ['a', 'b', 'folder.png', 'link'].map((name) => ({ name, path: join(root, name) })),
    sources: ['DICOMDIR', 'labels.csv', 'set.ZIP'].map((name) => ({
      name,
      path: join(root, name),
    })),
    images: 2,
  });
});

test('starts at the user’s folder; the top has no parent; files and missing folders are refused', async () => {
  expect((await listFolders()).path).toBe(homedir());
  expect((await listFolders(parse(homedir()).root)).parent).toBeNull();
  const root = temporaryFolder();
  await expect(listFolders(join(root, 'x'))).rejects.toMatchObject({ code: 'not-found' });
  const file = put(root, 'file', '');
  await expect(listFolders(file)).rejects.toMatchObject({ code: 'bad-input' });
});
