/**
 * Convolution of small images with all images of the batch side by side, zeros between them, as one
 * wide image. The kernel computes several columns with each filter weight it reads, and small images
 * have few columns: 1.1 to 1.7 times as fast from 16 pixels down (docs/measurements.md).
 */
import type { Emitter } from '../emitter.ts';
import { int, ints } from '../emitter.ts';
import type { Convolving } from './operator.ts';
import { convolve } from './operator.ts';
import type { Four } from './values.ts';

/** Images of more pixels are convolved one by one. */
const MOST_PIXELS = 16;

/** With the same stride along both axes. */
type Uniform = Convolving & { stride: number };

/** Whether images of shape x, convolved so, are better off side by side. */
export function fitsSideBySide(
  [batch, , height, width]: Four,
  { window, stride, groups, pads }: Uniform,
): boolean {
  const small = batch > 1 && height * width <= MOST_PIXELS;
  const [, columns = 1] = window;
  return small && groups === 1 && columns > 1 && (pads[1] ?? 0) + stride <= columns;
}

/**
 * relu(convolution + sum).
 * @param inputs blocked images, filter, bias ('' for none), sum ('' for none)
 * @param y shape of the result
 */
export function convolveSideBySide(
  e: Emitter,
  inputs: readonly [string, string, string, string],
  x: Four,
  y: Four,
  how: Uniform,
): string {
  const [images, filter, bias, sum] = inputs;
  const [top, before, bottom, after] = how.pads as Four;
  const { stride } = how;
  // Images begin where a window begins.
  const pitch = stride * Math.ceil((x[3] + Math.max(before, after)) / stride);
  const wide = convolve(e, [lay(e, images, x, pitch - x[3]), filter, bias], {
    ...how,
    // As many columns come out as went in, or every nth of them.
    pads: [top, before, bottom, (how.window[1] ?? 1) - stride - before],
    relu: how.relu && sum === '',
  });
  const apart = takeApart(e, wide, y, pitch / stride);
  if (sum === '') return apart;
  const added = e.node('Add', [apart, sum]);
  return how.relu ? e.node('Relu', [added]) : added;
}

/** [batch, channel / B, row, column B] to [channel / B, row, batch, column B and a gap of zeros]. */
function lay(e: Emitter, images: string, [batch, channels, height, width]: Four, gap: number) {
  const blocks = channels / e.block;
  const lines = e.node('Reshape', [images, e.integers(batch, blocks, height, width * e.block)]);
  const rows = e.node('Transpose', [lines], { perm: ints(1, 2, 0, 3) });
  const shape = [blocks, height, batch, gap * e.block];
  const zeros = e.floats(new Float32Array(shape.reduce((a, b) => a * b)), shape);
  const spaced = gap === 0 ? rows : e.node('Concat', [rows, zeros], { axis: int(3) });
  return e.node('Reshape', [spaced, e.integers(1, channels, height, batch * (width + gap))]);
}

/** The images out of the wide result, `pitch` columns apart; what lies in the gaps is dropped. */
function takeApart(e: Emitter, wide: string, y: Four, pitch: number): string {
  const { block } = e;
  const [batch, filters, height, width] = y;
  const shape = e.integers(filters / block, height, batch, pitch * block);
  const rows = e.node('Reshape', [wide, shape]);
  const ends = [e.integers(0), e.integers(width * block), e.integers(3)];
  const kept = pitch === width ? rows : e.node('Slice', [rows, ...ends]);
  const images = e.node('Transpose', [kept], { perm: ints(2, 0, 1, 3) });
  return e.node('Reshape', [images, e.integers(...y)]);
}
