/** Pixels of what layers see: all are [row, column, channel] of 0..255. */
import type { Recipe } from '../../../contract/study.ts';
import { perChannel } from '../../transforms/augment.ts';
import type { Channels } from '../../transforms/colour.ts';
import { lumaOf } from '../../transforms/colour.ts';
import { resampleBilinear } from '../../transforms/resample.ts';

export interface Picture {
  pixels: Uint8Array;
  width: number;
  height: number;
  channels: Channels;
}

/** matplotlib's viridis at nine equal steps; between them colours are interpolated. */
const VIRIDIS = [
  [68, 1, 84],
  [71, 45, 123],
  [59, 82, 139],
  [44, 114, 142],
  [33, 145, 140],
  [40, 174, 128],
  [94, 201, 98],
  [173, 220, 48],
  [253, 231, 37],
] as const;

/** A colour of the map, red, green and blue. @param share in [0, 1] */
export function viridis(share: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, share)) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
  const [a, b] = [VIRIDIS[low]!, VIRIDIS[low + 1]!];
  const between = (c: 0 | 1 | 2) => Math.round(a[c] + (b[c] - a[c]) * (at - low));
  return [between(0), between(1), between(2)];
}

/** Least and largest normalised value that a pixel can have, by channel. */
export function boundsOf(recipe: Recipe, channels: Channels): [number, number][] {
  const deviations = perChannel(recipe.std, channels);
  return perChannel(recipe.mean, channels).map((mean, c) => [
    -mean / deviations[c]!,
    (1 - mean) / deviations[c]!,
  ]);
}

/** An image as the network was given it, with the recipe's normalisation undone. */
export function imagePicture(
  normalised: Float32Array,
  side: number,
  channels: Channels,
  recipe: Recipe,
): Picture {
  const bounds = boundsOf(recipe, channels);
  return square(side, channels, (channel, at) => {
    const [black, white] = bounds[channel]!;
    return (normalised[channel * side * side + at]! - black) / (white - black);
  });
}

/** A signed signal [channel, row, column] around grey, its largest magnitude black or white. */
export function signalPicture(signal: Float32Array, side: number, channels: Channels): Picture {
  const scale = 2 * largest(signal) || 1;
  const plane = side * side;
  return square(side, channels, (channel, at) => 0.5 + signal[channel * plane + at]! / scale);
}

function largest(values: Float32Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

function square(
  side: number,
  channels: Channels,
  shareOf: (channel: number, at: number) => number,
): Picture {
  const pixels = new Uint8Array(side * side * channels);
  for (let at = 0; at < side * side; at++) {
    for (let channel = 0; channel < channels; channel++) {
      const share = Math.min(1, Math.max(0, shareOf(channel, at)));
      pixels[at * channels + channel] = Math.round(255 * share);
    }
  }
  return { pixels, width: side, height: side, channels };
}

/**
 * The image in grey, half and half with a map in colours: 0 dark violet, the map's own largest
 * value yellow, enlarged bilinearly. A map of zeros is violet all over.
 * @param map [row, column], not negative
 * @param mapSide of the square map
 */
export function overlayPicture(image: Picture, map: Float32Array, mapSide: number): Picture {
  const most = largest(map) || 1;
  const { width, height } = image;
  const bytes = Uint8Array.from(map, (value) => Math.round((255 * value) / most));
  const box = { left: 0, top: 0, width: mapSide, height: mapSide };
  const large = resampleBilinear(bytes, mapSide, box, 1, width, height);
  const pixels = new Uint8Array(3 * width * height);
  large.forEach((value, at) => {
    const grey = greyOf(image, at);
    viridis(value / 255).forEach((colour, c) => {
      pixels[3 * at + c] = Math.round((grey + colour) / 2);
    });
  });
  return { pixels, width, height, channels: 3 };
}

function greyOf({ pixels, channels }: Picture, at: number): number {
  if (channels === 1) return pixels[at]!;
  const [red, green, blue] = pixels.subarray(3 * at, 3 * at + 3);
  return lumaOf(red!, green!, blue!);
}

/** Filters [filter, channel, row, column] side by side on white, each around grey by its own scale. */
export function filtersPicture(
  filters: Float32Array,
  count: number,
  side: number,
  channels: Channels,
): Picture {
  const perRow = Math.ceil(Math.sqrt(count));
  const step = side + 1;
  const width = perRow * step + 1;
  const height = Math.ceil(count / perRow) * step + 1;
  const pixels = new Uint8Array(width * height * channels).fill(255);
  const size = channels * side * side;
  for (let filter = 0; filter < count; filter++) {
    const own = filters.subarray(filter * size, (filter + 1) * size);
    const { pixels: drawn } = signalPicture(own, side, channels);
    const [top, left] = [Math.floor(filter / perRow) * step + 1, (filter % perRow) * step + 1];
    for (let row = 0; row < side; row++) {
      const line = drawn.subarray(row * side * channels, (row + 1) * side * channels);
      pixels.set(line, ((top + row) * width + left) * channels);
    }
  }
  return { pixels, width, height, channels };
}

/** Every pixel as a square of `factor` x `factor`. */
export function enlarged({ pixels, width, height, channels }: Picture, factor: number): Picture {
  const large = new Uint8Array(pixels.length * factor * factor);
  for (let y = 0; y < height * factor; y++) {
    for (let x = 0; x < width * factor; x++) {
      const from = (Math.floor(y / factor) * width + Math.floor(x / factor)) * channels;
      const to = (y * width * factor + x) * channels;
      large.set(pixels.subarray(from, from + channels), to);
    }
  }
  return { pixels: large, width: width * factor, height: height * factor, channels };
}
