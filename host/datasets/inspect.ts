import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import { decodeImage, decodeOwnSize, probeImage } from '../../engine/transforms/decode.ts';
import type { FoundFile } from './walk.ts';
import { absolutePath, unreadable } from './walk.ts';

const CHUNK_BYTES = 1 << 20;
/** Up to this many pixels decoding alone is cheaper than decoding and shrinking, beyond it dearer. */
const SMALL_PIXELS = 1 << 18;
const SHRUNK_SIDE = 16;

/** A file that is an image and decodes to its end. */
export interface InspectedImage extends FoundFile {
  width: number;
  height: number;
  /** Frames or pages; the first is used. */
  pages: number;
  /** png, jpeg, webp, gif, bmp or tiff: by content, not by name. */
  format: string;
  sha256: string;
}

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

/** Proves that a file is an image that decodes; a string is the reason why it is not. */
export async function inspect(root: string, file: FoundFile): Promise<InspectedImage | string> {
  if (file.bytes === 0) return 'empty file (0 bytes)';
  const path = absolutePath(root, file.path);
  try {
    const { width, height, format, pages } = await probeImage(path);
    await decodeWhole(path, width * height);
    return { ...file, width, height, pages, format, sha256: await hashFile(path) };
  } catch (error) {
    if (!(error instanceof CarryoverError)) return unreadable(error);
    return error.message.replace(`${path}: `, ''); // the report names the file by its relative path
  }
}

/** Decodes every pixel and forgets them. Throws when the data is truncated or corrupt. */
async function decodeWhole(path: string, pixels: number): Promise<void> {
  if (pixels <= SMALL_PIXELS) await decodeOwnSize(path);
  else await decodeImage(path, { resize: 'stretch', background: '#ffffff' }, SHRUNK_SIDE);
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
};

/** True for names that promise an image of a format that is taken. */
export function looksLikeImage(name: string): boolean {
  return extname(name).toLowerCase() in FORMAT_BY_EXTENSION;
}

/** True when the file's name promises another format than its content has. */
export function isMislabelled(image: { path: string; format: string }): boolean {
  const extension = extname(image.path).toLowerCase();
  return extension !== '' && FORMAT_BY_EXTENSION[extension] !== image.format;
}
