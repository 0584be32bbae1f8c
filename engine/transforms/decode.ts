import sharp from 'sharp';
import type { Metadata, Sharp } from 'sharp';
import { CarryoverError } from '../../contract/errors.ts';
import type { Recipe } from '../../contract/study.ts';
import { bmpSize, decodeBmp } from './bmp.ts';
import { enlarge, enlarges } from './enlarge.ts';
import type { ImageFormat } from './formats.ts';
import { checkSides, imageError, MAX_PIXELS, readImageFile, sniffFormat } from './formats.ts';

// A second guard behind sniffFormat: no other decoder of libvips can be reached. SVG stays open
// for the sample builder, which draws its own; files of users never get that far.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Svg'].map(
    (name) => `VipsForeignLoad${name}`,
  ),
});

export interface ImageInfo {
  /** By content, whatever the file is called. */
  format: ImageFormat;
  /** Pixels, after the EXIF orientation. */
  width: number;
  height: number;
  /** Frames or pages; carryover uses the first. */
  pages: number;
}

export interface OwnSizeImage {
  /** Rows from the top, channels interleaved. */
  data: Uint8Array;
  width: number;
  height: number;
  /** 1: the file is grey. */
  channels: 1 | 3;
  /** What of the file is not in `data`, for people: 'transparency (composited on white)'. */
  lost: string[];
}

interface Source {
  /** Pixels, after the EXIF orientation. */
  width: number;
  height: number;
  image: Sharp;
  grey: boolean;
  /** There is an alpha channel; it may still be opaque everywhere. */
  alpha: boolean;
  lost: string[];
}

const LOST = {
  alpha: 'transparency (composited on white)',
  depth: '16-bit depth (scaled to 8 bits)',
  cmyk: 'CMYK (converted to sRGB)',
};

/**
 * Format and size of an image file without decoding its pixels.
 * @throws not-found, io, or bad-input naming the file and the reason: empty, another format, over
 *   100 megapixels or 200 MB, more elongated than 1000:1, a broken header
 */
export async function probeImage(path: string): Promise<ImageInfo> {
  const bytes = await readImageFile(path);
  const { format, width, height, pages } = await readHeader(path, bytes);
  return { format, width, height, pages };
}

/**
 * Decodes an image file to size x size RGB: EXIF orientation applied, transparency composited on
 * the background, 16 bits scaled to 8, grey and CMYK to sRGB, the first frame of an animation.
 * Pixel values are taken as stored (as PIL and torchvision do): an embedded profile counts for
 * CMYK only. Resizing is bilinear, shrinking with antialiasing. The same file gives the same bytes.
 *
 * @returns size * size * 3 values, rows from the top, RGB interleaved
 * @throws as probeImage, and bad-input for truncated or corrupt data
 */
export async function decodeImage(
  path: string,
  recipe: Pick<Recipe, 'resize' | 'background'>,
  size: number,
): Promise<Uint8Array> {
  const source = await openImage(path);
  const { background, resize } = recipe;
  const image = source.image.flatten({ background });
  if (!enlarges(resize, source, size)) {
    const fit = ({ crop: 'cover', fit: 'contain', stretch: 'fill' } as const)[resize];
    image.resize(size, size, { fit, background, kernel: 'linear' });
    return (await pixels(path, image, 3)).data;
  }
  if (resize === 'stretch') {
    const [width, height] = [Math.min(source.width, size), Math.min(source.height, size)];
    image.resize(width, height, { fit: 'fill', kernel: 'linear' });
  }
  const shrunk = await pixels(path, image, 3);
  return enlarge(shrunk.data, shrunk, recipe, size);
}

/**
 * Decodes an image file at its own size, orientation applied; a grey file stays grey.
 * @throws as decodeImage
 */
export async function decodeOwnSize(path: string): Promise<OwnSizeImage> {
  const { image, grey, lost, alpha } = await openImage(path);
  const channels = grey ? 1 : 3;
  if (alpha && !(await isOpaque(path, image))) lost.unshift(LOST.alpha);
  image.flatten({ background: '#ffffff' });
  const { data, width, height } = await pixels(path, image, channels);
  return { data, width, height, channels, lost };
}

/** The header of an image within the limits; `metadata` is null for BMP, which sharp cannot read. */
async function readHeader(
  path: string,
  bytes: Buffer,
): Promise<ImageInfo & { metadata: Metadata | null }> {
  const format = sniffFormat(path, bytes);
  try {
    // No pixel limit here, so that the refusal can name the size.
    const metadata =
      format === 'bmp' ? null : await sharp(bytes, { limitInputPixels: false }).metadata();
    const { width, height } = metadata?.autoOrient ?? bmpSize(bytes);
    checkSides(path, width, height);
    return { format, width, height, pages: metadata?.pages ?? 1, metadata };
  } catch (error) {
    throw asImageError(path, error);
  }
}

async function openImage(path: string): Promise<Source> {
  const bytes = await readImageFile(path);
  const { metadata } = await readHeader(path, bytes);
  try {
    return metadata === null ? openBmp(bytes) : openWithSharp(bytes, metadata);
  } catch (error) {
    throw asImageError(path, error);
  }
}

function openBmp(bytes: Buffer): Source {
  const { data, width, height, channels } = decodeBmp(bytes);
  return {
    width,
    height,
    image: sharp(data, { raw: { width, height, channels } }),
    grey: channels === 1,
    alpha: channels === 4,
    lost: [],
  };
}

function openWithSharp(bytes: Buffer, metadata: Metadata): Source {
  const { space, depth, hasAlpha, pages = 1 } = metadata;
  if (depth !== 'uchar' && depth !== 'ushort') {
    throw new Error(`pixels of type ${depth}; only 8 and 16 bits per channel have a known range`);
  }
  const lost = [];
  if (depth === 'ushort') lost.push(LOST.depth);
  if (space === 'cmyk') lost.push(LOST.cmyk);
  if (pages > 1) lost.push(`${pages - 1} further frames or pages`);
  const image = sharp(bytes, {
    failOn: 'warning',
    limitInputPixels: MAX_PIXELS,
    autoOrient: true,
    ignoreIcc: space !== 'cmyk',
  });
  const grey = space === 'b-w' || space === 'grey16';
  const { width, height } = metadata.autoOrient;
  return { width, height, image, grey, alpha: hasAlpha, lost };
}

async function isOpaque(path: string, image: Sharp): Promise<boolean> {
  try {
    return (await image.stats()).isOpaque;
  } catch (error) {
    throw asImageError(path, error);
  }
}

async function pixels(
  path: string,
  image: Sharp,
  channels: 1 | 3,
): Promise<{ data: Uint8Array; width: number; height: number }> {
  try {
    const { data, info } = await image
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== channels) throw new Error(`decoded to ${info.channels} channels`);
    return { data: new Uint8Array(data), width: info.width, height: info.height };
  } catch (error) {
    throw asImageError(path, error);
  }
}

function asImageError(path: string, error: unknown): CarryoverError {
  if (error instanceof CarryoverError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const lines = new Set(reason.split('\n').map((line) => line.trim()));
  const line = [...lines].join(' ').trim().replace(/:$/, '');
  return imageError(path, `cannot be decoded: ${line}`, error);
}
