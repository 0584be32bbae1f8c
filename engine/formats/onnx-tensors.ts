import { dirname, isAbsolute, resolve } from 'node:path';
import { sizeOf } from '../graph/types.ts';
import { type ByteSource, fileBytes, partOf } from './bytes.ts';
import { ELEMENT_BYTES, type ElementType, isShape, toFloats } from './elements.ts';
import { unusable } from './failure.ts';
import type { RawTensor } from './weights.ts';

/** A 64-bit integer as protobufjs gives it: a number, or a Long. */
export type Integer = number | { toNumber(): number };

/** The fields of TensorProto that hold floating point; lists are empty where they are absent. */
export interface TensorMessage {
  dims: Integer[];
  data_type: number;
  name: string;
  raw_data: Uint8Array;
  float_data: number[];
  int32_data: number[];
  double_data: number[];
  external_data: { key: string; value: string }[];
  data_location: number;
}

/** TensorProto.DataType, the floating-point types that have a float32 form. */
const ELEMENTS: ReadonlyMap<number, ElementType> = new Map([
  [1, 'float32'],
  [10, 'float16'],
  [11, 'float64'],
  [16, 'bfloat16'],
]);
const EXTERNAL = 1;

/** The element type of a tensor; null for all but floating point of 16 bits and more. */
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

/** The list that TensorProto keeps values of a type in; those of 16 bits are there as their bits. */
function listed(tensor: TensorMessage, element: ElementType): number[] {
  if (element === 'float32') return tensor.float_data;
  return element === 'float64' ? tensor.double_data : tensor.int32_data;
}

function numbersOf(values: number[], element: ElementType): Float32Array {
  if (element === 'float32' || element === 'float64') return Float32Array.from(values);
  return toFloats(new Uint8Array(Uint16Array.from(values).buffer), element);
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
