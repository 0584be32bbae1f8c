import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { lookAt, previewReading } from '../../host/datasets/look.ts';
import { pictures, put, temporaryFolder } from './datasets-folder.ts';
import { putPictures } from './formats-support.ts';

test('a look names levels, tables with their columns, and the best reading first', async () => {
  const root = temporaryFolder();
  await pictures(root, ['photo', 'sketch'], ['cat', 'dog'], 2);
  put(root, 'notes.csv', 'name,colour\nfirst,red\nsecond,\nthird,red\n');
  put(root, 'broken.csv', 'a,b\n"1\n');
  const look = await lookAt(root);
  expect(look).toMatchObject({
    path: root,
    name: basename(root),
    files: 10,
    truncated: false,
    why: null,
  });
  expect(look.offers[0]).toMatchObject({
    reading: { format: 'folders', levels: ['domain', 'class'] },
    title: 'Folders: domain / class / image',
  });
  expect(look.levels).toEqual([
    { names: 2, examples: ['photo', 'sketch'] },
    { names: 2, examples: ['cat', 'dog'] },
  ]);
  expect(look.tables).toEqual([
    {
      file: 'notes.csv',
      rows: 3,
      columns: [
        { name: 'name', distinct: 3, blank: 0, examples: ['first', 'second', 'third'] },
        { name: 'colour', distinct: 1, blank: 1, examples: ['red'] },
      ],
    },
  ]);
});

test('a preview counts without opening an image, and follows the reading', async () => {
  const root = temporaryFolder();
  for (const path of ['train/a/cat/1.png', 'train/b/dog/2.png', 'test/a/cat/3.png', 'top.png']) {
    put(root, path, 'these bytes are no image');
  }
  put(root, 'train/a/cat/readme.txt', 'x');
  const preview = await previewReading(root, {
    format: 'folders',
    levels: ['split', { attribute: 'site' }, 'class'],
  });
  expect(preview).toEqual({
    task: 'single-label',
    images: 3,
    rows: [
      {
        path: 'test/a/cat/3.png',
        domain: 'all',
        label: 'cat',
        split: 'test',
        group: null,
        attributes: { site: 'a' },
      },
      {
        path: 'train/b/dog/2.png',
        domain: 'all',
        label: 'dog',
        split: 'train',
        group: null,
        attributes: { site: 'b' },
      },
      {
        path: 'train/a/cat/1.png',
        domain: 'all',
        label: 'cat',
        split: 'train',
        group: null,
        attributes: { site: 'a' },
      },
    ],
    classes: [
      { name: 'cat', images: 2 },
      { name: 'dog', images: 1 },
    ],
    domains: [{ name: 'all', images: 3 }],
    splits: [
      { name: 'test', images: 1 },
      { name: 'train', images: 2 },
    ],
    skipped: 2,
    reasons: [
      { reason: 'image in no class folder', files: 1 },
      { reason: 'no image by its name', files: 1 },
    ],
    warnings: [],
  });
  const flat = await previewReading(root, { format: 'folders', levels: ['class'] });
  expect(flat.classes.map(({ name }) => name)).toEqual(['cat', 'dog']);
});

test('findings that are present are the classes; reasons are told once for all lines', async () => {
  const root = temporaryFolder();
  await putPictures(root, ['a.png', 'b.png']);
  put(root, 't.csv', 'file,edema,mass\na.png,1,1\nb.png,0,-1\nc.png,1,0\nd.png,1,0\n');
  const { offers } = await lookAt(root);
  const preview = await previewReading(root, offers[0]!.reading);
  expect(preview).toMatchObject({
    task: 'multi-label',
    images: 2,
    classes: [
      { name: 'edema', images: 1 },
      { name: 'mass', images: 1 },
    ],
    skipped: 2,
    reasons: [{ reason: 'no such file', files: 2 }],
  });
  expect(preview.rows.map(({ label }) => label)).toEqual(['edema, mass', '']);
});

test('a new look sees what changed; a preview in between keeps what was seen', async () => {
  const root = temporaryFolder();
  await pictures(root, [''], ['a', 'b'], 1);
  await lookAt(root);
  await putPictures(root, ['c/1.png']);
  const names = async () =>
    (await previewReading(root, { format: 'folders', levels: ['class'] })).classes.length;
  expect(await names()).toBe(2);
  await lookAt(root);
  expect(await names()).toBe(3);
});

test('where nothing fits, the look says why; a missing path is refused', async () => {
  const flat = temporaryFolder();
  await putPictures(flat, ['1.png']);
  expect(await lookAt(flat)).toMatchObject({
    offers: [],
    why: expect.stringContaining('no class folders'),
  });
  expect((await lookAt(temporaryFolder())).why).toMatch(/is empty$/);
  await expect(lookAt(`${flat}/none`)).rejects.toMatchObject({ code: 'not-found' });
});
