import { CarryoverError } from '../../contract/errors.ts';
import type { Recipe } from '../../contract/study.ts';
import type { RandomState } from '../random/random-state.ts';
import { rgbOf } from './colour.ts';
import type { Box } from './resample.ts';
import { resampleBilinear } from './resample.ts';

const CHANNELS = 3;
const CROP_TRIES = 10;

/** The recipe's numbers in the form that the inner loop wants; made once per recipe object. */
interface Prepared {
  /** Normalised value of each byte, 256 per channel. */
  table: Float32Array;
  /** Normalised background per channel. */
  background: number[];
}

const preparedRecipes = new WeakMap<Recipe, Prepared>();

/**
 * The side at which decoded images are kept for a recipe: the model's own side, or 8/7 of it
 * (256 for 224) where random resized crops need something to crop from.
 */
export function storedSize(recipe: Recipe, size: number): number {
  return cropSettings(recipe) === undefined ? size : Math.ceil((size * 8) / 7);
}

/**
 * Writes one training image: augmented as the recipe says, then normalised, (v/255 - mean) / std.
 * Draws from `rng` in this order, only for what is on: random resized crop (per try: area, log
 * ratio, top, left), shift (dx, dy), flip.
 *
 * - random-resized-crop: as torchvision's RandomResizedCrop (10 tries, then a centre crop),
 *   bilinear with half-pixel centres, no antialiasing, rounded to bytes;
 * - shift: the whole image by whole dx and dy in [-shift, shift], background where nothing is;
 * - flip: left-right with probability 1/2.
 *
 * @param source stored * stored * 3 bytes, RGB interleaved, as decodeImage gives them
 * @param target receives 3 * size * size values (channel, row, column) from `offset`
 */
export function augmentInto(
  source: Uint8Array,
  stored: number,
  recipe: Recipe,
  rng: RandomState,
  size: number,
  target: Float32Array,
  offset: number,
): void {
  const { augment } = recipe;
  if (augment === 'none') return evaluationInto(source, stored, recipe, size, target, offset);
  const crop = cropSettings(recipe);
  const pixels =
    crop === undefined
      ? centreCrop(source, stored, size)
      : resampleBilinear(source, stored, drawCrop(stored, crop, rng), CHANNELS, size, size);
  const shift = augment.shift ?? 0;
  const dx = shift === 0 ? 0 : rng.randint(-shift, shift + 1);
  const dy = shift === 0 ? 0 : rng.randint(-shift, shift + 1);
  const flip = augment.flip === true && rng.randomSample() < 0.5;
  writeNormalised(pixels, prepare(recipe), { dx, dy, flip }, size, target, offset);
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
): void {
  const pixels = centreCrop(source, stored, size);
  writeNormalised(pixels, prepare(recipe), { dx: 0, dy: 0, flip: false }, size, target, offset);
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

function centreCrop(source: Uint8Array, stored: number, size: number): Uint8Array {
  if (stored === size) return source;
  const start = Math.floor((stored - size) / 2);
  const target = new Uint8Array(size * size * CHANNELS);
  for (let y = 0; y < size; y++) {
    const from = ((start + y) * stored + start) * CHANNELS;
    target.set(source.subarray(from, from + size * CHANNELS), y * size * CHANNELS);
  }
  return target;
}

function prepare(recipe: Recipe): Prepared {
  const known = preparedRecipes.get(recipe);
  if (known !== undefined) return known;
  const table = new Float32Array(CHANNELS * 256);
  for (let c = 0; c < CHANNELS; c++) {
    const mean = recipe.mean[c]!;
    const std = recipe.std[c]!;
    if (!(std > 0)) {
      throw new CarryoverError('bad-input', `recipe.std has ${std}; it must be above 0`, {
        value: String(std),
        wayOut: 'give three numbers above 0',
      });
    }
    for (let v = 0; v < 256; v++) table[c * 256 + v] = (v / 255 - mean) / std;
  }
  const background = rgbOf(recipe.background).map((v, c) => table[c * 256 + v]!);
  const prepared = { table, background };
  preparedRecipes.set(recipe, prepared);
  return prepared;
}

function writeNormalised(
  source: Uint8Array,
  { table, background }: Prepared,
  move: { dx: number; dy: number; flip: boolean },
  size: number,
  target: Float32Array,
  offset: number,
): void {
  const { dx, dy, flip } = move;
  const firstX = flip ? size - 1 - dx : -dx;
  const stepX = flip ? -1 : 1;
  let to = offset;
  for (let c = 0; c < CHANNELS; c++) {
    const base = c * 256;
    const empty = background[c]!;
    for (let y = 0; y < size; y++) {
      const fromY = y - dy;
      if (fromY < 0 || fromY >= size) {
        target.fill(empty, to, to + size);
        to += size;
        continue;
      }
      const row = fromY * size;
      for (let x = 0, fromX = firstX; x < size; x++, fromX += stepX) {
        const inside = fromX >= 0 && fromX < size;
        target[to++] = inside ? table[base + source[(row + fromX) * CHANNELS + c]!]! : empty;
      }
    }
  }
}
