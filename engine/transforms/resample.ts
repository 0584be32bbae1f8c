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
  const rows = axis(box.top, box.height, height);
  const columns = axis(box.left, box.width, width);
  const target = new Uint8Array(width * height * channels);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const upper = rows.low[y]! * sourceWidth;
    const lower = rows.high[y]! * sourceWidth;
    const fy = rows.fraction[y]!;
    for (let x = 0; x < width; x++) {
      const left = columns.low[x]!;
      const right = columns.high[x]!;
      const fx = columns.fraction[x]!;
      for (let c = 0; c < channels; c++) {
        const a = source[(upper + left) * channels + c]!;
        const b = source[(upper + right) * channels + c]!;
        const d = source[(lower + left) * channels + c]!;
        const e = source[(lower + right) * channels + c]!;
        const above = a + (b - a) * fx;
        target[to++] = above + (d + (e - d) * fx - above) * fy + 0.5;
      }
    }
  }
  return target;
}

/** For each output position along one side: its two source positions and the second's weight. */
function axis(start: number, length: number, count: number) {
  const low = new Int32Array(count);
  const high = new Int32Array(count);
  const fraction = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const at = Math.max(0, ((i + 0.5) * length) / count - 0.5);
    const first = Math.min(Math.floor(at), length - 1);
    low[i] = start + first;
    high[i] = start + Math.min(first + 1, length - 1);
    fraction[i] = at - first;
  }
  return { low, high, fraction };
}
