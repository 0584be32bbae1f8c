import type { Database } from 'better-sqlite3';
import type { Bits } from './bits.ts';
import { noBits, setBit } from './bits.ts';

/** The paths of a data set in lower case, one after the other. */
export interface PathText {
  /** Positions of the paths that contain `text` in any case, in every script that has cases. */
  containing(text: string): Bits;
}

/** Paths that are lower-cased and encoded together: one by one takes far longer. */
const AT_ONCE = 10_000;

/** Reads the paths of a data set of so many images, in their order. */
export function pathText(db: Database, datasetId: string, images: number): PathText {
  const paths = db
    .prepare<[string], string>('SELECT path FROM images WHERE dataset_id = ? ORDER BY path')
    .pluck()
    .iterate(datasetId);
  const starts = new Uint32Array(images + 1);
  const pieces: Buffer[] = [];
  let position = 0;
  let bytes = 0;
  let waiting: string[] = [];
  const flush = (): void => {
    const encoded = waiting.map((path) => Buffer.from(path.toLowerCase()));
    for (const each of encoded) starts[++position] = bytes += each.length;
    pieces.push(Buffer.concat(encoded));
    waiting = [];
  };
  for (const path of paths) if (waiting.push(path) === AT_ONCE) flush();
  flush();
  const all = Buffer.concat(pieces, bytes);
  return { containing: (text) => search(all, starts, Buffer.from(text.toLowerCase())) };
}

/** `starts[i]`: where path i begins; the last one is the end of the text. */
function search(all: Buffer, starts: Uint32Array, wanted: Buffer): Bits {
  const images = starts.length - 1;
  const found = noBits(images);
  let position = 0;
  for (let at = all.indexOf(wanted); at >= 0; at = all.indexOf(wanted, at)) {
    position = pathAt(starts, at, position);
    if (position >= images) break;
    if (at + wanted.length <= starts[position + 1]!) {
      setBit(found, position);
      at = starts[position + 1]!;
    } else at++;
  }
  return found;
}

/** The path that byte `at` lies in, not before path `from`: near ones are found at once. */
function pathAt(starts: Uint32Array, at: number, from: number): number {
  let step = 1;
  while (from + step < starts.length && starts[from + step]! <= at) step *= 2;
  let low = from + (step >> 1);
  let high = Math.min(from + step, starts.length);
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! <= at) low = middle;
    else high = middle;
  }
  return low;
}
