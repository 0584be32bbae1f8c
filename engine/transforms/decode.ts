import sharp from 'sharp';
import type { Metadata, Sharp } from 'sharp';
import { CarryoverError } from '../../contract/errors.ts';
import type { Bitmap } from './bmp.ts';
import { bmpSize, decodeBmp } from './bmp.ts';
import type { Channels } from './colour.ts';
import { toGrey } from './colour.ts';
import type { Content } from './content.ts';
import { readContent } from './content.ts';
import type { Window } from './dicom.ts';
import { dicomBitmap, dicomExact, dicomSides } from './dicom.ts';
import type { Resizing } from './enlarge.ts';
import { enlarge, enlarges } from './enlarge.ts';
import type { ImageFormat } from './formats.ts';
import { checkSides, imageError, MAX_PIXELS, pngFrames, sniffFormat } from './formats.ts';
import type { Place } from './place.ts';

// A second guard behind sniffFormat: no other decoder of libvips can be reached. SVG stays open
// for the sample builder, which draws its own; files of users never get that far.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Svg'].map(
    (name) => `VipsForeignLoad${name}`,
  ),
});

export interface ImageInfo {
  /** By content, whatever the file is called; `array`: pixels of an array. */
  format: ImageFormat | 'array';
  /** Pixels, after the EXIF orientation. */
  width: number;
  height: number;
  /** Frames or pages; carryover uses the first, but each of a DICOM file. */
  pages: number;
}

export interface OwnSizeImage {
  /** Rows from the top, channels interleaved. */
  data: Uint8Array;
  width: number;
  height: number;
  /** 1: the file is grey. */
  channels: 1 | 3;
}

export interface ExactImage {
  /** Rows from the top, channels interleaved; 16-bit files give 16-bit values. */
  data: Uint8Array | Uint16Array;
  width: number;
  height: number;
  /** Grey, grey and alpha, RGB, RGBA: what the file has, a palette expanded. */
  channels: 1 | 2 | 3 | 4;
  /** What of the file is not in `data`, for people: 'CMYK (converted to 8-bit sRGB)'. */
  lost: string[];
}

/** An image whose header was read; its pixels are decoded once, by one of the functions below. */
export interface Source extends ImageInfo {
  image: Sharp;
  grey: boolean;
  /** There is an alpha channel; it may still be opaque everywhere. */
  alpha: boolean;
  /** 16 bits per channel, grey or RGB. */
  deep: boolean;
  /** What no decoding here keeps, for people. */
  lost: string[];
}

/**
 * Format and size of an image without decoding its pixels.
 * @throws not-found, io, or bad-input naming the place and the reason: empty, another format, over
 *   100 megapixels or 200 MB, more elongated than 1000:1, a broken header
 */
export async function probeImage(place: Place): Promise<ImageInfo> {
  const { format, width, height, pages } = await readHeader(await readContent(place), place);
  return { format, width, height, pages };
}

/**
 * Decodes an image to size x size RGB: EXIF orientation applied, transparency composited on
 * the background, 16 bits scaled to 8, grey and CMYK to sRGB, the first frame of an animation.
 * Pixel values are taken as stored (as PIL and torchvision do): an embedded profile counts for
 * CMYK only. Resizing is bilinear or bicubic (a = -1/2), shrinking with antialiasing. The same
 * content gives the same bytes.
 *
 * @param channels 1: its luma, taken after resizing
 * @returns size * size * channels values, rows from the top, RGB interleaved
 * @throws as probeImage, and bad-input for truncated or corrupt data
 */
export async function decodeImage(
  place: Place,
  recipe: Resizing,
  size: number,
  channels: Channels = 3,
): Promise<Uint8Array> {
  return decodeContent(await readContent(place), place, recipe, size, channels);
}

/** As decodeImage, of content that was read before; the place is what errors name. */
export async function decodeContent(
  content: Content,
  place: Place,
  recipe: Resizing,
  size: number,
  channels: Channels = 3,
): Promise<Uint8Array> {
  return resized(await openImage(content, place, recipe.window), place, recipe, size, channels);
}

