import type { Shape } from '../graph/types.ts';
import { sizeOf } from '../graph/types.ts';
import { type ByteSource, fileBytes } from './bytes.ts';
import { ELEMENT_BYTES, type ElementType, isShape, toFloats } from './elements.ts';
import { unusable } from './failure.ts';
import { gather } from './strides.ts';

/** An array, row by row. */
export interface NpyArray {
  shape: Shape;
  data: Float32Array;
}

/** An array as float32, and the type that its file has. */
export interface StoredArray extends NpyArray {
  element: ElementType;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const MAX_HEADER = 2 ** 20;
/** numpy pads the header so that the numbers begin at a multiple of this. */
const ALIGNMENT = 64;
/** Type codes of `descr` without the byte order. */
const ELEMENTS: ReadonlyMap<string, ElementType> = new Map([
  ['f8', 'float64'],
  ['f4', 'float32'],
  ['f2', 'float16'],
  ['i8', 'int64'],
  ['i4', 'int32'],
  ['i2', 'int16'],
  ['i1', 'int8'],
  ['u8', 'uint64'],
  ['u4', 'uint32'],
  ['u2', 'uint16'],
  ['u1', 'uint8'],
  ['b1', 'bool'],
]);

/**
 * A float32 array as NumPy's .npy (version 1.0 of numpy.lib.format), little-endian, row by row.
 * @throws RangeError where shape and data disagree
 */
export function encodeNpy({ shape, data }: NpyArray): Uint8Array {
  if (sizeOf(shape) !== data.length) {
    throw new RangeError(`${data.length} numbers are not [${shape.join(', ')}]`);
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const begin = Math.ceil((10 + dict.length + 1) / ALIGNMENT) * ALIGNMENT;
  const file = new Uint8Array(begin + data.byteLength);
  file.set([...MAGIC, 1, 0]);
  new DataView(file.buffer).setUint16(8, begin - 10, true);
  file.set(new TextEncoder().encode(`${dict.padEnd(begin - 11)}\n`), 10);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), begin);
  return file;
}

/**
 * Reads an array of numbers of any real type as float32.
 * @throws CarryoverError `bad-input`, `not-found` or `io` that names the file and what is wrong
 */
export function readNpy(path: string): StoredArray {
  return decodeNpy(fileBytes(path));
}

/** As `readNpy`, from any source of bytes. What follows the array is ignored, as NumPy does. */
export function decodeNpy(source: ByteSource): StoredArray {
  const { element, bigEndian, columnsFirst, shape, begin } = npyHeader(source);
  const bytes = source.read(begin, sizeOf(shape) * ELEMENT_BYTES[element]);
  const data = toFloats(bytes, element, bigEndian);
  const inOrder = !columnsFirst || data.length === 0;
  return { shape, element, data: inOrder ? data : gather(data, shape, columnStrides(shape)) };
}

export interface NpyHeader {
  element: ElementType;
  bigEndian: boolean;
  columnsFirst: boolean;
  shape: number[];
  /** Where the numbers begin. */
  begin: number;
}

/**
 * Type, shape and beginning of an array; `source` may end after its header.
 * @throws CarryoverError `bad-input` where it is no array of real numbers
 */
export function npyHeader(source: ByteSource): NpyHeader {
  const { file } = source;
  const { text, begin } = headerText(source);
  const [, order, type = ''] = /'descr':\s*'([<>|=])([a-zA-Z]\d+)'/.exec(text) ?? [];
  const element = ELEMENTS.get(type);
  if (!element) throw damaged(file, `its type is not one of real numbers: ${text.trim()}`);
  const layout = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const sides = /'shape':\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  const shape = (sides?.match(/\d+/g) ?? []).map(Number);
  if (layout === undefined || sides === undefined || !isShape(shape)) {
    throw damaged(file, `its header is not understood: ${text.trim()}`);
  }
  return { element, bigEndian: order === '>', columnsFirst: layout === 'True', shape, begin };
}

function headerText(source: ByteSource): { text: string; begin: number } {
  const { file, size } = source;
  const head = source.read(0, Math.min(size, 12));
  if (head.length < 12 || !MAGIC.every((byte, i) => head[i] === byte)) {
    throw damaged(file, 'it does not begin as one');
  }
  const version = head[6]!;
  if (version < 1 || version > 3) throw damaged(file, `its version is ${version}`);
  const view = new DataView(head.buffer);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER) throw damaged(file, `its header of ${length} bytes is too long`);
  const from = version === 1 ? 10 : 12;
  return { text: new TextDecoder().decode(source.read(from, length)), begin: from + length };
}

/** Strides of an array whose first axis runs fastest. */
function columnStrides(shape: Shape): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
}

function damaged(file: string, what: string): Error {
  return unusable(
    file,
    'NumPy array',
    what,
    'save it with numpy.save(path, array.astype(numpy.float32))',
  );
}
