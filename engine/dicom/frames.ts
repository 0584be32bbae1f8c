/** The stored samples of one frame. */
import type { DataSet, Element, Fragment } from 'dicom-parser';
import { decompress, jpegIsYbr } from './codecs.ts';
import { bytesOf } from './elements.ts';
import type { Header } from './header.ts';
import { frameBits } from './header.ts';
import type { Parsed } from './parse.ts';
import { dicomError, EXPLICIT_BIG, isNative } from './parse.ts';

export type Samples =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** Samples as stored, of a sample's own range, rows from the top. */
export interface Frame {
  samples: Samples;
  /** Plane by plane, else interleaved. */
  planar: boolean;
  /** Luma and two colour differences per pixel, else what the photometric interpretation says. */
  ybr: boolean;
  /** Two pixels share their colour differences: Y Y Cb Cr. */
  halved: boolean;
}

/** @throws bad-input: no such frame, cut off, damaged, or compressed in a way that is not read */
export async function readFrame(parsed: Parsed, header: Header, frame: number): Promise<Frame> {
  const { dataset, transferSyntax } = parsed;
  if (!Number.isInteger(frame) || frame < 0 || frame >= header.frames) {
    throw dicomError(`there is no frame ${frame}: the file has ${header.frames}`);
  }
  const element = dataset.elements[header.pixelTag];
  if (element === undefined) throw dicomError('the DICOM file has no pixels');
  const { photometric } = header;
  if (isNative(transferSyntax) && element.fragments === undefined) {
    const samples = nativeSamples(dataset, element, { header, frame, transferSyntax });
    const halved = photometric === 'YBR_FULL_422';
    const ybr = photometric.startsWith('YBR_FULL');
    return { samples, planar: header.planar && !halved, ybr, halved };
  }
  const encoded = encodedFrame(dataset, element, { header, frame });
  const { bytes, planar } = await decompress(encoded, header, transferSyntax);
  const ybr = header.samples === 3 && isYbr(encoded, header, transferSyntax);
  return { samples: signExtended(typed(bytes, header, false), header), planar, ybr, halved: false };
}

/** JPEG 2000's own colour transforms are undone by its codec, JPEG's are not. */
function isYbr(encoded: Uint8Array, { photometric }: Header, transferSyntax: string): boolean {
  const stated = photometric.startsWith('YBR_FULL');
  const lossyJpeg = /\.4\.5[01]$/.test(transferSyntax);
  return lossyJpeg ? (jpegIsYbr(encoded) ?? stated) : stated;
}

interface Wanted {
  header: Header;
  frame: number;
}

function nativeSamples(
  dataset: DataSet,
  element: Element,
  { header, frame, transferSyntax }: Wanted & { transferSyntax: string },
): Samples {
  const bits = frameBits(header);
  const all = dataset.byteArray.subarray(element.dataOffset);
  if (header.allocated === 1) return unpackBits(all, frame * bits, bits);
  const bytes = all.subarray((frame * bits) / 8, ((frame + 1) * bits) / 8);
  return signExtended(typed(bytes, header, transferSyntax === EXPLICIT_BIG), header);
}

/** Bits from the lowest of each byte up; frames follow each other without padding (PS3.5 8.1.1). */
function unpackBits(bytes: Uint8Array, start: number, count: number): Uint8Array {
  const bits = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const at = start + index;
    bits[index] = ((bytes[at >> 3] ?? 0) >> (at & 7)) & 1;
  }
  return bits;
}

const UNSIGNED = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array } as const;
const SIGNED = { 8: Int8Array, 16: Int16Array, 32: Int32Array } as const;

/** A copy of the bytes as numbers; TypedArrays are little-endian on every platform that we run on. */
function typed(bytes: Uint8Array, { allocated, signed, real }: Header, big: boolean): Samples {
  const width = allocated / 8;
  const copy = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % width)));
  const own = new Uint8Array(copy.length);
  own.set(big ? swapped(copy, width) : copy);
  if (real) return width === 4 ? new Float32Array(own.buffer) : new Float64Array(own.buffer);
  const arrays = signed ? SIGNED : UNSIGNED;
  return new arrays[allocated as 8 | 16 | 32](own.buffer);
}

function swapped(bytes: Buffer, width: number): Buffer {
  if (width === 2) return bytes.swap16();
  if (width === 4) return bytes.swap32();
  return width === 8 ? bytes.swap64() : bytes;
}

/** Keeps the stored bits alone: others may hold overlays (PS3.5 8.1.1), or the sign may be missing. */
function signExtended(samples: Samples, header: Header): Samples {
  const { stored, highBit, signed, allocated, real } = header;
  if (real || stored === allocated) return samples;
  const up = 31 - highBit;
  const down = 32 - stored;
  for (let index = 0; index < samples.length; index++) {
    const left = (samples[index] ?? 0) << up;
    samples[index] = signed ? left >> down : left >>> down;
  }
  return samples;
}

/** The compressed bytes of a frame, which may lie in several fragments (PS3.5 A.4). */
function encodedFrame(dataset: DataSet, element: Element, { header, frame }: Wanted): Uint8Array {
  const fragments = (element.fragments ?? []).filter(({ length }) => length > 0);
  const starts = frameStarts(dataset, { element, fragments, frames: header.frames });
  const first = starts[frame];
  if (first === undefined) throw dicomError(`frame ${frame} cannot be told from its neighbours`);
  const own = fragments.slice(first, starts[frame + 1] ?? fragments.length);
  return Buffer.concat(own.map((fragment) => contentOf(dataset, fragment)));
}

function contentOf(dataset: DataSet, { position, length }: Fragment): Uint8Array {
  if (position + length > dataset.byteArray.length) {
    throw dicomError('the pixels are cut off: a fragment ends behind the file');
  }
  return dataset.byteArray.subarray(position, position + length);
}

/** The first fragment of each frame: by number, by the offset tables, or by how they begin. */
function frameStarts(
  dataset: DataSet,
  source: { element: Element; fragments: Fragment[]; frames: number },
): number[] {
  const { element, fragments, frames } = source;
  if (frames === 1) return [0];
  if (fragments.length === frames) return fragments.map((_, index) => index);
  const offsets =
    element.basicOffsetTable?.length === frames ? element.basicOffsetTable : extended(dataset);
  if (offsets.length === frames) {
    const base = fragments[0]?.offset ?? 0;
    const starts = offsets.map((offset) =>
      fragments.findIndex((fragment) => fragment.offset - base === offset),
    );
    if (!starts.includes(-1)) return starts;
  }
  const begins = fragments.flatMap((fragment, index) =>
    startsImage(contentOf(dataset, fragment)) ? [index] : [],
  );
  return begins.length === frames ? begins : [];
}

/** The Extended Offset Table: 64-bit offsets. */
function extended(dataset: DataSet): number[] {
  const bytes = bytesOf(dataset, 'x7fe00001');
  if (bytes === null) return [];
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(view.length / 8) }, (_, index) =>
    Number(view.readBigUInt64LE(8 * index)),
  );
}

/** JPEG and JPEG-LS begin with FFD8, JPEG 2000 with FF4F. */
function startsImage(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && (bytes[1] === 0xd8 || bytes[1] === 0x4f);
}