/** As decodeImage, of an opened image. */
export async function resized(
  source: Source,
  place: Place,
  recipe: Resizing,
  size: number,
  channels: Channels,
): Promise<Uint8Array> {
  const rgb = await decodeColour(source, place, recipe, size);
  return channels === 1 ? toGrey(rgb) : rgb;
}

async function decodeColour(
  source: Source,
  place: Place,
  recipe: Resizing,
  size: number,
): Promise<Uint8Array> {
  const { background, resize } = recipe;
  const kernel = recipe.interpolation === 'bicubic' ? 'cubic' : 'linear';
  const image = source.image.flatten({ background });
  // libvips would take a coloured background for grey images as grey.
  if (source.grey) image.pipelineColourspace(source.deep ? 'rgb16' : 'srgb');
  if (!enlarges(resize, source, size)) {
    const fit = ({ crop: 'cover', fit: 'contain', stretch: 'fill' } as const)[resize];
    image.resize(size, size, { fit, background, kernel });
    return (await pixels(place, image, 3)).data;
  }
  if (resize === 'stretch') {
    const [width, height] = [Math.min(source.width, size), Math.min(source.height, size)];
    image.resize(width, height, { fit: 'fill', kernel });
  }
  const shrunk = await pixels(place, image, 3);
  return enlarge(shrunk.data, shrunk, recipe, size);
}

/**
 * Decodes an image at its own size for display: 8 bits, transparency composited on white,
 * orientation applied; a grey image stays grey.
 * @throws as decodeImage
 */
export async function decodeOwnSize(place: Place, window?: Window): Promise<OwnSizeImage> {
  return ownSize(await openImage(await readContent(place), place, window), place);
}

/** As decodeOwnSize, of an opened image. */
export async function ownSize({ image, grey }: Source, place: Place): Promise<OwnSizeImage> {
  const channels = grey ? 1 : 3;
  image.flatten({ background: '#ffffff' });
  return { ...(await pixels(place, image, channels)), channels };
}

/**
 * Decodes an image to the values it holds: its own size, channels (alpha included, never
 * composited) and 8 or 16 bits. Only CMYK is converted; the EXIF orientation is applied. Both are
 * in `lost`, with further frames and an embedded colour profile. DICOM values are rescaled, not
 * windowed, and brought to 16 bits.
 * @throws as decodeImage
 */
export async function decodeExact(place: Place): Promise<ExactImage> {
  const content = await readContent(place);
  const source = await openImage(content, place);
  if (content.kind === 'file' && source.format === 'dicom') return dicomExact(content.bytes, place);
  const { image, grey, alpha, deep, lost } = source;
  // As RGB even when grey: libvips drops the alpha of 8-bit grey in raw output.
  image.toColourspace(deep ? 'rgb16' : 'srgb').raw({ depth: deep ? 'ushort' : 'uchar' });
  const { data: bytes, width, height } = await rawValues(place, image, alpha ? 4 : 3);
  const data = deep ? new Uint16Array(bytes.buffer) : bytes;
  if (!grey) return { data, width, height, channels: alpha ? 4 : 3, lost };
  return { data: greyOf(data, alpha), width, height, channels: alpha ? 2 : 1, lost };
}

/** Grey (and alpha) of an image that repeats its grey in R, G and B; within the same memory. */
function greyOf<T extends Uint8Array | Uint16Array>(rgb: T, alpha: boolean): T {
  const [step, channels] = alpha ? [4, 2] : [3, 1];
  const length = (rgb.length / step) * channels;
  for (let from = 0, to = 0; from < rgb.length; from += step) {
    rgb[to++] = rgb[from]!;
    if (alpha) rgb[to++] = rgb[from + 3]!;
  }
  return rgb.subarray(0, length) as T;
}

type Header = ImageInfo & {
  /** null for what sharp cannot read: BMP, DICOM, pixels of an array. */
  metadata: Metadata | null;
};

