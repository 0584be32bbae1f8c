/** From stored samples to RGB (PS3.3 C.7.6.3.1.2, C.7.6.3.1.5, C.7.6.3.1.6). */
import type { DataSet } from 'dicom-parser';
import { bytesOf, numberOf, wordsOf } from './elements.ts';
import type { Frame, Samples } from './frames.ts';
import type { Header } from './header.ts';
import { dicomError } from './parse.ts';

/** Samples in RGB, interleaved, in their own range; colour differences undone. */
export function toRgb(frame: Frame, header: Header): Float32Array {
  const { width, height } = header;
  const samples = frame.halved
    ? doubled(frame.samples, width, height)
    : frame.planar
      ? interleaved(frame.samples, width * height)
      : Float32Array.from(frame.samples);
  return frame.ybr ? fromYbr(samples, 2 ** header.stored) : samples;
}

/** The 8 bits for display of samples of `stored` bits. */
export function toBytes(rgb: Float32Array, stored: number): Uint8Array {
  const scale = 255 / (2 ** stored - 1);
  return new Uint8Array(Uint8ClampedArray.from(rgb, (value) => value * scale).buffer);
}

function interleaved(planes: Samples, pixels: number): Float32Array {
  const samples = new Float32Array(3 * pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      samples[3 * pixel + channel] = planes[channel * pixels + pixel] ?? 0;
    }
  }
  return samples;
}

/** Y Y Cb Cr as Y Cb Cr, Y Cb Cr; a row of odd width ends with half a group. */
function doubled(halved: Samples, width: number, height: number): Float32Array {
  const groups = Math.ceil(width / 2);
  const samples = new Float32Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const group = 4 * (y * groups + (x >> 1));
      const pixel = 3 * (y * width + x);
      samples[pixel] = halved[group + (x & 1)] ?? 0;
      samples[pixel + 1] = halved[group + 2] ?? 0;
      samples[pixel + 2] = halved[group + 3] ?? 0;
    }
  }
  return samples;
}

/** ITU-R BT.601 of the full range, as JPEG has it; `range` is the number of a sample's values. */
function fromYbr(samples: Float32Array, range: number): Float32Array {
  const rgb = new Float32Array(samples.length);
  const clamp = (value: number) => Math.min(Math.max(Math.round(value), 0), range - 1);
  for (let at = 0; at < samples.length; at += 3) {
    const y = samples[at] ?? 0;
    const cb = (samples[at + 1] ?? 0) - range / 2;
    const cr = (samples[at + 2] ?? 0) - range / 2;
    rgb[at] = clamp(y + 1.402 * cr);
    rgb[at + 1] = clamp(y - 0.344136 * cb - 0.714136 * cr);
    rgb[at + 2] = clamp(y + 1.772 * cb);
  }
  return rgb;
}

const PALETTE = ['1', '2', '3'].map((n) => ({ head: `x0028110${n}`, data: `x0028120${n}` }));

/** Colours of a palette's indices, 8 bits each. */
export function fromPalette(dataset: DataSet, samples: Samples, signed: boolean): Uint8Array {
  const channels = PALETTE.map(({ head, data }) => paletteOf(dataset, head, data, signed));
  const rgb = new Uint8Array(3 * samples.length);
  for (let pixel = 0; pixel < samples.length; pixel++) {
    for (const [channel, { first, values }] of channels.entries()) {
      const index = Math.min(Math.max((samples[pixel] ?? 0) - first, 0), values.length - 1);
      rgb[3 * pixel + channel] = values[index] ?? 0;
    }
  }
  return rgb;
}

function paletteOf(
  dataset: DataSet,
  head: string,
  data: string,
  signed: boolean,
): { first: number; values: Uint8Array } {
  const [entries, start] = wordsOf(dataset, head);
  const bytes = bytesOf(dataset, data);
  if (entries === undefined || start === undefined || bytes === null) {
    const segmented = 'x00281221' in dataset.elements;
    throw dicomError(
      segmented ? 'a segmented colour palette is not read' : 'the colour palette is missing',
    );
  }
  const first = numberOf(dataset, head, start, signed);
  const count = entries || 65536;
  // Entries of one byte, or words whose high byte counts, unless only the low one is used.
  if (bytes.length < 2 * count) return { first, values: Uint8Array.from(bytes.subarray(0, count)) };
  const words = wordsOf(dataset, data).subarray(0, count);
  const low = words.every((word) => word < 256);
  return { first, values: Uint8Array.from(words, (word) => (low ? word : word >> 8)) };
}
