import { z } from 'zod';
import type { Shape } from '../graph/types.ts';
import { sizeOf } from '../graph/types.ts';
import { type ByteSource, memoryBytes } from './bytes.ts';
import { ELEMENT_BYTES, type ElementType, isShape, toFloats } from './elements.ts';
import { unusable } from './failure.ts';
import type { RawTensor } from './weights.ts';

/**
 * The safetensors format (huggingface/safetensors, README "Format"): 8 bytes little-endian header
 * length, a JSON header, then the tensors row by row, little-endian, without holes.
 */
export interface Tensor {
  shape: Shape;
  data: Float32Array;
}

export interface TensorFile {
  tensors: Map<string, Tensor>;
  metadata: Record<string, string>;
}

const ELEMENTS: Record<string, ElementType> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U64: 'uint64',
  U32: 'uint32',
  U16: 'uint16',
  U8: 'uint8',
  BOOL: 'bool',
};
/** Types of the format that have no faithful float32 form: bytes per element. */
const REFUSED: Record<string, number> = {
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  F8_E4M3FNUZ: 1,
  F8_E5M2FNUZ: 1,
  C64: 8,
};

const MAX_HEADER = 100_000_000;
const METADATA = '__metadata__';

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.custom<number[]>(isShape),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
type Entry = z.infer<typeof entrySchema>;

/** Serialises float32 tensors in the given order. */
export function encodeSafetensors({ tensors, metadata }: TensorFile): Uint8Array {
  let offset = 0;
  const entries: [string, unknown][] = [[METADATA, metadata]];
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
 * Reads a whole file at once, every tensor as float32.
 * @throws CarryoverError `bad-input` that names the file and what is wrong with it
 */
export function decodeSafetensors(bytes: Uint8Array, file: string): TensorFile {
  const { tensors, metadata } = readSafetensors(memoryBytes(bytes, file));
  const read = [...tensors].map(([name, tensor]): [string, Tensor] => [
    name,
    { shape: tensor.shape, data: tensor.read() },
  ]);
  return { tensors: new Map(read), metadata };
}

/**
 * Reads the header of a file of any size; a tensor's bytes are read when it is. Tensors come in the
 * order of their bytes.
 * @throws CarryoverError `bad-input` that names the file and what is wrong with it
 */
export function readSafetensors(source: ByteSource): {
  tensors: Map<string, RawTensor>;
  metadata: Record<string, string>;
} {
  const { header, body } = readHeader(source);
  const { [METADATA]: metadata = {}, ...rest } = header;
  const texts = z.record(z.string(), z.string()).safeParse(metadata);
  if (!texts.success) throw damaged(source.file, 'its metadata is not a map of texts');
  const entries = Object.entries(rest).map(([name, value]): [string, Entry] => {
    const entry = entrySchema.safeParse(value);
    if (entry.success) return [name, entry.data];
    throw damaged(source.file, `the header's entry of tensor "${name}" is not a tensor's`);
  });
  entries.sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || end(a) - end(b));
  checkPlaces(source, entries, source.size - body);
  const tensors = entries.map(([name, entry]): [string, RawTensor] => [
    name,
    lazyTensor(source, body, name, entry),
  ]);
  return { tensors: new Map(tensors), metadata: texts.data };
}

const end = (entry: Entry): number => entry.data_offsets[1];

function readHeader(source: ByteSource): { header: Record<string, unknown>; body: number } {
  const { file, size } = source;
  if (size < 8) throw damaged(file, 'it is cut off within the first 8 bytes');
  const length = Number(new DataView(source.read(0, 8).buffer).getBigUint64(0, true));
  if (length > MAX_HEADER) throw damaged(file, `its header of ${length} bytes is too long`);
  if (8 + length > size) throw damaged(file, `its header of ${length} bytes is cut off`);
  try {
    const json = new TextDecoder('utf-8', { fatal: true }).decode(source.read(8, length));
    const header: unknown = JSON.parse(json);
    if (!json.startsWith('{')) throw new SyntaxError('it does not begin with {');
    checkNamedOnce(file, json);
    return { header: header as Record<string, unknown>, body: 8 + length };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) {
      throw damaged(file, `its header is not a JSON object: ${error.message}`);
    }
    throw error;
  }
}

/** JSON.parse keeps the last of two equal keys; the format forbids them. `json` is valid JSON. */
function checkNamedOnce(file: string, json: string): void {
  const seen = new Set<string>();
  let depth = 0;
  for (const [token, colon] of json.matchAll(/[{}[\]]|"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/gs)) {
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (depth === 1 && colon !== undefined) {
      const name = JSON.parse(token.slice(0, token.length - colon.length)) as string;
      if (seen.has(name)) throw damaged(file, `it names "${name}" twice`);
      seen.add(name);
    }
  }
}

/** Each tensor's place has its size, begins where the one before ended, and the last ends the file. */
function checkPlaces({ file }: ByteSource, entries: [string, Entry][], bodySize: number): void {
  let at = 0;
  for (const [name, entry] of entries) {
    const [begin, stop] = entry.data_offsets;
    const width = widthOf(entry.dtype);
    if (width === undefined) {
      throw damaged(file, `tensor "${name}" is of the type ${entry.dtype}, which is not known`);
    }
    if (stop - begin !== width * sizeOf(entry.shape)) {
      const size = `${entry.dtype} [${entry.shape.join(', ')}]`;
      throw damaged(
        file,
        `tensor "${name}" does not fit its place: ${size} in ${stop - begin} bytes`,
      );
    }
    if (begin !== at) {
      const what = begin > at ? 'a hole before' : 'an overlap with';
      throw damaged(file, `there is ${what} tensor "${name}" at byte ${begin} of the data`);
    }
    at = stop;
  }
  if (at !== bodySize) {
    throw damaged(file, `its tensors take ${at} bytes, but the data has ${bodySize}`);
  }
}

function widthOf(dtype: string): number | undefined {
  const element = ELEMENTS[dtype];
  return element ? ELEMENT_BYTES[element] : REFUSED[dtype];
}

function lazyTensor(source: ByteSource, body: number, name: string, entry: Entry): RawTensor {
  const { dtype, shape, data_offsets } = entry;
  const [begin, stop] = data_offsets;
  return {
    shape,
    dtype,
    read() {
      const element = ELEMENTS[dtype];
      if (!element) throw inexact(source.file, name, dtype);
      return toFloats(source.read(body + begin, stop - begin), element);
    },
  };
}

function inexact(file: string, name: string, dtype: string): Error {
  const what = dtype.startsWith('F8')
    ? `8-bit floats (${dtype}), which mean nothing without the scales that the writing program keeps elsewhere`
    : `complex numbers (${dtype})`;
  return unusable(
    file,
    'safetensors file',
    `tensor "${name}" holds ${what}`,
    'save the weights as F32, F16 or BF16 in the program that they come from',
  );
}

function damaged(file: string, what: string): Error {
  return unusable(file, 'safetensors file', what);
}
