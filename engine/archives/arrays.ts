/** Arrays of images in NumPy's and LeCun's formats, read image by image. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { CarryoverError } from '../../contract/errors.ts';
import type { ByteSource } from '../formats/bytes.ts';
import { memoryBytes } from '../formats/bytes.ts';
import { npyHeader } from '../formats/npy.ts';
import { plainEntry, readEntry } from './archive.ts';
import type { OpenFile } from './file.ts';
import { damaged, withFile } from './file.ts';
import { idxHeader, isIdx } from './idx.ts';
import { Kept } from './kept.ts';

/** Compressed arrays are unpacked in memory, once, up to this. */
export const MAX_UNPACKED = 2 ** 31;
const NPY_HEADER = 1 << 16;
const KEPT_BYTES = 2 ** 29;

/** Images of one size, uint8, row by row from the top, channels interleaved. */
export interface ImageArray {
  images: number;
  width: number;
  height: number;
  channels: 1 | 3;
}

export interface ArrayImage {
  data: Uint8Array;
  width: number;
  height: number;
  channels: 1 | 3;
}

interface Stored extends ImageArray {
  /** Where the first image begins: in `unpacked`, or in the file where that is null. */
  begin: number;
  unpacked: Buffer | null;
}

/** null: the file or entry is no array. */
const arrays = new Kept<Stored | null>(KEPT_BYTES, (stored) => stored?.unpacked?.length ?? 0);

const unzip = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip);

/**
 * Size and number of the images in an array: an entry of an .npz, or an IDX file, gzipped or not.
 * @param entry `train_images.npy`; null: the file itself
 * @returns null where it is no such array at all
 * @throws not-found, io, unsupported (too large when unpacked), bad-input (other numbers, other
 *   axes, cut off)
 */
export async function openImageArray(
  path: string,
  entry: string | null,
): Promise<ImageArray | null> {
  return withFile(path, (file) => storedArray(file, entry));
}

/**
 * One image of an array.
 * @param index from 0
 * @returns null where the place is no array at all
 * @throws as openImageArray; not-found where it has no such image
 */
export async function readArrayImage(
  path: string,
  entry: string | null,
  index: number,
): Promise<ArrayImage | null> {
  return withFile(path, async (file) => {
    const stored = await storedArray(file, entry);
    if (stored === null) return null;
    const { images, width, height, channels, begin, unpacked } = stored;
    if (!(index >= 0 && index < images)) throw noSuchImage(path, entry, index, images);
    const length = width * height * channels;
    const start = begin + index * length;
    const data = unpacked?.subarray(start, start + length) ?? (await file.read(start, length));
    if (data.length < length) throw damaged(path, `truncated: image ${index} is not all there`);
    return { data, width, height, channels };
  });
}

/** The whole of a (gzipped) IDX file, for its labels. Throws as openImageArray. */
export async function readUnpacked(file: OpenFile): Promise<Buffer> {
  const bytes = await file.read(0, Math.min(file.size, MAX_UNPACKED));
  if (!isGzip(bytes)) return bytes;
  try {
    return await unzip(bytes, { maxOutputLength: MAX_UNPACKED });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(file.path, 'unpack it with gunzip');
    const reason = error instanceof Error ? error.message : String(error);
    throw damaged(file.path, `it cannot be unpacked: ${reason}`);
  }
}

async function storedArray(file: OpenFile, entry: string | null): Promise<Stored | null> {
  return arrays.get(`${file.path}\0${entry ?? ''}`, file, () =>
    entry === null ? storedIdx(file) : storedNpy(file, entry),
  );
}

async function storedNpy(file: OpenFile, entry: string): Promise<Stored | null> {
  if (!entry.endsWith('.npy')) return null;
  const plain = await plainEntry(file, entry);
  const name = `${file.path}/${entry}`;
  if (plain !== null) {
    const head = await file.read(plain.start, Math.min(plain.bytes, NPY_HEADER));
    const array = imagesOfNpy(memoryBytes(head, name), plain.bytes);
    return { ...array, begin: plain.start + array.begin, unpacked: null };
  }
  const wayOut = 'save it with numpy.savez (not savez_compressed): then it is read as it lies';
  const unpacked = await readEntry(file.path, entry, MAX_UNPACKED).catch((error: unknown) => {
    const over = error instanceof CarryoverError && error.message.includes('over the limit');
    throw over ? tooLarge(name, wayOut) : error;
  });
  return { ...imagesOfNpy(memoryBytes(unpacked, name), unpacked.length), unpacked };
}

/** @param bytes of the array's file; `source` may hold its beginning only */
function imagesOfNpy(source: ByteSource, bytes: number): Omit<Stored, 'unpacked'> {
  const { element, columnsFirst, shape, begin } = npyHeader(source);
  if (element !== 'uint8') {
    throw damaged(
      source.file,
      `its numbers are ${element}; images are read as uint8 (0 to 255)`,
      'save the images as uint8',
    );
  }
  if (columnsFirst) {
    throw damaged(source.file, 'it is stored column by column', 'save it with order="C"');
  }
  return { ...asImages(source.file, shape, bytes - begin), begin };
}

async function storedIdx(file: OpenFile): Promise<Stored | null> {
  const head = await file.read(0, 64);
  if (isGzip(head)) {
    const unpacked = await readUnpacked(file);
    if (!isIdx(unpacked)) return null;
    const { shape, begin } = idxHeader(file.path, unpacked);
    return { ...asImages(file.path, shape, unpacked.length - begin), begin, unpacked };
  }
  if (!isIdx(head)) return null;
  const { shape, begin } = idxHeader(file.path, head);
  return { ...asImages(file.path, shape, file.size - begin), begin, unpacked: null };
}

/** The axes of an array as those of images, once its numbers are all there. */
function asImages(name: string, shape: number[], bytes: number): ImageArray {
  const [images = 0, height = 0, width = 0, channels = 1] = shape;
  if (shape.length < 3 || shape.length > 4 || (channels !== 1 && channels !== 3)) {
    throw damaged(
      name,
      `its axes are ${shape.join(' x ')}; images have N x height x width or N x height x width x 3`,
      'save the images so (volumes slice by slice)',
    );
  }
  const expected = images * height * width * channels;
  if (bytes < expected) {
    throw damaged(name, `truncated: ${expected} bytes of pixels expected, ${bytes} there`);
  }
  return { images, width, height, channels };
}

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function noSuchImage(path: string, entry: string | null, index: number, images: number): Error {
  const name = entry === null ? path : `${path}/${entry}`;
  return new CarryoverError(
    'not-found',
    `${name}: it has ${images} images, none numbered ${index}`,
    {
      file: path,
      value: String(index),
    },
  );
}

function tooLarge(name: string, wayOut: string): CarryoverError {
  return new CarryoverError(
    'unsupported',
    `${name}: unpacked it is over ${MAX_UNPACKED / 2 ** 30} GiB, which is not held in memory`,
    { file: name, wayOut },
  );
}
