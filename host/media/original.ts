import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Database } from 'better-sqlite3';
import { CarryoverError } from '../../contract/errors.ts';
import { fileError } from '../files.ts';
import { resolveUnder } from './under.ts';

/** Where an imported image is and what its bytes were. */
export interface ImageRecord {
  id: number;
  /** Root folder of its data set. */
  root: string;
  /** Relative to the root, '/' between parts. */
  path: string;
  bytes: number;
  sha256: string;
}

/** The record of an image. Throws `not-found`. */
export function imageRecord(db: Database, id: number): ImageRecord {
  const record = db
    .prepare<[number], ImageRecord>(
      `SELECT images.id, datasets.root, images.path, images.bytes, images.sha256
       FROM images JOIN datasets ON datasets.id = images.dataset_id WHERE images.id = ?`,
    )
    .get(id);
  if (record !== undefined) return record;
  throw new CarryoverError('not-found', `there is no image ${id}`, { value: String(id) });
}

/**
 * The real path of an original whose bytes are just those that were imported. Throws `not-found`
 * when the file has gone (or now leads out of its data set's folder), `conflict` when its content
 * is another, `io` when it cannot be read.
 */
export async function unchangedOriginal(record: ImageRecord): Promise<string> {
  const path = await resolveUnder(record.root, record.path);
  if (path === null) {
    throw new CarryoverError('not-found', `${record.path} is no longer in ${record.root}`, {
      file: record.path,
      wayOut: 'put the file back, or import the folder again',
    });
  }
  if (await isUnchanged(path, record)) return path;
  throw new CarryoverError('conflict', `${record.path} has changed since it was imported`, {
    file: path,
    wayOut: 'restore the file as it was, or import the folder again',
  });
}

async function isUnchanged(path: string, record: ImageRecord): Promise<boolean> {
  try {
    const file = await open(path, 'r');
    try {
      const info = await file.stat();
      if (!info.isFile() || info.size !== record.bytes) return false;
      return (await hashOf(file)) === record.sha256;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileError(error, path, 'read');
  }
}

async function hashOf(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of file.createReadStream({ autoClose: false })) hash.update(chunk);
  return hash.digest('hex');
}
