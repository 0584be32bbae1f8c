import { sizeOf } from '../graph/types.ts';
import type { ByteSource } from './bytes.ts';
import { ELEMENT_BYTES, type ElementType, isShape, toFloats } from './elements.ts';
import { unusable } from './failure.ts';
import { gather, isRowByRow, spanOf } from './strides.ts';
import type { RawTensor } from './weights.ts';

/** PyTorch's storage classes; `torch.cuda.` has the same names. */
const STORAGES: ReadonlyMap<string, ElementType> = new Map([
  ['DoubleStorage', 'float64'],
  ['FloatStorage', 'float32'],
  ['HalfStorage', 'float16'],
  ['BFloat16Storage', 'bfloat16'],
  ['LongStorage', 'int64'],
  ['IntStorage', 'int32'],
  ['ShortStorage', 'int16'],
  ['CharStorage', 'int8'],
  ['ByteStorage', 'uint8'],
  ['BoolStorage', 'bool'],
  // Of one byte each: a tensor on it says its own type.
  ['UntypedStorage', 'uint8'],
]);
/** Bytes per element of the storages that float32 cannot stand for. */
const OTHER_STORAGES: ReadonlyMap<string, number> = new Map([
  ['ComplexFloatStorage', 8],
  ['ComplexDoubleStorage', 16],
  ['QInt8Storage', 1],
  ['QUInt8Storage', 1],
  ['QInt32Storage', 4],
]);

/** A run of numbers that tensors look into. */
export interface TorchStorage {
  key: string;
  /** What the file calls its type. */
  type: string;
  /** Null where the type has no float32 form. */
  element: ElementType | null;
  /** Bytes per number. */
  width: number;
  /** Numbers, from the `first` of the bytes kept under `key`. */
  length: number;
  first: number;
}

/** A storage of a class `torch.XStorage`; throws TypeError where there is no such class. */
export function torchStorage(key: string, type: string, length: unknown, first = 0): TorchStorage {
  const element = STORAGES.get(type) ?? null;
  const width = element ? ELEMENT_BYTES[element] : OTHER_STORAGES.get(type);
  if (width === undefined) throw new TypeError(`there is no storage class ${type}`);
  if (!isCount(length) || !isCount(first)) throw new TypeError(`storage ${key} has no sound size`);
  return { key, type, element, width, length, first };
}

/** Numbers that a tensor may have beyond its storage's, by strides of 0 (`expand`). */
const MAX_EXPANDED = 2 ** 24;

/** A view on a storage. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: number[];
  readonly stride: number[];

  /** @throws TypeError where the view leaves its storage */
  constructor(storage: TorchStorage, offset: unknown, shape: unknown, stride: unknown) {
    if (
      !isShape(shape) ||
      !isStride(stride) ||
      shape.length !== stride.length ||
      !isCount(offset)
    ) {
      throw new TypeError('a tensor has no sound shape');
    }
    const count = sizeOf(shape);
    if (count > 0 && offset + spanOf(shape, stride) > storage.length) {
      throw new TypeError(`a tensor of [${shape.join(', ')}] leaves storage ${storage.key}`);
    }
    if (count > Math.max(storage.length, MAX_EXPANDED)) {
      throw new TypeError(
        `a tensor of [${shape.join(', ')}] repeats storage ${storage.key} too often`,
      );
    }
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.stride = stride;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isStride(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}

/** The tensor as every reader gives it; `bytes` are its storage's. */
export function rawTensor(
  name: string,
  { storage, offset, shape, stride }: TorchTensor,
  bytes: ByteSource,
  bigEndian: boolean,
): RawTensor {
  const { element, width, first, type } = storage;
  return {
    shape,
    dtype: element ?? type,
    read() {
      if (!element) throw inexact(bytes.file, name, type);
      if (sizeOf(shape) === 0) return new Float32Array();
      const span = bytes.read((first + offset) * width, spanOf(shape, stride) * width);
      const floats = toFloats(span, element, bigEndian);
      return isRowByRow(shape, stride) ? floats : gather(floats, shape, stride);
    },
  };
}

function inexact(file: string, name: string, type: string): Error {
  return unusable(
    file,
    'PyTorch file',
    `"${name}" is kept in a ${type}, which has no faithful float32 form`,
    'save the weights as float32, float16 or bfloat16 (model.float()) in the program that they come from',
  );
}
