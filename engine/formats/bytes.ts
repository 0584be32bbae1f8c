import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CarryoverError } from '../../contract/errors.ts';
import { unusable } from './failure.ts';

/** Random access to the bytes of a file, of a part of it, or of memory. */
export interface ByteSource {
  /** Named in errors. */
  readonly file: string;
  readonly size: number;
  /**
   * A copy of the bytes from `offset`, at the start of a buffer of its own (so that it can be
   * viewed as any typed array).
   * @throws CarryoverError `bad-input` where the source ends before, `io` where the disk refuses
   */
  read(offset: number, length: number): Uint8Array;
}

const CHUNK = 2 ** 30;

/**
 * A file on disk. It is opened anew for every read, so that nothing needs to be closed.
 * @throws CarryoverError `not-found` or `io`
 */
export function fileBytes(path: string): ByteSource {
  const size = withFile(path, (file) => fstatSync(file).size);
  return {
    file: path,
    size,
    read(offset, length) {
      checkRange(this, offset, length);
      const bytes = allocate(path, length);
      withFile(path, (file) => {
        for (let at = 0; at < length;) {
          const read = readSync(file, bytes, at, Math.min(CHUNK, length - at), offset + at);
          if (read === 0) throw unusable(path, 'weights file', 'it got shorter while it was read');
          at += read;
        }
      });
      return bytes;
    },
  };
}

/** Bytes in memory; `file` is what errors call them. */
export function memoryBytes(bytes: Uint8Array, file: string): ByteSource {
  return {
    file,
    size: bytes.length,
    read(offset, length) {
      checkRange(this, offset, length);
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
  };
}

/**
 * `length` bytes of `source` from `offset`, as a source.
 * @throws CarryoverError `bad-input` where they are not all there
 */
export function partOf(source: ByteSource, offset: number, length: number): ByteSource {
  checkRange(source, offset, length);
  return {
    file: source.file,
    size: length,
    read(from, count) {
      checkRange(this, from, count);
      return source.read(offset + from, count);
    },
  };
}

function checkRange({ file, size }: ByteSource, offset: number, length: number): void {
  const sound = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (!sound || offset < 0 || length < 0 || offset + length > size) {
    throw unusable(
      file,
      'weights file',
      `it is cut off: ${length} bytes are expected at ${offset}, but there are ${size} in all`,
    );
  }
}

function allocate(file: string, length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new CarryoverError(
      'unsupported',
      `${file}: ${length} bytes of it do not fit into memory at once`,
      { file, wayOut: 'close other programs, or use a machine with more memory' },
      cause,
    );
  }
}

function withFile<T>(path: string, use: (file: number) => T): T {
  let file: number | null = null;
  try {
    file = openSync(path, 'r');
    return use(file);
  } catch (cause) {
    if (cause instanceof CarryoverError) throw cause;
    throw fileFailure(path, cause);
  } finally {
    if (file !== null) closeSync(file);
  }
}

function fileFailure(path: string, cause: unknown): CarryoverError {
  const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
  return new CarryoverError(
    missing ? 'not-found' : 'io',
    missing ? `there is no file ${path}` : `could not read ${path}: ${String(cause)}`,
    { file: path, wayOut: 'check the path and its permissions' },
    cause,
  );
}
