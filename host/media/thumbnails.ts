import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { openImage, ownSize } from '../../engine/transforms/decode.ts';
import { writeFileAtomic } from '../files.ts';
import type { ImageRecord } from './original.ts';
import { unchangedOriginal } from './original.ts';

/** Longer sides that a thumbnail may have at most, in pixels. */
export const THUMBNAIL_SIDES = [64, 128, 256, 512] as const;
export type ThumbnailSide = (typeof THUMBNAIL_SIDES)[number];

/** Of WebP's encoder (0 to 6): a third less time than the usual 4 for 3 % more bytes on icons. */
const EFFORT = 2;

/** `<cache>/thumbnails/<first two of sha256>/<sha256>-<side>.webp` */
export function thumbnailPath(cache: string, sha256: string, side: ThumbnailSide): string {
  return join(cache, 'thumbnails', sha256.slice(0, 2), `${sha256}-${side}.webp`);
}

/** A thumbnail from the cache, or null. */
export async function cachedThumbnail(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  return readFile(path).catch(() => null);
}

/**
 * Makes a thumbnail (WebP, upright, longer side at most `side`, never enlarged) and keeps it at
 * `path`. Throws what `unchangedOriginal` and `ownSize` throw; a cache that cannot be written
 * is no failure.
 */
export async function makeThumbnail(
  record: ImageRecord,
  side: ThumbnailSide,
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { content, place } = await unchangedOriginal(record);
  const { data, width, height, channels } = await ownSize(await openImage(content, place), place);
  const thumbnail = await sharp(data, { raw: { width, height, channels } })
    .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 82, effort: EFFORT })
    .toBuffer();
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, thumbnail);
  } catch {
    // The picture is there; it is only made again next time (a full disk, a read-only home).
  }
  return thumbnail;
}
