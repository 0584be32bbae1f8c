/** From stored values to grey: the modality's transform and the window (PS3.3 C.11.1, C.11.2). */
import type { DataSet } from 'dicom-parser';
import { countOf, decimalsOf, itemOf, numberOf, textOf, wordsOf } from './elements.ts';
import type { Samples } from './frames.ts';
import type { Header } from './header.ts';

export type WindowChoice = 'file' | 'percentile' | 'full';

/** A window of values that is spread over the greys. */
interface Window {
  centre: number;
  width: number;
  shape: 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';
}

/** A table of values: of `first` and below, the next, and so on. */
interface Table {
  first: number;
  values: Uint16Array;
  /** Largest value that its entries may have. */
  top: number;
}

const PER_FRAME = 'x52009230';
const SHARED = 'x52009229';
const PERCENTILES = [0.01, 0.99] as const;

/** The data set that holds `tag` for a frame: the frame's, the one of all frames, or the file's own. */
function holderOf(
  dataset: DataSet,
  { frame, group, tag }: { frame: number; group: string; tag: string },
): DataSet {
  const items = [itemOf(dataset, PER_FRAME, frame), itemOf(dataset, SHARED)];
  const groups = items.map((item) => (item === null ? null : itemOf(item, group)));
  return groups.find((holder) => holder !== null && tag in holder.elements) ?? dataset;
}

/**
 * Values after the Modality LUT or the rescale slope and intercept (Hounsfield units, ...), of the
 * frame's own functional groups where it has any.
 */
export function rescaled(
  dataset: DataSet,
  samples: Samples,
  { header, frame }: { header: Header; frame: number },
): Float32Array {
  const table = tableOf(itemOf(dataset, 'x00283000'), header.signed);
  if (table !== null) return Float32Array.from(samples, (value) => lookUp(table, value));
  const holder = holderOf(dataset, { frame, group: 'x00289145', tag: 'x00281053' });
  const slope = decimalsOf(holder, 'x00281053')[0] ?? 1;
  const intercept = decimalsOf(holder, 'x00281052')[0] ?? 0;
  const values = new Float32Array(samples.length);
  for (let index = 0; index < values.length; index++) {
    values[index] = (samples[index] ?? 0) * slope + intercept;
  }
  return values;
}

function tableOf(item: DataSet | null, signed: boolean): Table | null {
  if (item === null) return null;
  const [entries, start, bits] = wordsOf(item, 'x00283002');
  const values = wordsOf(item, 'x00283006');
  if (entries === undefined || start === undefined || values.length === 0) return null;
  const first = numberOf(item, 'x00283002', start, signed);
  return { first, values: values.subarray(0, entries || 65536), top: 2 ** (bits ?? 16) - 1 };
}

function lookUp({ first, values }: Table, value: number): number {
  const index = Math.min(Math.max(Math.round(value) - first, 0), values.length - 1);
  return values[index] ?? 0;
}

/** 8-bit grey, before a MONOCHROME1 image is turned round. `stored` tells padding from pixels. */
export function windowed(
  dataset: DataSet,
  values: Float32Array,
  { frame, choice, stored }: { frame: number; choice: WindowChoice; stored: Samples },
): Uint8Array {
  if (choice === 'file') {
    const window = windowOf(dataset, frame);
    if (window !== null) return through(values, greyIn(window));
    const table = tableOf(
      itemOf(dataset, 'x00283010'),
      values.some((value) => value < 0),
    );
    if (table !== null) {
      return through(values, (value) => (255 * lookUp(table, value)) / table.top);
    }
  }
  const [low, high] = limitsOf(pixelsOf(dataset, values, stored), choice);
  if (high <= low) return new Uint8Array(values.length);
  return through(values, (value) => (255 * (value - low)) / (high - low));
}

function through(values: Float32Array, grey: (value: number) => number): Uint8Array {
  const greys = new Uint8ClampedArray(values.length);
  for (let index = 0; index < values.length; index++) greys[index] = grey(values[index] ?? 0);
  return new Uint8Array(greys.buffer);
}

/** The first window of a frame; null: none, or one that no image can be seen through. */
function windowOf(dataset: DataSet, frame: number): Window | null {
  const holder = holderOf(dataset, { frame, group: 'x00289132', tag: 'x00281050' });
  const centre = decimalsOf(holder, 'x00281050')[0];
  const width = decimalsOf(holder, 'x00281051')[0];
  const stated = textOf(holder, 'x00281056');
  const shape = stated === 'LINEAR_EXACT' || stated === 'SIGMOID' ? stated : 'LINEAR';
  if (centre === undefined || width === undefined) return null;
  return width < 1 && (shape === 'LINEAR' || width <= 0) ? null : { centre, width, shape };
}

/** Grey (0..255, to be clamped) of a value in a window: PS3.3 C.11.2.1.2.1 and C.11.2.1.3. */
function greyIn({ centre, width, shape }: Window): (value: number) => number {
  if (shape === 'SIGMOID') {
    return (value) => 255 / (1 + Math.exp((-4 * (value - centre)) / width));
  }
  if (shape === 'LINEAR_EXACT') return (value) => 255 * ((value - centre) / width + 0.5);
  // A window of one value is a threshold.
  if (width === 1) return (value) => (value <= centre - 0.5 ? 0 : 255);
  return (value) => 255 * ((value - (centre - 0.5)) / (width - 1) + 0.5);
}

/** Values that are the image's own: not padding (PS3.3 C.7.5.1.1.2), and numbers. */
function pixelsOf(dataset: DataSet, values: Float32Array, stored: Samples): Float32Array {
  const padding = paddingOf(dataset);
  const own = values.filter((value, index) => {
    const sample = stored[index] ?? 0;
    const padded = padding !== null && sample >= padding[0] && sample <= padding[1];
    return Number.isFinite(value) && !padded;
  });
  // An image of nothing but padding is shown as it is.
  return own.length > 0 ? own : values.filter(Number.isFinite);
}

function paddingOf(dataset: DataSet): [number, number] | null {
  const signed = countOf(dataset, 'x00280103') === 1;
  const read = (tag: string): number | null => {
    const value = countOf(dataset, tag);
    return value === null ? null : numberOf(dataset, tag, value, signed);
  };
  const value = read('x00280120');
  if (value === null) return null;
  const other = read('x00280121') ?? value;
  return value < other ? [value, other] : [other, value];
}

/** What becomes black and what white. The percentiles are of the nearest rank. */
function limitsOf(pixels: Float32Array, choice: WindowChoice): [number, number] {
  const sorted = pixels.sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return choice === 'full' ? [at(0), at(1)] : [at(PERCENTILES[0]), at(PERCENTILES[1])];
}
