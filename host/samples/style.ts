import type { Raster } from './picture.ts';

/** How a picture is drawn, measured on its pixels. */
export interface Measures {
  /** Share of the picture that is not white, 0..1. */
  ink: number;
  /** Share of the ink that has a hue (channels differ by more than 40 of 255), 0..1. */
  colour: number;
  /** Share of the ink inside even areas between white and black that are wider than a stroke, 0..1. */
  tone: number;
  /** The same, of any width. */
  tint: number;
  /** Share of the dark ink left when everything as thin as a stroke is eroded away, 0..1. */
  core: number;
  /** Share of the ink that is dark, 0..1. */
  dark: number;
}

export type Style = 'line' | 'solid' | 'duotone' | 'color';

/** Half widths of the eroding windows, as shares of the picture's side. */
const TONE_RADIUS = 3 / 96;
const CORE_RADIUS = 5 / 96;

/** Measures a drawing on white. */
export function measure({ size, rgb }: Raster): Measures {
  const count = size * size;
  const darkness = new Uint8Array(count);
  let ink = 0;
  let coloured = 0;
  for (let i = 0; i < count; i++) {
    const r = rgb[3 * i] ?? 255;
    const g = rgb[3 * i + 1] ?? 255;
    const b = rgb[3 * i + 2] ?? 255;
    const dark = 255 - (r + g + b) / 3;
    darkness[i] = dark;
    if (dark <= 12) continue;
    ink++;
    if (Math.max(r, g, b) - Math.min(r, g, b) > 40) coloured++;
  }
  const black = darkness.map((value) => (value > 140 ? 1 : 0));
  const dark = black.reduce((sum, value) => sum + value, 0);
  const even = evenGrey(darkness, size);
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  return {
    ink: ink / count,
    colour: share(coloured, ink),
    tone: share(eroded(even, size, Math.round(TONE_RADIUS * size)), ink),
    tint: share(eroded(even, size, 1), ink),
    core: share(eroded(black, size, Math.round(CORE_RADIUS * size)), dark),
    dark: share(dark, ink),
  };
}

/** 1 where the darkness is near white nor near black and the same as to the right and below. */
function evenGrey(darkness: Uint8Array, size: number): Uint8Array {
  return darkness.map((value, i) => {
    const right = darkness[i + 1] ?? 0;
    const below = darkness[i + size] ?? 0;
    const grey = value > 12 && value < 215;
    return grey && Math.abs(value - right) <= 3 && Math.abs(value - below) <= 3 ? 1 : 0;
  });
}

/** How many pixels of a 0/1 mask have a window of half width `radius` around them full of ones. */
function eroded(mask: Uint8Array, size: number, radius: number): number {
  const stride = size + 1;
  const sums = new Int32Array(stride * stride);
  for (let y = 0; y < size; y++) {
    let row = 0;
    for (let x = 0; x < size; x++) {
      row += mask[y * size + x] ?? 0;
      sums[(y + 1) * stride + x + 1] = (sums[y * stride + x + 1] ?? 0) + row;
    }
  }
  const at = (y: number, x: number) => sums[y * stride + x] ?? 0;
  const side = 2 * radius + 1;
  let left = 0;
  for (let y = 0; y + side <= size; y++) {
    for (let x = 0; x + side <= size; x++) {
      const inside = at(y + side, x + side) - at(y, x + side) - at(y + side, x) + at(y, x);
      if (inside === side * side) left++;
    }
  }
  return left;
}

/** Hardly anything is drawn. */
export function isBlank({ ink }: Measures): boolean {
  return ink < 0.01;
}

/**
 * The drawing style that the measures show; null for a blank picture and for those between styles
 * (mere grey, grey strokes).
 */
export function styleOf(measures: Measures): Style | null {
  const { colour, tone, tint, core, dark } = measures;
  if (isBlank(measures)) return null;
  if (colour > 0.1) return 'color';
  if (dark < 0.05) return null;
  if (tone > 0.04) return 'duotone';
  if (tint > 0.02) return null;
  return core > 0.12 ? 'solid' : 'line';
}

const SIGNATURE_SIDE = 16;

/** The picture shrunk to 16 x 16 by box means: RGB, 768 values of 0..255. */
export function signature({ size, rgb }: Raster): Float32Array {
  const sums = new Float32Array(SIGNATURE_SIDE * SIGNATURE_SIDE * 3);
  const counts = new Uint32Array(SIGNATURE_SIDE * SIGNATURE_SIDE);
  const cell = (position: number) => Math.floor((position * SIGNATURE_SIDE) / size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const target = cell(y) * SIGNATURE_SIDE + cell(x);
      counts[target] = (counts[target] ?? 0) + 1;
      for (let c = 0; c < 3; c++) {
        sums[3 * target + c] = (sums[3 * target + c] ?? 0) + (rgb[3 * (y * size + x) + c] ?? 0);
      }
    }
  }
  return sums.map((sum, i) => sum / (counts[Math.floor(i / 3)] || 1));
}

/** Pictures whose signatures differ by less than this (root mean square) count as one drawing. */
const NEAR = 14;

/** The items without those that nearly repeat an earlier one, in their order. */
export function dropNearDoubles<T extends { signature: Float32Array }>(items: readonly T[]): T[] {
  const kept: T[] = [];
  for (const item of items) {
    if (!kept.some((other) => areNear(item.signature, other.signature))) kept.push(item);
  }
  return kept;
}

function areNear(a: Float32Array, b: Float32Array): boolean {
  const limit = NEAR * NEAR * a.length;
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    sum += difference * difference;
    if (sum >= limit) return false;
  }
  return true;
}
