import { brainFloatsToFloats, halvesToFloats } from './half.ts';

/** Bytes per element of every element type that can become float32. */
export const ELEMENT_BYTES = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint64: 8,
  uint32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
} as const;

export type ElementType = keyof typeof ELEMENT_BYTES;

type Bytes = Uint8Array;

const VIEWS: Record<ElementType, (buffer: ArrayBufferLike) => Float32Array> = {
  float64: (buffer) => Float32Array.from(new Float64Array(buffer)),
  float32: (buffer) => new Float32Array(buffer),
  float16: (buffer) => halvesToFloats(new Uint16Array(buffer)),
  bfloat16: (buffer) => brainFloatsToFloats(new Uint16Array(buffer)),
  int64: (buffer) => Float32Array.from(new BigInt64Array(buffer), Number),
  int32: (buffer) => Float32Array.from(new Int32Array(buffer)),
  int16: (buffer) => Float32Array.from(new Int16Array(buffer)),
  int8: (buffer) => Float32Array.from(new Int8Array(buffer)),
  uint64: (buffer) => Float32Array.from(new BigUint64Array(buffer), Number),
  uint32: (buffer) => Float32Array.from(new Uint32Array(buffer)),
  uint16: (buffer) => Float32Array.from(new Uint16Array(buffer)),
  uint8: (buffer) => Float32Array.from(new Uint8Array(buffer)),
  bool: (buffer) => Float32Array.from(new Uint8Array(buffer), (byte) => (byte ? 1 : 0)),
};

/**
 * The numbers that `bytes` hold, as float32 (booleans as 0 and 1). Bytes that fill their buffer are
 * viewed in place where nothing needs converting, and swapped in place where they are big-endian.
 * The machine itself is little-endian, as all are that Node runs on here.
 */
export function toFloats(bytes: Bytes, type: ElementType, bigEndian = false): Float32Array {
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
  if (bigEndian) swapBytes(own, ELEMENT_BYTES[type]);
  return VIEWS[type](own.buffer);
}

function swapBytes(bytes: Bytes, width: number): void {
  if (width === 1) return;
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

/** Whether `value` is a list of sizes whose product can be counted. */
export function isShape(value: unknown): value is number[] {
  if (!Array.isArray(value) || value.length > 64) return false;
  let count = 1;
  for (const side of value as unknown[]) {
    if (typeof side !== 'number' || !Number.isSafeInteger(side) || side < 0) return false;
    count *= side;
  }
  return Number.isSafeInteger(count);
}
