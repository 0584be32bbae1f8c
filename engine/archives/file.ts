import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { CarryoverError } from '../../contract/errors.ts';

/** What a file was when it was looked at; another size or time: look again. */
export interface FileState {
  size: number;
  modifiedMs: number;
}

/** A file that is open for reading. */
export interface OpenFile extends FileState {
  /** Named in errors. */
  path: string;
  /**
   * The bytes from `offset`, fewer where the file ends before.
   * @throws io
   */
  read(offset: number, length: number): Promise<Buffer>;
}

/** What one read takes at most; Linux ends longer ones early. */
const CHUNK = 2 ** 30;

/**
 * Opens a file for as long as `use` takes.
 * @throws not-found, io, or bad-input where it is not a regular file
 */
export async function withFile<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    const info = await handle.stat().catch((error: unknown) => {
      throw unreadable(path, error);
    });
    if (!info.isFile()) throw damaged(path, 'not a regular file');
    const read = (offset: number, length: number) =>
      readAt(handle, offset, length).catch((error: unknown) => {
        throw unreadable(path, error);
      });
    return await use({ path, size: info.size, modifiedMs: info.mtimeMs, read });
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length;) {
    const part = Math.min(CHUNK, length - at);
    const { bytesRead } = await handle.read(bytes, at, part, offset + at);
    if (bytesRead === 0) return bytes.subarray(0, at);
    at += bytesRead;
  }
  return bytes;
}

/** `file` with a window of what was last read, for many small reads one after another. */
export function readAhead(file: OpenFile, window: number): OpenFile {
  let start = 0;
  let bytes: Buffer = Buffer.alloc(0);
  return {
    ...file,
    async read(offset, length) {
      if (offset < start || offset + length > start + bytes.length) {
        bytes = await file.read(offset, Math.max(length, window));
        start = offset;
      }
      return bytes.subarray(offset - start, offset - start + length);
    },
  };
}

/** A file that is not what its format asks for. */
export function damaged(
  path: string,
  what: string,
  wayOut = 'fetch or make the file anew',
): CarryoverError {
  return new CarryoverError('bad-input', `${path}: ${what}`, { file: path, wayOut });
}

function unreadable(path: string, error: unknown): CarryoverError {
  if (error instanceof CarryoverError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new CarryoverError('not-found', `${path}: no such file`, { file: path }, error);
  }
  return new CarryoverError('io', `${path}: cannot be read (${code})`, { file: path }, error);
}
