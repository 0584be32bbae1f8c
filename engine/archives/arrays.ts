/** Arrays of images in NumPy's and LeCun's formats, read image by image. */
import { promisify } from 'node:util';
import type { ZlibOptions } from 'node:zlib';
import { constants, gunzip } from 'node:zlib';
import { CarryoverError } from '../../contract/errors.ts';
import { memoryBytes } from '../formats/bytes.ts';
import { npyHeader } from '../formats/npy.ts';
import { placeText } from '../transforms/place.ts';
import { entryHead, readEntry } from './archive.ts';
import type { OpenFile } from './file.ts';
import { damaged, withFile } from './file.ts';
import { idxHeader, isIdx } from './idx.ts';
import { Kept } from './kept.ts';

/** Compressed arrays are unpacked in memory, once, up to this. */
export const MAX_UNPACKED = 2 ** 31;
/** Enough for any header that NumPy writes. */
const NPY_HEADER = 1 << 12;
const IDX_HEADER = 1 << 10;
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

interface Located extends ImageArray {
  /** Where the first image begins: in the file, or in what it unpacks to. */
  begin: number;
  packed: boolean;
}

/** null: the file or entry is no array. */
const located = new Kept<Located | null>(10_000, () => 1);
const unpacked = new Kept<Buffer>(KEPT_BYTES, (bytes) => bytes.length);

const unzip = promisify<Buffer, ZlibOptions, Buffer>(gunzip);

/**
 * Size and number of the images in an array: of an .npz, or an IDX file, gzipped or not.
 * @param entry `train_images.npy` of an .npz, an IDX file in a zip; null: the file itself
 * @returns null where it is no such array at all
 * @throws not-found, io, unsupported (too large when unpacked), bad-input (other numbers, other
 *   axes, cut off)
 */
export async function openImageArray(
  path: string,
  entry: string | null,
): Promise<ImageArray | null> {
  return withFile(path, (file) => locate(file, entry));
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
    const array = await locate(file, entry);
    if (array === null) return null;
    const { images, width, height, channels, begin, packed } = array;
    if (!(index >= 0 && index < images)) throw noSuchImage(path, entry, index, images);
    const length = width * height * channels;
    const start = begin + index * length;
    const data = packed
      ? (await unpackedArray(file, entry)).subarray(start, start + length)
      : await file.read(start, length);
    if (data.length < length) throw damaged(path, `truncated: image ${index} is not all there`);
    return { data, width, height, channels };
  });
}

/**
 * The bytes of a file that may be gzipped.
 * @param name what errors name
 * @throws unsupported (too large when unpacked), bad-input (damaged)
 */
export async function gunzipped(bytes: Buffer, name: string): Promise<Buffer> {
  if (!isGzip(bytes)) return bytes;
  try {
    return await unzip(bytes, { maxOutputLength: MAX_UNPACKED });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(name, 'unpack it with gunzip');
    const reason = error instanceof Error ? error.message : String(error);
    throw damaged(name, `it cannot be unpacked: ${reason}`);
  }
}

async function unpackedArray(file: OpenFile, entry: string | null): Promise<Buffer> {
  return unpacked.get(keyOf(file, entry), file, async () => {
    const bytes =
      entry === null
        ? await file.read(0, Math.min(file.size, MAX_UNPACKED))
        : await readEntry(file.path, entry, MAX_UNPACKED);
    return gunzipped(bytes, nameOf(file.path, entry));
  });
}

async function locate(file: OpenFile, entry: string | null): Promise<Located | null> {
  return located.get(keyOf(file, entry), file, () =>
    entry?.endsWith('.npy') === true ? locateNpy(file, entry) : locateIdx(file, entry),
  );
}

async function locateNpy(file: OpenFile, entry: string): Promise<Located> {
  const name = nameOf(file.path, entry);
  const { head, bytes, start } = await entryHead(file, entry, NPY_HEADER);
  if (start === null && bytes > MAX_UNPACKED) {
    throw tooLarge(name, 'save it with numpy.savez (not savez_compressed): it is read as it lies');
  }
  const { element, columnsFirst, shape, begin } = npyHeader(memoryBytes(head, name));
  if (element !== 'uint8') {
    throw damaged(
      name,
      `its numbers are ${element}; images are read as uint8 (0 to 255)`,
      'save the images as uint8',
    );
  }
  if (columnsFirst) throw damaged(name, 'it is stored column by column', 'save it with order="C"');
  const array = asImages(name, shape, bytes - begin);
  return { ...array, begin: (start ?? 0) + begin, packed: start === null };
}

async function locateIdx(file: OpenFile, entry: string | null): Promise<Located | null> {
  const { head, bytes, start } =
    entry === null
      ? { head: await file.read(0, IDX_HEADER), bytes: file.size, start: 0 }
      : await entryHead(file, entry, IDX_HEADER);
  const gzip = isGzip(head);
  const plain = gzip ? await startOf(head) : head;
  if (!isIdx(plain)) return null;
  const name = nameOf(file.path, entry);
  const { shape, begin } = idxHeader(name, plain);
  const array = asImages(name, shape, gzip ? Infinity : bytes - begin);
  return { ...array, begin: (start ?? 0) + begin, packed: gzip || start === null };
}

/** The first bytes of something gzipped; none where it is damaged. */
async function startOf(bytes: Buffer): Promise<Buffer> {
  const options = { finishFlush: constants.Z_SYNC_FLUSH };
  return unzip(bytes, options).catch(() => Buffer.alloc(0));
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

function keyOf({ path }: OpenFile, entry: string | null): string {
  return `${path}\0${entry ?? ''}`;
}

function nameOf(path: string, entry: string | null): string {
  return placeText(path, entry, null);
}

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function noSuchImage(path: string, entry: string | null, index: number, images: number): Error {
  const name = nameOf(path, entry);
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
