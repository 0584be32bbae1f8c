import { createHash } from 'node:crypto';
import { open, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import type { Recipe } from '../../contract/study.ts';
import { decodeImage } from '../../engine/transforms/decode.ts';
import { fileError } from '../files.ts';
import type { ItemList } from './protocol.ts';

/** Raised when the decoder or the resizer changes what it gives. */
const VERSION = 1;

type Resizing = Pick<Recipe, 'resize' | 'background'>;

/**
 * Pixels of a list of images, decoded and resized once and kept in one file: image after image,
 * each [row, column, RGB] of uint8. The name is a hash of the images' contents and the recipe,
 * so that runs share it and a changed image can never be taken for the one that was imported.
 */
export async function ensureDecoded(
  items: ItemList,
  recipe: Resizing,
  size: number,
  folder: string,
  onProgress: (done: number) => void,
): Promise<string> {
  const file = join(folder, `${keyOf(items, recipe, size)}.u8`);
  const bytes = items.paths.length * size * size * 3;
  const found = await stat(file).catch(() => null);
  if (found?.size === bytes) return file;
  await mkdir(folder, { recursive: true });
  await decodeAll(items, recipe, size, file, onProgress);
  return file;
}

function keyOf(items: ItemList, { resize, background }: Resizing, size: number): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify({ VERSION, resize, background, size }));
  for (const image of items.hashes) hash.update(image);
  return hash.digest('hex').slice(0, 32);
}

async function decodeAll(
  items: ItemList,
  recipe: Resizing,
  size: number,
  file: string,
  onProgress: (done: number) => void,
): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  const out = await open(temporary, 'w').catch((error: unknown) => {
    throw fileError(error, temporary, 'write');
  });
  try {
    let next = 0;
    let done = 0;
    const work = async (): Promise<void> => {
      while (next < items.paths.length) {
        const index = next++;
        const pixels = await decodeChecked(items, index, recipe, size);
        await out.write(pixels, 0, pixels.length, index * pixels.length);
        onProgress(++done);
      }
    };
    await Promise.all(Array.from({ length: 2 * availableParallelism() }, work));
    await out.sync();
    await out.close();
    await rename(temporary, file);
  } catch (error) {
    await out.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error instanceof CarryoverError ? error : fileError(error, file, 'write');
  }
}

async function decodeChecked(
  items: ItemList,
  index: number,
  recipe: Resizing,
  size: number,
): Promise<Uint8Array> {
  const path = items.paths[index] ?? '';
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError(error, path, 'read');
  });
  if (createHash('sha256').update(bytes).digest('hex') !== items.hashes[index]) {
    throw new CarryoverError('conflict', `${path} has changed since it was imported`, {
      file: path,
      wayOut: 'restore the file, or import the folder again and run the study on the new data set',
    });
  }
  return decodeImage(path, recipe, size);
}
