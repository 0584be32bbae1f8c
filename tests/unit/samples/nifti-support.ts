/** Writes small NIfTI-1 volumes. */

interface Volume {
  size: readonly [number, number, number];
  values: readonly number[];
  /** Millimetres along each axis of the file. */
  spacing?: readonly [number, number, number];
  /** Rows of the affine transform, 3 of 4 numbers; absent: none. */
  affine?: readonly (readonly number[])[];
  /** Datatype: 2 uint8, 4 int16, 16 float32. */
  type?: 2 | 4 | 16;
  slope?: number;
  comment?: string;
}

export function niftiFile(volume: Volume): Buffer {
  const { size, values, spacing = [1, 1, 1], affine, type = 16, slope = 0, comment = '' } = volume;
  const text = Buffer.from(comment);
  const start = 352 + text.length;
  const width = { 2: 1, 4: 2, 16: 4 }[type];
  const bytes = Buffer.alloc(start + width * values.length);
  bytes.writeInt32LE(348, 0);
  for (const [index, side] of [3, ...size].entries()) bytes.writeInt16LE(side, 40 + 2 * index);
  bytes.writeInt16LE(type, 70);
  for (const [index, step] of spacing.entries()) bytes.writeFloatLE(step, 80 + 4 * index);
  bytes.writeFloatLE(start, 108);
  bytes.writeFloatLE(slope, 112);
  bytes.writeInt16LE(affine === undefined ? 0 : 1, 254);
  for (const [row, numbers] of (affine ?? []).entries()) {
    for (const [index, number] of numbers.entries()) {
      bytes.writeFloatLE(number, 280 + 16 * row + 4 * index);
    }
  }
  bytes.write('n+1\0', 344, 'latin1');
  text.copy(bytes, 352);
  for (const [index, value] of values.entries()) WRITE[type](bytes, value, start + width * index);
  return bytes;
}

const WRITE = {
  2: (bytes: Buffer, value: number, at: number) => bytes.writeUInt8(value, at),
  4: (bytes: Buffer, value: number, at: number) => bytes.writeInt16LE(value, at),
  16: (bytes: Buffer, value: number, at: number) => bytes.writeFloatLE(value, at),
} as const;
