/** Volumes in NIfTI-1 files, gzipped or not (nifti.nimh.nih.gov/nifti-1). */
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { CarryoverError } from '../../contract/errors.ts';
import { fileError } from '../files.ts';

/** A scalar volume. Axes run to the right, to the front, and up; x is the fastest. */
export interface Volume {
  size: readonly [number, number, number];
  /** Distance of neighbours along each axis, millimetres. */
  spacing: readonly [number, number, number];
  values: Float32Array;
}

/** What a file says besides: comments in extensions, as a whole. */
export interface NiftiFile {
  volume: Volume;
  comment: string;
}

const HEADER = 348;
const MAX_BYTES = 2 ** 30;
/** Bytes of a value and how it is read, by the datatype's code. */
const TYPES: Readonly<Record<number, [number, (bytes: Buffer, at: number) => number]>> = {
  2: [1, (bytes, at) => bytes.readUInt8(at)],
  4: [2, (bytes, at) => bytes.readInt16LE(at)],
  8: [4, (bytes, at) => bytes.readInt32LE(at)],
  16: [4, (bytes, at) => bytes.readFloatLE(at)],
  256: [1, (bytes, at) => bytes.readInt8(at)],
  512: [2, (bytes, at) => bytes.readUInt16LE(at)],
};

/** @throws io, or bad-input naming the file: no NIfTI-1, cut off, of another type or byte order */
export async function readNifti(path: string): Promise<NiftiFile> {
  const raw = await readFile(path).catch((error: unknown) => {
    throw fileError(error, path, 'read');
  });
  try {
    const packed = raw[0] === 0x1f && raw[1] === 0x8b;
    return parseNifti(packed ? gunzipSync(raw, { maxOutputLength: MAX_BYTES }) : raw);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CarryoverError('bad-input', `${path}: ${reason}`, { file: path }, error);
  }
}

function parseNifti(bytes: Buffer): NiftiFile {
  if (bytes.length < HEADER || bytes.readInt32LE(0) !== HEADER) {
    throw new Error('not a little-endian NIfTI-1 file');
  }
  const sides = [42, 44, 46].map((at) => bytes.readInt16LE(at));
  const type = TYPES[bytes.readInt16LE(70)];
  if (type === undefined) throw new Error(`datatype ${bytes.readInt16LE(70)} is not read`);
  const start = bytes.readFloatLE(108);
  const count = sides.reduce((product, side) => product * side, 1);
  const [width, read] = type;
  if (sides.some((side) => side < 1) || start + count * width > bytes.length) {
    throw new Error(`${sides.join(' x ')} values do not fit into the file`);
  }
  const slope = bytes.readFloatLE(112) || 1;
  const intercept = bytes.readFloatLE(116);
  const values = new Float32Array(count);
  for (let index = 0; index < count; index++) {
    values[index] = read(bytes, start + index * width) * slope + intercept;
  }
  const comment = bytes.toString('utf8', HEADER + 4, start);
  return { volume: turned(values, sides, axesOf(bytes)), comment };
}

/** For each axis of the room: the file's axis along it, its direction, and its spacing. */
interface Axis {
  from: number;
  backwards: boolean;
  spacing: number;
}

/** From the affine transform of the sform; without one the file's axes are the room's. */
function axesOf(bytes: Buffer): Axis[] {
  const hasForm = bytes.readInt16LE(254) > 0;
  return [0, 1, 2].map((axis) => {
    if (!hasForm)
      return { from: axis, backwards: false, spacing: bytes.readFloatLE(80 + 4 * axis) };
    const row = [0, 4, 8].map((at) => bytes.readFloatLE(280 + 16 * axis + at));
    const from = row.reduce((best, value, at) => {
      return Math.abs(value) > Math.abs(row[best] ?? 0) ? at : best;
    }, 0);
    const spacing = bytes.readFloatLE(80 + 4 * from);
    return { from, backwards: (row[from] ?? 0) < 0, spacing };
  });
}

/** The values in the order of the room's axes. */
function turned(values: Float32Array, sides: readonly number[], axes: readonly Axis[]): Volume {
  if (new Set(axes.map(({ from }) => from)).size !== 3) throw new Error('its axes are oblique');
  const steps = [1, sides[0] ?? 1, (sides[0] ?? 1) * (sides[1] ?? 1)];
  const [x, y, z] = axes.map(({ from, backwards }) => {
    const side = sides[from] ?? 1;
    const step = steps[from] ?? 1;
    return { side, step: backwards ? -step : step, first: backwards ? (side - 1) * step : 0 };
  }) as [Walk, Walk, Walk];
  const out = new Float32Array(values.length);
  let at = 0;
  for (let k = 0; k < z.side; k++) {
    for (let j = 0; j < y.side; j++) {
      const row = z.first + k * z.step + y.first + j * y.step + x.first;
      for (let i = 0; i < x.side; i++) out[at++] = values[row + i * x.step] ?? 0;
    }
  }
  const spacing = axes.map((axis) => axis.spacing) as [number, number, number];
  return { size: [x.side, y.side, z.side], spacing, values: out };
}

/** How the file is walked through along an axis of the room. */
interface Walk {
  side: number;
  step: number;
  first: number;
}
