import { CarryoverError } from '../../contract/errors.ts';
import type { Recipe } from '../../contract/study.ts';
import type { RandomState } from '../random/random-state.ts';
import type { Channels } from './colour.ts';
import { colourIn } from './colour.ts';
import type { Box } from './resample.ts';
import { resampleBilinear } from './resample.ts';

const CROP_TRIES = 10;

/** The recipe's numbers in the form that the inner loop wants; made once per recipe object. */
interface Prepared {
  /** Normalised value of each byte, 256 per channel. */
  table: Float32Array;
  /** Normalised background per channel. */
  background: number[];
}

const preparedRecipes = { 1: new WeakMap<Recipe, Prepared>(), 3: new WeakMap<Recipe, Prepared>() };

/**
 * The side at which decoded images are kept for a recipe: the model's own side, or 8/7 of it
 * (256 for 224) where random resized crops need something to crop from.
 */
export function storedSize(recipe: Recipe, size: number): number {
  return cropSettings(recipe) === undefined ? size : Math.ceil((size * 8) / 7);
}

/**
 * Writes one training image: augmented as the recipe says, then normalised, (v/255 - mean) / std;
 * for one channel mean and std are the averages of the recipe's three.
 * Draws from `rng` in this order, only for what is on: random resized crop (per try: area, log
 * ratio, top, left), shift (dx, dy), flip.
 *
 * - random-resized-crop: as torchvision's RandomResizedCrop (10 tries, then a centre crop),
 *   bilinear with half-pixel centres, no antialiasing, rounded to bytes;
 * - shift: the whole image by whole dx and dy in [-shift, shift], background where nothing is;
 * - flip: left-right with probability 1/2.
 *
 * @param source stored * stored * channels bytes, interleaved, as decodeImage gives them
 * @param target receives channels * size * size values (channel, row, column) from `offset`
 */
export function augmentInto(
  source: Uint8Array,
  stored: number,
  recipe: Recipe,
  rng: RandomState,
  size: number,
  target: Float32Array,
  offset: number,
  channels: Channels = 3,
): void {
  const { augment } = recipe;
  if (augment === 'none') {
    return evaluationInto(source, stored, recipe, size, target, offset, channels);
  }
  const crop = cropSettings(recipe);
  const pixels =
    crop === undefined
      ? centreCrop(source, stored, size, channels)
      : resampleBilinear(source, stored, drawCrop(stored, crop, rng), channels, size, size);
  const shift = augment.shift ?? 0;
  const dx = shift === 0 ? 0 : rng.randint(-shift, shift + 1);
  const dy = shift === 0 ? 0 : rng.randint(-shift, shift + 1);
  const flip = augment.flip === true && rng.randomSample() < 0.5;
  writeNormalised(pixels, prepare(recipe, channels), { dx, dy, flip }, size, target, offset);
}

/**
 * Writes one image for evaluation: the centre size x size of the stored image, normalised.
 * Parameters as augmentInto.
 */
export function evaluationInto(
  source: Uint8Array,
  stored: number,
  recipe: Recipe,
  size: number,
  target: Float32Array,
  offset: number,
  channels: Channels = 3,
): void {
  const pixels = centreCrop(source, stored, size, channels);
  writeNormalised(pixels, prepare(recipe, channels), UNMOVED, size, target, offset);
}

type CropSettings = { scale: [number, number]; ratio: [number, number] };

function cropSettings({ augment }: Recipe): CropSettings | undefined {
  return augment === 'none' ? undefined : augment['random-resized-crop'];
}

