import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import type { Channels } from '../../engine/transforms/colour.ts';
import { contentHash, readContent } from '../../engine/transforms/content.ts';
import type { Resizing } from '../../engine/transforms/enlarge.ts';
import { placeText } from '../../engine/transforms/place.ts';
import { fileError, systemCode } from '../files.ts';
import { besideDecoded, leaseDecoded, makeRoom, touch } from './decoded-cache.ts';
import type { ItemList } from './protocol.ts';

/** Raised when the decoder or the resizer changes what it gives. */
const VERSION = 2;

/** How a list of images is decoded. */
export interface Decoding {
  recipe: Resizing;
  /** Side in pixels. */
  size: number;
  channels: Channels;
}

export interface DecodedStore {
  folder: string;
  /** Bound on the bytes in the folder. */
  limit: number;
}

/** Decoded pixels that stay where they are until they are released. */
export interface DecodedFile {
  /** Open for reading, also when the file was removed in spite of everything. */
  descriptor: number;
  bytes: number;
  /** Whether it is within the folder's bound; else it goes when it is released. */
  fits: boolean;
  release(): Promise<void>;
}

/**
 * Pixels of a list of images, decoded and resized once and kept in one file: image after image,
 * each [row, column, channel] of uint8. The name is a hash of the images' contents and of how they
 * are decoded, so that runs share it and a changed image can never be taken for the one that was
 * imported.
 */
export async function openDecoded(
  items: ItemList,
  decoding: Decoding,
  { folder, limit }: DecodedStore,
  onProgress: (done: number) => void,
): Promise<DecodedFile> {
  const file = join(folder, `${keyOf(items, decoding)}.u8`);
  const bytes = items.places.length * decoding.size ** 2 * decoding.channels;
  const endLease = await leaseDecoded(file);
  try {
    const known = openWhole(file, bytes);
    const fits = await makeRoom(folder, known === null ? bytes : 0, limit);
    if (known === null) await decodeAll(items, decoding, file, onProgress);
    const descriptor = known ?? openWhole(file, bytes);
    if (descriptor === null) throw new Error(`${file} has gone while it was in use`);
    touch(file);
    const release = async (): Promise<void> => {
      closeSync(descriptor);
      await endLease();
      await makeRoom(folder, 0, limit);
    };
    return { descriptor, bytes, fits, release };
  } catch (error) {
    await endLease();
    throw fileError(error, file, 'open');
  }
}

/** null where the file is not there or not whole. */
function openWhole(file: string, bytes: number): number | null {
  try {
    const descriptor = openSync(file, 'r');
    if (fstatSync(descriptor).size === bytes) return descriptor;
    closeSync(descriptor);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  return null;
}

function keyOf(items: ItemList, { recipe, size, channels }: Decoding): string {
  const { resize, background, interpolation = 'bilinear', window = 'file' } = recipe;
  const hash = createHash('sha256');
  hash.update(
    JSON.stringify({ VERSION, resize, background, interpolation, window, size, channels }),
  );
  for (const image of items.hashes) hash.update(image);
  return hash.digest('hex').slice(0, 32);
}

async function decodeAll(
  items: ItemList,
  decoding: Decoding,
  file: string,
  onProgress: (done: number) => void,
): Promise<void> {
  const temporary = besideDecoded(file, 'tmp');
  const out = await open(temporary, 'w').catch((error: unknown) => {
    throw fileError(error, temporary, 'write');
  });
  try {
    let next = 0;
    let done = 0;
    const work = async (): Promise<void> => {
      while (next < items.places.length) {
        const index = next++;
        const pixels = await decodeChecked(items, index, decoding);
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
  { recipe, size, channels }: Decoding,
): Promise<Uint8Array> {
  const place = items.places[index]!;
  const content = await readContent(place);
  if (contentHash(content, place.frame) !== items.hashes[index]) {
    const path = placeText(place.file, place.entry, place.frame);
    throw new CarryoverError('conflict', `${path} has changed since it was imported`, {
      file: place.file,
      wayOut: 'restore the file, or import the data set again and run the study on the new one',
    });
  }
  // The decoders are a third of what a training process loads, and most find all pixels decoded.
  const { decodeContent } = await import('../../engine/transforms/decode.ts');
  return decodeContent(content, place, recipe, size, channels);
}
