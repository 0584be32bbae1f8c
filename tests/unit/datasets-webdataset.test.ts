import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { decodeOwnSize } from '../../engine/transforms/decode.ts';
import { webdataset } from '../../host/datasets/formats/webdataset.ts';
import { openTree, placeIn } from '../../host/datasets/tree.ts';
import type { TarPart } from './archives-support.ts';
import { END_MARK, tar, useFolder } from './archives-support.ts';

const { signal } = new AbortController();
const options = { signal, salt: 'salt' };
const file = useFolder();
let image: Buffer;
beforeAll(async () => {
  const create = { width: 3, height: 2, channels: 3, background: '#336699' } as const;
  image = await sharp({ create }).png().toBuffer();
});

function folder(name: string, files: Record<string, TarPart[] | string>): string {
  const root = join(dirname(file('root', '')), name);
  mkdirSync(root);
  for (const [path, content] of Object.entries(files)) {
    const bytes = typeof content === 'string' ? content : Buffer.concat([tar(content), END_MARK]);
    writeFileSync(join(root, path), bytes);
  }
  return root;
}

async function readAll(path: string) {
  const tree = await openTree(path, { signal });
  return { tree, read: await webdataset.read(tree, { format: 'webdataset' }, options) };
}

test('shards with labels as number, text and JSON, and names beside them', async () => {
  const root = folder('shards', {
    'pets-train-000.tar': [
      { name: 'a/1.png', data: image },
      { name: 'a/1.cls', data: '1' },
      { name: './2.png', data: image },
      { name: './2.txt', data: 'cat\n' },
      { name: '3.seg.png', data: image },
      { name: '3.png', data: image },
      { name: '3.cls', data: '0' },
    ],
    'pets-val-000.tar': [
      {
        name: '4.json',
        data: JSON.stringify({ label: 'dog', group: 'g7', age: 3, deep: { x: 1 } }),
      },
      { name: '4.png', data: image },
      { name: '5.png', data: image },
      { name: '6.cls', data: '1' },
      { name: '7.png', data: image },
      { name: '7.json', data: '{' },
      { name: '8.png', data: image },
      { name: '8.cls', data: Buffer.from([0x80, 0x04]) },
    ],
    'classes.txt': 'cat\ndog\n',
    'readme.md': 'x',
  });
  const { tree, read } = await readAll(root);
  expect(await webdataset.offers(tree)).toMatchObject([{ reading: { format: 'webdataset' } }]);
  const rows = read.candidates.map(({ file: { path }, label, split, group }) => [
    path,
    label,
    split,
    group,
  ]);
  expect(rows).toEqual([
    ['pets-train-000.tar/2.png', 'cat', 'train', null],
    ['pets-train-000.tar/3.png', 'cat', 'train', null],
    ['pets-train-000.tar/a/1.png', 'dog', 'train', null],
    ['pets-val-000.tar/4.png', 'dog', 'validation', 'g7'],
  ]);
  expect(read.candidates.at(-1)!.attributes).toEqual({ age: '3' });
  expect(read).toMatchObject({ classNames: ['cat', 'dog'], groupedBy: 'key “group”' });
  expect(read.skipped).toEqual([
    { path: 'pets-train-000.tar/3.seg.png', reason: 'a further file of its sample' },
    { path: 'pets-val-000.tar/5.png', reason: expect.stringContaining('no label') as string },
    { path: 'pets-val-000.tar/6.cls', reason: 'a label without an image' },
    { path: 'pets-val-000.tar/7.png', reason: 'its .json is not JSON' },
    { path: 'pets-val-000.tar/8.png', reason: 'its .cls is no text' },
    { path: 'readme.md', reason: 'not a tar shard' },
  ]);
  for (const candidate of read.candidates) {
    const own = await decodeOwnSize(placeIn(tree.root, candidate.file, candidate.frame));
    expect([own.width, own.height]).toEqual([3, 2]);
  }
});

test('a stated label comes before a caption; texts beside images in folders are no labels', async () => {
  const root = folder('captions', {
    'a.tar': [
      { name: '1.png', data: image },
      { name: '1.txt', data: 'a red cat on a mat' },
      { name: '1.json', data: '{"label": "cat", "group": "g1", "age": 3}' },
    ],
  });
  const [told] = (await readAll(root)).read.candidates;
  expect(told).toMatchObject({ label: 'cat', group: 'g1', attributes: { age: '3' } });
  const boxes = ['cat/1', 'dog/1'].flatMap((key) => [
    { name: `${key}.png`, data: image },
    { name: `${key}.txt`, data: '0 0.5 0.5 1 1' },
  ]);
  const tree = await openTree(folder('boxes', { 'b.tar': boxes }), { signal });
  expect(await webdataset.offers(tree)).toEqual([]);
});

test('one shard by itself; numbers without names stay in their order', async () => {
  const parts = ['10', '9', '2'].flatMap((label, i) => [
    { name: `${i}.png`, data: image },
    { name: `${i}.cls`, data: label },
  ]);
  const path = file('test.tar', Buffer.concat([tar(parts), END_MARK]));
  const { tree, read } = await readAll(path);
  expect(read.classNames).toEqual(['2', '9', '10']);
  expect(read.candidates.map(({ split, label }) => [split, label])).toEqual([
    ['test', '10'],
    ['test', '9'],
    ['test', '2'],
  ]);
  const { file: first } = read.candidates[0]!;
  expect([first.file, first.entry]).toEqual(['test.tar', '0.png']);
  expect((await decodeOwnSize(placeIn(tree.root, first, null))).width).toBe(3);
});

test('a shard that is cut off is named, the others are read', async () => {
  const sample = [
    { name: '1.png', data: image },
    { name: '1.cls', data: '0' },
  ];
  const root = folder('cut', { 'b.tar': sample });
  writeFileSync(join(root, 'a.tar'), tar(sample).subarray(0, 550));
  const { read } = await readAll(root);
  expect(read.candidates).toHaveLength(1);
  expect(read.skipped).toEqual([
    { path: 'a.tar', reason: expect.stringContaining('truncated') as string },
  ]);
});

test('a tar of class folders is none', async () => {
  const parts = [{ name: 'cat/1.png', data: image }];
  const path = file('folders.tar', Buffer.concat([tar(parts), END_MARK]));
  const tree = await openTree(path, { signal });
  expect(await webdataset.offers(tree)).toEqual([]);
  await expect(webdataset.read(tree, { format: 'webdataset' }, options)).rejects.toThrow(
    'no tar shard with labelled images',
  );
});