/** torchvision's RandomResizedCrop.get_params on a square image. */
function drawCrop(side: number, { scale, ratio }: CropSettings, rng: RandomState): Box {
  for (let tries = 0; tries < CROP_TRIES; tries++) {
    const area = side * side * rng.uniform(...scale);
    const aspect = Math.exp(rng.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const width = Math.round(Math.sqrt(area * aspect));
    const height = Math.round(Math.sqrt(area / aspect));
    if (width < 1 || height < 1 || width > side || height > side) continue;
    const top = rng.randint(0, side - height + 1);
    const left = rng.randint(0, side - width + 1);
    return { left, top, width, height };
  }
  const width = Math.min(side, Math.max(1, Math.round(side * Math.max(...ratio))));
  const height = Math.min(side, Math.max(1, Math.round(side / Math.min(...ratio))));
  const half = (free: number) => Math.floor(free / 2);
  return { left: half(side - width), top: half(side - height), width, height };
}

function centreCrop(
  source: Uint8Array,
  stored: number,
  size: number,
  channels: Channels,
): Uint8Array {
  if (stored === size) return source;
  const start = Math.floor((stored - size) / 2);
  const length = size * channels;
  const target = new Uint8Array(size * length);
  for (let y = 0; y < size; y++) {
    const from = ((start + y) * stored + start) * channels;
    target.set(source.subarray(from, from + length), y * length);
  }
  return target;
}

function prepare(recipe: Recipe, channels: Channels): Prepared {
  const known = preparedRecipes[channels].get(recipe);
  if (known !== undefined) return known;
  const means = perChannel(recipe.mean, channels);
  const table = new Float32Array(channels * 256);
  perChannel(recipe.std, channels).forEach((std, c) => {
    if (!recipe.std.every((each) => each > 0)) throw badDeviation(recipe.std);
    for (let v = 0; v < 256; v++) table[c * 256 + v] = (v / 255 - means[c]!) / std;
  });
  const background = colourIn(recipe.background, channels).map((v, c) => table[c * 256 + v]!);
  const prepared = { table, background };
  preparedRecipes[channels].set(recipe, prepared);
  return prepared;
}

/** What a recipe says of three channels, of as many as the images have. */
export function perChannel(
  [red, green, blue]: [number, number, number],
  channels: Channels,
): number[] {
  return channels === 1 ? [(red + green + blue) / 3] : [red, green, blue];
}

function badDeviation(deviations: readonly number[]): CarryoverError {
  const value = String(deviations.find((each) => !(each > 0)));
  return new CarryoverError('bad-input', `recipe.std has ${value}; it must be above 0`, {
    value,
    wayOut: 'give three numbers above 0',
  });
}

interface Move {
  dx: number;
  dy: number;
  flip: boolean;
}

const UNMOVED: Move = { dx: 0, dy: 0, flip: false };

function writeNormalised(
  source: Uint8Array,
  { table, background }: Prepared,
  { dx, dy, flip }: Move,
  size: number,
  target: Float32Array,
  offset: number,
): void {
  const channels = background.length;
  // Output columns left .. right - 1 show the image, the first of them its column `column`.
  const [left, right] = inside(flip ? -dx : dx, size);
  const column = flip ? size - 1 - dx - left : left - dx;
  const step = flip ? -channels : channels;
  for (let y = 0; y < size; y++) {
    const fromY = y - dy;
    const empty = fromY < 0 || fromY >= size;
    for (let c = 0; c < channels; c++) {
      const start = offset + (c * size + y) * size;
      const [shown, end] = empty ? [start, start] : [start + left, start + right];
      const behind = background[c]!;
      const base = c * 256;
      let to = start;
      let from = (fromY * size + column) * channels + c;
      // A few values each, many times: calling `fill` would take longer than all else here.
      while (to < shown) target[to++] = behind;
      for (; to < end; to++, from += step) target[to] = table[base + source[from]!]!;
      for (const last = start + size; to < last; to++) target[to] = behind;
    }
  }
}

/** First and last (exclusive) of `size` positions that show something when all is moved by `by`. */
function inside(by: number, size: number): [number, number] {
  const first = Math.min(size, Math.max(0, by));
  return [first, Math.max(first, Math.min(size, size + by))];
}
