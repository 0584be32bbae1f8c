import { dirname, isAbsolute, resolve } from 'node:path';
import { sizeOf } from '../graph/types.ts';
import { type ByteSource, fileBytes, partOf } from './bytes.ts';
import { ELEMENT_BYTES, type ElementType, isShape, toFloats } from './elements.ts';
import { unusable } from './failure.ts';
import type { RawTensor } from './weights.ts';

/** A 64-bit integer as protobufjs gives it: a number, or a Long. */
export type Integer = number | { toNumber(): number };

/** The fields of TensorProto that hold values; lists are empty where they are absent. */
export interface TensorMessage {
  dims: Integer[];
  data_type: number;
  name: string;
  raw_data: Uint8Array;
  float_data: number[];
  int32_data: number[];
  int64_data: Integer[];
  double_data: number[];
  uint64_data: Integer[];
  external_data: { key: string; value: string }[];
  data_location: number;
}

/** TensorProto.DataType. */
const ELEMENTS: ReadonlyMap<number, ElementType> = new Map([
  [1, 'float32'],
  [2, 'uint8'],
  [3, 'int8'],
  [4, 'uint16'],
  [5, 'int16'],
  [6, 'int32'],
  [7, 'int64'],
  [9, 'bool'],
  [10, 'float16'],
  [11, 'float64'],
  [12, 'uint32'],
  [13, 'uint64'],
  [16, 'bfloat16'],
]);
const EXTERNAL = 1;

/** The element type of a tensor; null for texts, complex numbers, 8-bit floats and 4-bit integers. */
export function elementOf({ data_type }: TensorMessage): ElementType | null {
  return ELEMENTS.get(data_type) ?? null;
}

/**
 * A tensor of an ONNX file. Values outside of it (`external_data`) are read from the file that it
 * names, which must lie in the model's folder or below.
 * @throws CarryoverError `bad-input` where shape and values disagree
 */
export function onnxTensor(
  file: string,
  name: string,
  tensor: TensorMessage,
  element: ElementType,
): RawTensor {
  const shape = tensor.dims.map(toNumber);
  if (!isShape(shape)) throw damaged(file, `tensor "${name}" has no sound shape`);
  const count = sizeOf(shape);
  const bytes = count * ELEMENT_BYTES[element];
  if (tensor.data_location === EXTERNAL) {
    const place = externalPlace(file, name, tensor, bytes);
    return { shape, dtype: element, read: () => toFloats(place.read(0, bytes), element) };
  }
  const { raw_data } = tensor;
  if (raw_data.length > 0) {
    if (raw_data.length !== bytes) throw misfit(file, name, shape, raw_data.length);
    return { shape, dtype: element, read: () => toFloats(new Uint8Array(raw_data), element) };
  }
  const values = listed(tensor, element);
  if (values.length !== count) throw misfit(file, name, shape, values.length);
  return { shape, dtype: element, read: () => numbersOf(values, element) };
}

export function toNumber(value: Integer): number {
  return typeof value === 'number' ? value : value.toNumber();
}

/** The list that TensorProto keeps values of a type in. */
function listed(tensor: TensorMessage, element: ElementType): Integer[] {
  if (element === 'float32') return tensor.float_data;
  if (element === 'float64') return tensor.double_data;
  if (element === 'int64') return tensor.int64_data;
  if (element === 'uint32' || element === 'uint64') return tensor.uint64_data;
  return tensor.int32_data; // half floats as their bits
}

function numbersOf(values: Integer[], element: ElementType): Float32Array {
  if (element !== 'float16' && element !== 'bfloat16') return Float32Array.from(values, toNumber);
  return toFloats(new Uint8Array(Uint16Array.from(values, toNumber).buffer), element);
}

/** ONNX, docs/ExternalData.md: location (relative to the model), offset, length. */
function externalPlace(
  file: string,
  name: string,
  tensor: TensorMessage,
  bytes: number,
): ByteSource {
  const said = new Map(tensor.external_data.map(({ key, value }) => [key, value]));
  const location = said.get('location') ?? '';
  const segments = location.split(/[\\/]/);
  if (location === '' || isAbsolute(location) || segments.includes('..')) {
    throw damaged(file, `tensor "${name}" lies outside of the model's folder: "${location}"`);
  }
  const offset = Number(said.get('offset') ?? 0);
  const length = Number(said.get('length') ?? bytes);
  if (length !== bytes) throw misfit(file, name, tensor.dims.map(toNumber), length);
  return partOf(fileBytes(resolve(dirname(file), location)), offset, bytes);
}

function misfit(file: string, name: string, shape: number[], found: number): Error {
  return damaged(
    file,
    `tensor "${name}" of [${shape.join(', ')}] does not fit its ${found} values`,
  );
}

function damaged(file: string, what: string): Error {
  return unusable(file, 'ONNX file', what);
}
