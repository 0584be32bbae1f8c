import { createHash } from 'node:crypto';
import { readEntry } from '../archives/archive.ts';
import type { ArrayImage } from '../archives/arrays.ts';
import { readArrayImage } from '../archives/arrays.ts';
import { withFile } from '../archives/file.ts';
import { Kept } from '../archives/kept.ts';
import { imageError, MAX_FILE_BYTES, readImageFile } from './formats.ts';
import type { Place } from './place.ts';

/** What lies at a place: the bytes of an image file, or pixels of an array. */
export type Content = { kind: 'file'; bytes: Buffer } | ({ kind: 'pixels' } & ArrayImage);

/** Files of several frames are asked for frame by frame: the last ones read stay a while. */
const ofFrames = new Kept<Buffer>(2 ** 28, (bytes) => bytes.length);
/** Of such files as a whole. */
const hashes = new WeakMap<Buffer, string>();

/**
 * Reads what lies at a place, within the limits of formats.ts.
 * @throws not-found, io, or bad-input (empty, too large, damaged), naming the file and the entry
 */
export async function readContent(place: Place): Promise<Content> {
  const { file, entry, frame } = place;
  const pixels = frame === null ? null : await readArrayImage(file, entry, frame);
  if (pixels !== null) return { kind: 'pixels', ...pixels };
  if (frame === null) return { kind: 'file', bytes: await readWhole(place) };
  const key = `${file}\0${entry ?? ''}`;
  const bytes = await withFile(file, (state) => ofFrames.get(key, state, () => readWhole(place)));
  return { kind: 'file', bytes };
}

async function readWhole(place: Place): Promise<Buffer> {
  const { file, entry } = place;
  if (entry === null) return readImageFile(place);
  const bytes = await readEntry(file, entry, MAX_FILE_BYTES);
  if (bytes.length === 0) throw imageError(place, 'the file is empty (0 bytes)');
  return bytes;
}

/**
 * SHA-256 in hex that stands for one image. A whole file or entry: of its bytes. A frame of a file:
 * of `<hash of the bytes>#<frame>`. Pixels: of the line `<width>x<height>x<channels>` and the bytes.
 */
export function contentHash(content: Content, frame: number | null): string {
  if (content.kind === 'pixels') {
    const { data, width, height, channels } = content;
    return sha256(`${width}x${height}x${channels}\n`, data);
  }
  const { bytes } = content;
  if (frame === null) return sha256(bytes);
  const whole = hashes.get(bytes) ?? sha256(bytes);
  hashes.set(bytes, whole);
  return sha256(`${whole}#${frame}`);
}

function sha256(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
