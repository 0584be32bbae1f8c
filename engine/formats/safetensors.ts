import { CarryoverError } from '../../contract/errors.ts';
import type { Shape } from '../graph/types.ts';
import { sizeOf } from '../graph/types.ts';

/**
 * The safetensors format (huggingface/safetensors): 8 bytes little-endian header length, a JSON
 * header, then the tensors row by row. This version writes and reads float32 only.
 */
export interface Tensor {
  shape: Shape;
  data: Float32Array;
}

export interface TensorFile {
  tensors: Map<string, Tensor>;
  metadata: Record<string, string>;
}

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const MAX_HEADER = 100_000_000;

/** Serialises tensors in the given order. */
export function encodeSafetensors({ tensors, metadata }: TensorFile): Uint8Array {
  let offset = 0;
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  for (const [name, { shape, data }] of tensors) {
    const end = offset + data.byteLength;
    entries.push([name, { dtype: 'F32', shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const padded = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + padded + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.fill(0x20, 8, 8 + padded);
  file.set(json, 8);
  let at = 8 + padded;
  for (const { data } of tensors.values()) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/**
 * Reads a file that `encodeSafetensors` (or any float32 writer) made.
 * @throws CarryoverError `bad-input` that names the file and what is wrong with it
 */
export function decodeSafetensors(bytes: Uint8Array, file: string): TensorFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < 8 ? MAX_HEADER + 1 : Number(view.getBigUint64(0, true));
  if (length > MAX_HEADER || 8 + length > bytes.length) {
    throw damaged(file, 'its header is cut off or too long');
  }
  const header = parseHeader(bytes.subarray(8, 8 + length), file);
  const { __metadata__: metadata = {}, ...entries } = header;
  const body = bytes.subarray(8 + length);
  const tensors = new Map(
    Object.entries(entries).map(([name, entry]) => [
      name,
      readTensor(name, entry as HeaderEntry, body, file),
    ]),
  );
  return { tensors, metadata: metadata as Record<string, string> };
}

function parseHeader(json: Uint8Array, file: string): Record<string, unknown> {
  try {
    return JSON.parse(new TextDecoder().decode(json)) as Record<string, unknown>;
  } catch {
    throw damaged(file, 'its header is not JSON');
  }
}

function readTensor(name: string, entry: HeaderEntry, body: Uint8Array, file: string): Tensor {
  if (entry.dtype !== 'F32') throw damaged(file, `tensor "${name}" is ${entry.dtype}, not F32`);
  const [begin, end] = entry.data_offsets;
  if (end - begin !== 4 * sizeOf(entry.shape) || begin < 0 || end > body.length) {
    throw damaged(file, `tensor "${name}" does not fit its place`);
  }
  // A copy: Buffer's own slice() would share memory, and float32 needs 4-byte alignment.
  const data = new Float32Array(new Uint8Array(body.subarray(begin, end)).buffer);
  return { shape: entry.shape, data };
}

function damaged(file: string, what: string): CarryoverError {
  return new CarryoverError('bad-input', `${file} is not a usable safetensors file: ${what}`, {
    file,
    wayOut: 'train the run again, or bring the file anew',
  });
}
