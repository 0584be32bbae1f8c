/** DICOM files: what they say, and their frames as images. */
import { fromPalette, toBytes, toRgb } from './colour.ts';
import { readFrame } from './frames.ts';
import type { WindowChoice } from './grey.ts';
import { rescaled, windowed } from './grey.ts';
import type { Header } from './header.ts';
import { headerOf } from './header.ts';
import type { Parsed } from './parse.ts';
import { parse } from './parse.ts';
import type { Identifiers } from './tags.ts';
import { identifiersOf, tagsOf } from './tags.ts';

export { dicomdirFiles } from './directory.ts';
export { isDicom } from './parse.ts';
export { DICOM_TAGS } from './tags.ts';

export interface DicomInfo {
  frames: number;
  width: number;
  height: number;
  /** MONOCHROME1, MONOCHROME2, PALETTE COLOR, RGB, YBR_... */
  photometric: string;
  /** Stored bits of a sample. */
  bits: number;
  /** UID. */
  transferSyntax: string;
  /** By keyword, of DICOM_TAGS; absent and blank ones are left out. */
  tags: Record<string, string>;
  /** In clear: to be hashed with the home's salt before anything is stored. */
  identifiers: Identifiers;
}

export interface DicomImage<Data> {
  /** Rows from the top, channels interleaved. */
  data: Data;
  width: number;
  height: number;
  channels: 1 | 3;
}

interface Opened {
  parsed: Parsed;
  header: Header;
}

/** Frames of one file are asked for one by one; its bytes are parsed once. */
const opened = new WeakMap<Buffer, Opened>();

function open(bytes: Buffer): Opened {
  const known = opened.get(bytes);
  if (known) return known;
  const parsed = parse(bytes);
  const fresh = { parsed, header: headerOf(parsed) };
  opened.set(bytes, fresh);
  return fresh;
}

/**
 * What a DICOM file says, without its pixels being decoded.
 * @throws bad-input with the reason (without the file's name): not DICOM, cut off, damaged, no
 *   pixels, pixels of a kind that is not read
 */
export function readDicom(bytes: Buffer): DicomInfo {
  const { parsed, header } = open(bytes);
  const { frames, width, height, photometric, stored } = header;
  return {
    frames,
    width,
    height,
    photometric,
    bits: stored,
    transferSyntax: parsed.transferSyntax,
    tags: tagsOf(parsed.dataset),
    identifiers: identifiersOf(parsed.dataset),
  };
}

/**
 * A frame (from 0) in 8 bits, for display and for networks. Grey values are rescaled and spread:
 * `file` by the file's first window, else its VOI LUT, else as `percentile`; `percentile` from the 1st to the 99th
 * of the frame; `full` from the least to the greatest. Padding counts for neither. MONOCHROME1 is
 * turned round: 0 is black always. Colours are not windowed.
 * @throws bad-input as readDicom; no such frame; a transfer syntax that is not read; damaged data
 */
export async function dicomFrame(
  bytes: Buffer,
  frame: number,
  window: WindowChoice,
): Promise<DicomImage<Uint8Array>> {
  const { parsed, header } = open(bytes);
  const { width, height, photometric } = header;
  const stored = await readFrame(parsed, header, frame);
  if (header.samples === 3) {
    return { data: toBytes(toRgb(stored, header), header.stored), width, height, channels: 3 };
  }
  const { dataset } = parsed;
  if (photometric === 'PALETTE COLOR') {
    const data = fromPalette(dataset, stored.samples, header.signed);
    return { data, width, height, channels: 3 };
  }
  const values = rescaled(dataset, stored.samples, { header, frame });
  const data = windowed(dataset, values, { frame, choice: window, stored: stored.samples });
  if (photometric === 'MONOCHROME1') data.forEach((grey, index) => (data[index] = 255 - grey));
  return { data, width, height, channels: 1 };
}

/**
 * A frame's values: grey after the Modality LUT or rescale (not turned round, not windowed), RGB in
 * the file's own range, the colours of a palette in 8 bits.
 * @throws as dicomFrame
 */
export async function dicomValues(bytes: Buffer, frame: number): Promise<DicomImage<Float32Array>> {
  const { parsed, header } = open(bytes);
  const { width, height, photometric } = header;
  const stored = await readFrame(parsed, header, frame);
  if (header.samples === 3) return { data: toRgb(stored, header), width, height, channels: 3 };
  if (photometric === 'PALETTE COLOR') {
    const colours = fromPalette(parsed.dataset, stored.samples, header.signed);
    return { data: Float32Array.from(colours), width, height, channels: 3 };
  }
  const data = rescaled(parsed.dataset, stored.samples, { header, frame });
  return { data, width, height, channels: 1 };
}
