/** A rectangle of pixels in an image. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/**
 * Resamples a box of an interleaved image by bilinear interpolation with half-pixel centres
 * (PyTorch's `interpolate(mode='bilinear', align_corners=False)`, no antialiasing), rounding to
 * the nearest integer. Meant for enlarging and for slight shrinking.
 *
 * @param source rows of sourceWidth pixels with `channels` values each
 * @returns height * width * channels values
 */
export function resampleBilinear(
  source: Uint8Array,
  sourceWidth: number,
  box: Box,
  channels: number,
  width: number,
  height: number,
): Uint8Array {
  const rows = axis(box.top, box.height, height, sourceWidth * channels);
  const columns = axis(box.left, box.width, width, channels);
  const target = new Uint8Array(width * height * channels);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const upper = rows.low[y]!;
    const lower = rows.high[y]!;
    const fy = rows.fraction[y]!;
    for (let x = 0; x < width; x++) {
      const left = columns.low[x]!;
      const right = columns.high[x]!;
      const fx = columns.fraction[x]!;
      for (let c = 0; c < channels; c++) {
        const a = source[upper + left + c]!;
        const d = source[lower + left + c]!;
        const above = a + (source[upper + right + c]! - a) * fx;
        const below = d + (source[lower + right + c]! - d) * fx;
        target[to++] = above + (below - above) * fy + 0.5;
      }
    }
  }
  return target;
}

/**
 * For each output position along one side: where its two source positions begin (`stride` values
 * each) and the second's weight.
 */
function axis(start: number, length: number, count: number, stride: number) {
  const low = new Int32Array(count);
  const high = new Int32Array(count);
  const fraction = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const at = Math.max(0, ((i + 0.5) * length) / count - 0.5);
    const first = Math.min(Math.floor(at), length - 1);
    low[i] = (start + first) * stride;
    high[i] = (start + Math.min(first + 1, length - 1)) * stride;
    fraction[i] = at - first;
  }
  return { low, high, fraction };
}

/** Keys's a of PIL and libvips (Catmull-Rom). */
const CUBIC = -0.5;

/**
 * Enlarges a box of an interleaved image by bicubic interpolation as PIL does: half-pixel centres,
 * at the border the weights of what is there scaled to 1, bytes between columns and rows. Parameters as resampleBilinear.
 */
export function enlargeBicubic(
  source: Uint8Array,
  sourceWidth: number,
  box: Box,
  channels: number,
  width: number,
  height: number,
): Uint8Array {
  const across = cubicTaps(box.width, width);
  const down = cubicTaps(box.height, height);
  const length = width * channels;
  const rows = new Uint8ClampedArray(box.height * length);
  for (let y = 0; y < box.height; y++) {
    const start = ((box.top + y) * sourceWidth + box.left) * channels;
    for (let i = 0; i < length; i++) {
      const from = start + (i % channels);
      let sum = 0;
      for (const { at, weight } of across[Math.floor(i / channels)]!) {
        sum += weight * source[from + at * channels]!;
      }
      rows[y * length + i] = sum;
    }
  }
  const target = new Uint8ClampedArray(height * length);
  down.forEach((taps, y) => {
    for (let i = 0; i < length; i++) {
      target[y * length + i] = taps.reduce(
        (sum, { at, weight }) => sum + weight * rows[at * length + i]!,
        0,
      );
    }
  });
  return new Uint8Array(target.buffer);
}

/** For each output position along one side: the source positions and their weights. */
function cubicTaps(length: number, count: number): { at: number; weight: number }[][] {
  return Array.from({ length: count }, (_, i) => {
    const centre = ((i + 0.5) * length) / count - 0.5;
    const first = Math.floor(centre) - 1;
    const taps = [0, 1, 2, 3]
      .map((k) => ({ at: first + k, weight: cubic(Math.abs(centre - first - k)) }))
      .filter(({ at }) => at >= 0 && at < length);
    const total = taps.reduce((sum, { weight }) => sum + weight, 0);
    return taps.map(({ at, weight }) => ({ at, weight: weight / total }));
  });
}

function cubic(x: number): number {
  if (x < 1) return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * CUBIC;
  return 0;
}
