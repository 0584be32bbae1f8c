import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import { perceptualHash } from '../../engine/analysis/phash.ts';
import type { Content } from '../../engine/transforms/content.ts';
import { contentHash, readContent } from '../../engine/transforms/content.ts';
import { inspectContent } from '../../engine/transforms/inspect.ts';
import type { Place } from '../../engine/transforms/place.ts';
import { placeName } from '../../engine/transforms/place.ts';
import { unreadable } from './walk.ts';

const CHUNK_BYTES = 1 << 20;

/** What is known of an image that decodes to its end. */
export interface Inspected {
  /** Pixels, after the EXIF orientation. */
  width: number;
  height: number;
  /** Frames or pages of the file; without a frame asked for the first is used. */
  pages: number;
  /** By content, not by name. */
  format: string;
  /** See `contentHash`. */
  sha256: string;
  /** Unsigned 64 bits, see `perceptualHash`. */
  phash: bigint;
  /** Of the luma, in [0, 1]. */
  mean: number;
  deviation: number;
}

/** Why something is no image that can be taken. */
export interface Refused {
  reason: string;
  /** It is the content's fault: the same file will be refused again. */
  lasting: boolean;
}

export type Outcome = Inspected | Refused;

/** SHA-256 of a file's bytes, in hex. */
export async function hashFile(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const hash = createHash('sha256');
    const { size } = await file.stat();
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(1, size)));
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(chunk.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

/** Proves that frames of a file or entry are images that decode; the file is read once. */
export async function inspectFrames(
  { file, entry }: Pick<Place, 'file' | 'entry'>,
  frames: readonly (number | null)[],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let bytes: Content | null = null;
  for (const frame of frames) {
    const place = { file, entry, frame };
    try {
      const content: Content = bytes ?? (await readContent(place));
      if (content.kind === 'file') bytes = content;
      outcomes.push(await inspect(content, place));
    } catch (error) {
      outcomes.push(refusal(error, place));
    }
  }
  return outcomes;
}

async function inspect(content: Content, place: Place): Promise<Inspected> {
  const { luma32, width, height, pages, format, mean, deviation } = await inspectContent(
    content,
    place,
  );
  const sha256 = contentHash(content, place.frame);
  return { width, height, pages, format, sha256, phash: perceptualHash(luma32), mean, deviation };
}

/** Reports name a file by its relative path, so the place that the message begins with goes. */
function refusal(error: unknown, place: Place): Refused {
  if (!(error instanceof CarryoverError)) return { reason: unreadable(error), lasting: false };
  const reason = error.message.replace(`${placeName(place)}: `, '');
  return { reason, lasting: error.code === 'bad-input' };
}

const FORMAT_BY_EXTENSION: Record<string, string> = {
  '.png': 'png',
  '.apng': 'png',
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.jpe': 'jpeg',
  '.jfif': 'jpeg',
  '.webp': 'webp',
  '.gif': 'gif',
  '.bmp': 'bmp',
  '.dib': 'bmp',
  '.tif': 'tiff',
  '.tiff': 'tiff',
  '.dcm': 'dicom',
};

/** True for names that promise an image of a format that is taken. */
export function looksLikeImage(name: string): boolean {
  return extname(name).toLowerCase() in FORMAT_BY_EXTENSION;
}

/** True when the name of a file or entry promises another format than its content has. */
export function isMislabelled(name: string, format: string): boolean {
  const extension = extname(name).toLowerCase();
  if (format === 'array' || extension === '') return false;
  const promised = FORMAT_BY_EXTENSION[extension];
  // DICOM files have all kinds of endings, parts of their numbers among them.
  return format === 'dicom' ? promised !== undefined && promised !== format : promised !== format;
}
