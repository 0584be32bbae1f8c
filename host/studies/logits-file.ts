import { readFileSync } from 'node:fs';
import { CarryoverError } from '../../contract/errors.ts';
import { fileError } from '../files.ts';

/**
 * Reads the logits that a run wrote: raw little-endian float32, [image, class].
 * @param count how many there must be
 * @throws CarryoverError `io` or `not-found` naming the file
 */
export function readLogitsFile(path: string, count: number): Float32Array {
  const bytes = read(path);
  if (bytes.byteLength !== 4 * count) {
    const message = `${path} has ${bytes.byteLength} bytes, not a number per image and class`;
    throw new CarryoverError('io', message, {
      file: path,
      wayOut: 'delete it, run the study again',
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw fileError(error, path, 'read');
  }
}
