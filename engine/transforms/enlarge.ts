import type { Recipe } from '../../contract/study.ts';
import type { ImageSize } from './shuffle.ts';
import { rgbOf } from './colour.ts';
import { enlargeBicubic, resampleBilinear } from './resample.ts';

/** How images are brought to one size; bilinear, and DICOM by its own window, where nothing is said. */
export type Resizing = Pick<Recipe, 'resize' | 'background'> &
  Partial<Pick<Recipe, 'interpolation' | 'window'>>;

/** Whether a resize mode has to enlarge an image of these sides, in either direction. */
export function enlarges(mode: Recipe['resize'], { width, height }: ImageSize, size: number) {
  const deciding = mode === 'fit' ? Math.max(width, height) : Math.min(width, height);
  return deciding < size;
}

/**
 * An RGB image resized to size x size by interpolation. libvips does the shrinking; it does not do
 * this, because it enlarges off centre by half a pixel, and blurs along the other side where only
 * one is enlarged.
 *
 * @param data width * height * 3 values, interleaved
 * @param background #rrggbb, for 'fit'
 */
export function enlarge(
  data: Uint8Array,
  { width, height }: ImageSize,
  { resize, background, interpolation }: Resizing,
  size: number,
): Uint8Array {
  const resample = interpolation === 'bicubic' ? enlargeBicubic : resampleBilinear;
  if (resize === 'fit') {
    const scale = size / Math.max(width, height);
    const inner = {
      width: Math.max(1, Math.round(width * scale)),
      height: Math.max(1, Math.round(height * scale)),
    };
    const whole = { left: 0, top: 0, width, height };
    return pad(resample(data, width, whole, 3, inner.width, inner.height), inner, {
      background,
      size,
    });
  }
  const side = Math.min(width, height);
  const box =
    resize === 'stretch'
      ? { left: 0, top: 0, width, height }
      : {
          left: Math.floor((width - side) / 2),
          top: Math.floor((height - side) / 2),
          width: side,
          height: side,
        };
  return resample(data, width, box, 3, size, size);
}

function pad(
  data: Uint8Array,
  { width, height }: ImageSize,
  { background, size }: { background: string; size: number },
): Uint8Array {
  const colour = rgbOf(background);
  const target = Uint8Array.from({ length: size * size * 3 }, (_, i) => colour[i % 3]!);
  const left = Math.floor((size - width) / 2);
  const top = Math.floor((size - height) / 2);
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width * 3, (y + 1) * width * 3);
    target.set(row, ((top + y) * size + left) * 3);
  }
  return target;
}
