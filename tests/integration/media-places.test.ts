import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { zip } from '../unit/archives-support.ts';
import { failureOf, importSource, openServer, patternPng } from './http-support.ts';

async function zipped(): Promise<{ name: string; data: Buffer }[]> {
  const sizes = { 'cat/a.png': 40, 'cat/b.png': 41, 'dog/c.png': 42, 'dog/d.png': 43 };
  return Promise.all(
    Object.entries(sizes).map(async ([name, size]) => ({ name, data: await patternPng(size, 20) })),
  );
}

test('pictures of images in a zip come from their entries, and only while those are the same', async () => {
  const server = await openServer();
  const file = join(server.folder, 'set.zip');
  const parts = await zipped();
  await writeFile(file, zip(parts));
  const { ids } = await importSource(server, file);
  expect([...ids.keys()]).toEqual(parts.map(({ name }) => `set.zip/${name}`));
  for (const { name, data } of parts) {
    const id = ids.get(`set.zip/${name}`);
    const original = await server.ask(`/media/images/${id}/original`);
    expect(await sharp(original.data).raw().toBuffer()).toEqual(await sharp(data).raw().toBuffer());
    const thumbnail = await server.ask(`/media/images/${id}?w=64`);
    const { width } = await sharp(data).metadata();
    expect(await sharp(thumbnail.data).metadata()).toMatchObject({ width, height: 20 });
  }
  const [first, ...others] = parts;
  await writeFile(file, zip([{ ...first!, data: await patternPng(50, 50) }, ...others]));
  const changed = await server.ask(`/media/images/${ids.get('set.zip/cat/a.png')}/original`);
  expect(changed.status).toBe(409);
  expect(failureOf(changed).message).toContain('set.zip/cat/a.png');
  const same = await server.ask(`/media/images/${ids.get('set.zip/dog/c.png')}/original`);
  expect(same.status).toBe(200);
  await writeFile(file, zip(others));
  const gone = await server.ask(`/media/images/${ids.get('set.zip/cat/a.png')}/original`);
  expect(gone.status).toBe(409);
});

test('an image of an array is shown with its own pixels', async () => {
  const server = await openServer();
  const header = Buffer.from([0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 6, 0, 0, 0, 5]);
  const pixels = Buffer.from(Array.from({ length: 4 * 6 * 5 }, (_, i) => i * 2));
  const labels = Buffer.from([0, 0, 8, 1, 0, 0, 0, 4, 3, 7, 3, 7]);
  const file = join(server.folder, 'mnist', 'train-images-idx3-ubyte');
  await mkdir(join(server.folder, 'mnist'));
  await writeFile(file, Buffer.concat([header, pixels]));
  await writeFile(join(server.folder, 'mnist', 'train-labels-idx1-ubyte'), labels);
  const { ids } = await importSource(server, join(server.folder, 'mnist'));
  const third = ids.get('train-images-idx3-ubyte#2');
  const shown = await sharp((await server.ask(`/media/images/${third}/original`)).data)
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(shown.info).toMatchObject({ width: 5, height: 6, channels: 1 });
  expect(shown.data).toEqual(pixels.subarray(60, 90));
  const bytes = await readFile(file);
  bytes[16 + 61]! ^= 1;
  await writeFile(file, bytes);
  expect((await server.ask(`/media/images/${third}/original`)).status).toBe(409);
  const second = ids.get('train-images-idx3-ubyte#1');
  expect((await server.ask(`/media/images/${second}/original`)).status).toBe(200);
});
