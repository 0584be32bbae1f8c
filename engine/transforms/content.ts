import { createHash } from 'node:crypto';
import { readImageFile } from './formats.ts';
import type { Place } from './place.ts';

/** What lies at a place: the bytes of an image file, or pixels of an array. */
export type Content =
  | { kind: 'file'; bytes: Buffer }
  | {
      kind: 'pixels';
      /** Rows from the top, channels interleaved. */
      data: Uint8Array;
      width: number;
      height: number;
      /** 1: grey. */
      channels: 1 | 3;
    };

/**
 * Reads what lies at a place, within the limits of formats.ts.
 * @throws not-found, io, or bad-input (empty, too large, damaged), naming the file and the entry
 */
export async function readContent(place: Place): Promise<Content> {
  return { kind: 'file', bytes: await readImageFile(place) };
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