/** The header of an image within the limits. */
async function readHeader(content: Content, place: Place): Promise<Header> {
  if (content.kind === 'pixels') {
    const { width, height } = content;
    checkSides(place, width, height);
    return { format: 'array', width, height, pages: 1, metadata: null };
  }
  const { bytes } = content;
  const format = await sniffFormat(place, bytes);
  if (format === 'dicom') {
    const sides = await dicomSides(bytes, place);
    checkSides(place, sides.width, sides.height);
    return { format, ...sides, metadata: null };
  }
  try {
    // No pixel limit here, so that the refusal can name the size.
    const metadata =
      format === 'bmp' ? null : await sharp(bytes, { limitInputPixels: false }).metadata();
    if (metadata && format === 'png') metadata.pages = pngFrames(bytes);
    const { width, height } = metadata?.autoOrient ?? bmpSize(bytes);
    checkSides(place, width, height);
    return { format, width, height, pages: metadata?.pages ?? 1, metadata };
  } catch (error) {
    throw asImageError(place, error);
  }
}

/**
 * Reads the header of content and makes it ready to be decoded.
 * @param place what errors name; of a DICOM file, also the frame that is opened
 * @param window how DICOM values become grey
 * @throws as decodeImage
 */
export async function openImage(
  content: Content,
  place: Place,
  window: Window = 'file',
): Promise<Source> {
  const { metadata, ...info } = await readHeader(content, place);
  if (content.kind === 'pixels') return { ...info, ...openPixels(content) };
  try {
    if (info.format === 'dicom') {
      return { ...info, ...openPixels(await dicomBitmap(content.bytes, place, window)) };
    }
    if (metadata === null) return { ...info, ...openPixels(decodeBmp(content.bytes)) };
    return { ...info, ...openWithSharp(content.bytes, metadata) };
  } catch (error) {
    throw asImageError(place, error);
  }
}

type Opened = Omit<Source, keyof ImageInfo>;

function openPixels({ data, width, height, channels }: Bitmap): Opened {
  return {
    image: sharp(data, { raw: { width, height, channels } }),
    grey: channels === 1,
    alpha: channels === 4,
    deep: false,
    lost: [],
  };
}

function openWithSharp(bytes: Buffer, metadata: Metadata): Opened {
  const { space, depth, hasAlpha } = metadata;
  if (depth !== 'uchar' && depth !== 'ushort') {
    throw new Error(`pixels of type ${depth}; only 8 and 16 bits per channel have a known range`);
  }
  const image = sharp(bytes, {
    failOn: 'warning',
    limitInputPixels: MAX_PIXELS,
    autoOrient: true,
    ignoreIcc: space !== 'cmyk',
  });
  const grey = space === 'b-w' || space === 'grey16';
  const deep = depth === 'ushort' && space !== 'cmyk';
  return { image, grey, alpha: hasAlpha, deep, lost: lostOf(metadata) };
}

function lostOf({ space, orientation = 1, icc, pages = 1 }: Metadata): string[] {
  const lost: string[] = [];
  if (space === 'cmyk') lost.push('CMYK (converted to 8-bit sRGB)');
  else if (icc) lost.push('embedded colour profile (values kept as stored)');
  if (orientation > 1) lost.push(`EXIF orientation ${orientation} (written upright)`);
  if (pages > 1) lost.push(`${pages - 1} further frames or pages`);
  return lost;
}

async function pixels(place: Place, image: Sharp, channels: 1 | 3): Promise<RawValues> {
  return rawValues(place, image.toColourspace(channels === 1 ? 'b-w' : 'srgb').raw(), channels);
}

interface RawValues {
  /** The whole of its buffer. */
  data: Uint8Array<ArrayBuffer>;
  width: number;
  height: number;
}

async function rawValues(place: Place, image: Sharp, channels: 1 | 3 | 4): Promise<RawValues> {
  try {
    const { data, info } = await image.toBuffer({ resolveWithObject: true });
    if (info.channels !== channels) throw new Error(`decoded to ${info.channels} channels`);
    return { data: new Uint8Array(data), width: info.width, height: info.height };
  } catch (error) {
    throw asImageError(place, error);
  }
}

/** What libvips says where it has nothing to say. */
const TREATED = 'Warning treated as error due to failOn setting';

function asImageError(place: Place, error: unknown): CarryoverError {
  if (error instanceof CarryoverError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const lines = new Set(reason.split('\n').map((line) => line.trim()));
  const line = [...lines].join(' ').replace(TREATED, '').trim().replace(/:$/, '');
  return imageError(
    place,
    `cannot be decoded: ${line || 'its data are cut off or damaged'}`,
    error,
  );
}
