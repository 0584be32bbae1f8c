import type { ImageInfo, Source } from './decode.ts';
import { openImage, ownSize, resized } from './decode.ts';
import { toGrey } from './colour.ts';
import type { Content } from './content.ts';
import type { Place } from './place.ts';

/** What an import wants to know of an image; every pixel of it was decoded. */
export interface Inspection extends ImageInfo {
  /** Luma of the image brought to 32 x 32 by the mean over areas, for perceptual hashes. */
  luma32: Uint8Array;
  /** Mean of the luma, in [0, 1]. */
  mean: number;
  /** Standard deviation of the luma, of values in [0, 1]. */
  deviation: number;
}

/** Up to this many pixels decoding alone is cheaper than decoding and shrinking, beyond it dearer. */
const SMALL_PIXELS = 1 << 18;
const SHRUNK_SIDE = 256;
const LUMA_SIDE = 32;

/**
 * Proves that an image decodes to its end, and measures it: on all pixels up to 512 x 512 of them,
 * beyond on a version of 256 x 256. Transparency lies on white, DICOM by its own window.
 * @param place what errors name
 * @throws bad-input as decodeImage
 */
export async function inspectContent(content: Content, place: Place): Promise<Inspection> {
  const source = await openImage(content, place);
  const { luma, width, height } = await lumaImage(source, place);
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < luma.length; i++) {
    const value = luma[i]!;
    sum += value;
    squares += value * value;
  }
  const mean = sum / luma.length;
  const variance = Math.max(0, squares / luma.length - mean * mean);
  return {
    format: source.format,
    width: source.width,
    height: source.height,
    pages: source.pages,
    luma32: areaMeans(luma, width, height, LUMA_SIDE),
    mean: mean / 255,
    deviation: Math.sqrt(variance) / 255,
  };
}

interface LumaImage {
  luma: Uint8Array;
  width: number;
  height: number;
}

async function lumaImage(source: Source, place: Place): Promise<LumaImage> {
  const { width, height } = source;
  if (width * height > SMALL_PIXELS) {
    const small = { resize: 'stretch', background: '#ffffff' } as const;
    const luma = await resized(source, place, small, SHRUNK_SIDE, 1);
    return { luma, width: SHRUNK_SIDE, height: SHRUNK_SIDE };
  }
  const { data, channels } = await ownSize(source, place);
  return { luma: channels === 1 ? data : toGrey(data), width, height };
}

/** A grey image as side x side means over equal areas, pixels on a border counted by their share. */
function areaMeans(luma: Uint8Array, width: number, height: number, side: number): Uint8Array {
  const rows = new Float64Array(height * side);
  const { from, to, weight } = sharesOf(width, side);
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < weight.length; i++) {
      rows[y * side + to[i]!]! += weight[i]! * luma[y * width + from[i]!]!;
    }
  }
  const target = new Float64Array(side * side);
  const down = sharesOf(height, side);
  for (let i = 0; i < down.weight.length; i++) {
    const row = down.from[i]! * side;
    const area = down.to[i]! * side;
    const share = down.weight[i]!;
    for (let x = 0; x < side; x++) target[area + x]! += share * rows[row + x]!;
  }
  return Uint8Array.from(target, Math.round);
}

/** Pixel `from[i]` is part of area `to[i]` with `weight[i]`; the weights of an area sum to 1. */
interface Shares {
  from: Uint32Array;
  to: Uint32Array;
  weight: Float64Array;
}

/** The last ones that were asked for: the images of a data set are often of one size. */
const shares = new Map<string, Shares>();
const KEPT_SHARES = 16;

/** How `length` pixels go into `side` areas. */
function sharesOf(length: number, side: number): Shares {
  const key = `${length} ${side}`;
  const made = shares.get(key) ?? makeShares(length, side);
  shares.delete(key);
  shares.set(key, made);
  const [oldest] = shares.keys();
  if (shares.size > KEPT_SHARES && oldest !== undefined) shares.delete(oldest);
  return made;
}

function makeShares(length: number, side: number): Shares {
  const all: [from: number, to: number, weight: number][] = [];
  for (let to = 0; to < side; to++) {
    const [start, end] = [(to * length) / side, ((to + 1) * length) / side];
    for (let from = Math.floor(start); from < end; from++) {
      const part = Math.min(from + 1, end) - Math.max(from, start);
      if (part > 0) all.push([from, to, (part * side) / length]);
    }
  }
  return {
    from: Uint32Array.from(all, ([from]) => from),
    to: Uint32Array.from(all, ([, to]) => to),
    weight: Float64Array.from(all, ([, , weight]) => weight),
  };
}
