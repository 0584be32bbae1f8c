import { stat } from 'node:fs/promises';
import type { Database } from 'better-sqlite3';
import { CarryoverError } from '../../contract/errors.ts';
import type { Content } from '../../engine/transforms/content.ts';
import { contentHash, readContent } from '../../engine/transforms/content.ts';
import type { Place } from '../../engine/transforms/place.ts';
import { fileError } from '../files.ts';
import { resolveUnder } from './under.ts';

/** Where an imported image is and what it was. */
export interface ImageRecord {
  id: number;
  /** Root folder of its data set. */
  root: string;
  /** What people see. */
  path: string;
  /** Relative to the root, '/' between parts. */
  file: string;
  entry: string | null;
  frame: number | null;
  /** Of the file. */
  bytes: number;
  /** Of the image's own content. */
  sha256: string;
}

/** Finds records by the images' ids. Throws `not-found`. */
export function imageRecords(db: Database): (id: number) => ImageRecord {
  const find = db.prepare<[number], ImageRecord>(
    `SELECT images.id, datasets.root, images.path, images.file, images.entry, images.frame,
       images.bytes, images.sha256
     FROM images JOIN datasets ON datasets.id = images.dataset_id WHERE images.id = ?`,
  );
  return (id) => {
    const record = find.get(id);
    if (record !== undefined) return record;
    throw new CarryoverError('not-found', `there is no image ${id}`, { value: String(id) });
  };
}

/** What an image is made of, read once and proven to be what was imported. */
export interface Original {
  content: Content;
  /** What errors name. */
  place: Place;
}

/**
 * Reads an original whose content is just what was imported. Throws `not-found` when the file has
 * gone (or now leads out of its data set's folder), `conflict` when its content is another, `io`
 * when it cannot be read.
 */
export async function unchangedOriginal(record: ImageRecord): Promise<Original> {
  const file = await resolveUnder(record.root, record.file);
  if (file === null) {
    throw new CarryoverError('not-found', `${record.path} is no longer in ${record.root}`, {
      file: record.file,
      wayOut: 'put the file back, or import the folder again',
    });
  }
  const place = { file, entry: record.entry, frame: record.frame };
  if (await isOfThisSize(place, record)) {
    const content = await contentOf(place);
    if (content !== null && contentHash(content, place.frame) === record.sha256) {
      return { content, place };
    }
  }
  throw new CarryoverError('conflict', `${record.path} has changed since it was imported`, {
    file,
    wayOut: 'restore the file as it was, or import the folder again',
  });
}

/** An array or an archive may have changed elsewhere; the image's own content then decides. */
async function isOfThisSize({ file, entry }: Place, { bytes }: ImageRecord): Promise<boolean> {
  try {
    const info = await stat(file);
    return info.isFile() && (entry !== null || info.size === bytes);
  } catch (error) {
    throw fileError(error, file, 'read');
  }
}

/** Null: what lies there now is no image content at all. */
async function contentOf(place: Place): Promise<Content | null> {
  try {
    return await readContent(place);
  } catch (error) {
    if (error instanceof CarryoverError && error.code !== 'io') return null;
    throw error;
  }
}
