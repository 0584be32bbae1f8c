import { readFile, stat } from 'node:fs/promises';
import { CarryoverError } from '../../contract/errors.ts';
import { isBareDicom } from './dicom.ts';
import type { Place } from './place.ts';
import { placeName } from './place.ts';

export const IMAGE_FORMATS = ['png', 'jpeg', 'webp', 'gif', 'bmp', 'tiff', 'dicom'] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/** Limits on one image file, against decompression bombs and accidents. */
export const MAX_FILE_BYTES = 200 * 2 ** 20;
export const MAX_PIXELS = 100_000_000;
export const MAX_ASPECT = 1000;

const SIGNATURES: [ImageFormat, RegExp][] = [
  ['dicom', /^[^]{128}DICM/], // first: its preamble may be that of a TIFF
  ['png', /^\x89PNG\r\n/],
  ['jpeg', /^\xff\xd8\xff/],
  ['webp', /^RIFF[^]{4}WEBP/],
  ['gif', /^GIF8[79]a/],
  ['bmp', /^BM/],
  ['tiff', /^(II[*+]\0|MM\0[*+])/],
];

/** What people give us by mistake, so that the refusal can say its name. */
const OTHERS: [string, RegExp][] = [
  ['an SVG file (a drawing, not pixels)', /^\s*(<\?xml[^]*?|<!--[^]*?|<!DOCTYPE svg[^]*?)?<svg/i],
  ['a HEIC or AVIF file', /^[^]{4}ftyp(hei|hev|mif1|msf1|avi)/],
  ['a video', /^[^]{4}ftyp/],
  ['a JPEG XL file', /^[^]{4}JXL /],
  ['a JPEG 2000 file', /^[^]{4}jP {2}/],
  ['a PDF file', /^%PDF/],
  ['a Photoshop file', /^8BPS/],
  ['a ZIP archive', /^PK/],
  ['a tar archive', /^[^]{257}ustar/],
  ['an HTML page', /^\s*<(!doctype html|html)/i],
];

/** An error about one image. */
export function imageError(place: Place, reason: string, cause?: unknown): CarryoverError {
  const message = `${placeName(place)}: ${reason}`;
  return new CarryoverError('bad-input', message, { file: place.file }, cause);
}

/**
 * Reads the file of a place, whole, within the limits.
 * @throws not-found, io, or bad-input (a folder, empty, too large), naming the file
 */
export async function readImageFile(place: Place): Promise<Buffer> {
  const path = place.file;
  try {
    const info = await stat(path);
    if (!info.isFile()) throw imageError(place, 'not a regular file');
    if (info.size === 0) throw imageError(place, 'the file is empty (0 bytes)');
    if (info.size > MAX_FILE_BYTES) {
      const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20);
      throw imageError(
        place,
        `${megabytes(info.size)} MB is over the limit of ${megabytes(MAX_FILE_BYTES)} MB`,
      );
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof CarryoverError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new CarryoverError('not-found', `${path}: no such file`, { file: path }, error);
    }
    throw new CarryoverError('io', `${path}: cannot be read (${code})`, { file: path }, error);
  }
}

/**
 * The format by content; the place is only used in messages.
 * @throws bad-input for everything that is not one of IMAGE_FORMATS, by name where it is known
 */
export async function sniffFormat(place: Place, bytes: Buffer): Promise<ImageFormat> {
  const start = bytes.subarray(0, 1024).toString('latin1');
  const format = SIGNATURES.find(([, signature]) => signature.test(start))?.[0];
  if (format !== undefined) return format;
  if (await isBareDicom(bytes)) return 'dicom';
  const other = OTHERS.find(([, signature]) => signature.test(start))?.[0];
  const what = other === undefined ? 'in no known image format' : other;
  throw new CarryoverError('bad-input', `${placeName(place)}: the content is ${what}`, {
    file: place.file,
    wayOut: 'convert it to PNG, JPEG, WebP, GIF, BMP, TIFF or DICOM',
  });
}

/** How many frames an animated PNG has; 1: not animated. Other decoders only see the first. */
export function pngFrames(bytes: Buffer): number {
  for (let at = 8; at + 12 <= bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (type === 'acTL') return Math.max(1, bytes.readUInt32BE(at + 8));
    if (type === 'IDAT') return 1;
  }
  return 1;
}

/** @throws bad-input when the sides are beyond the limits */
export function checkSides(place: Place, width: number, height: number): void {
  if (width * height > MAX_PIXELS) {
    const megapixels = Math.round((width * height) / 1e6);
    throw imageError(
      place,
      `${width} x ${height} = ${megapixels} megapixels, over the limit of ${MAX_PIXELS / 1e6}`,
    );
  }
  if (Math.max(width, height) > MAX_ASPECT * Math.min(width, height)) {
    throw imageError(place, `${width} x ${height} is more elongated than ${MAX_ASPECT}:1`);
  }
}
