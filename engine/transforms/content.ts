import { createHash } from 'node:crypto';
import { readEntry } from '../archives/archive.ts';
import type { ArrayImage } from '../archives/arrays.ts';
import { readArrayImage } from '../archives/arrays.ts';
import { imageError, MAX_FILE_BYTES, readImageFile } from './formats.ts';
import type { Place } from './place.ts';

/** What lies at a place: the bytes of an image file, or pixels of an array. */
export type Content = { kind: 'file'; bytes: Buffer } | ({ kind: 'pixels' } & ArrayImage);

/**
 * Reads what lies at a place, within the limits of formats.ts.
 * @throws not-found, io, or bad-input (empty, too large, damaged), naming the file and the entry
 */
export async function readContent(place: Place): Promise<Content> {
  const { file, entry, frame } = place;
  const pixels = frame === null ? null : await readArrayImage(file, entry, frame);
  if (pixels !== null) return { kind: 'pixels', ...pixels };
  if (entry === null) return { kind: 'file', bytes: await readImageFile(place) };
  const bytes = await readEntry(file, entry, MAX_FILE_BYTES);
  if (bytes.length === 0) throw imageError(place, 'the file is empty (0 bytes)');
  return { kind: 'file', bytes };
}

/**
 * SHA-256 in hex that stands for one image. A whole file or entry: of its bytes. A frame of a file:
 * of `<hash of the bytes>#<frame>`. Pixels: of the line `<width>x<height>x<channels>` and the bytes.
 */
export function contentHash(content: Content, frame: number | null): string {
  const hash = createHash('sha256');
  if (content.kind === 'pixels') {
    const { data, width, height, channels } = content;
    return hash.update(`${width}x${height}x${channels}\n`).update(data).digest('hex');
  }
  const whole = hash.update(content.bytes).digest('hex');
  if (frame === null) return whole;
  return createHash('sha256').update(`${whole}#${frame}`).digest('hex');
}
