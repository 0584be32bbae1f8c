/** Small DICOM files, written by the standard (PS3.5, PS3.10), and comparison with pydicom's figures. */
import { readFileSync } from 'node:fs';
import { dicomFrame, dicomValues, readDicom } from '../../engine/dicom/index.ts';

const EXPLICIT = '1.2.840.10008.1.2.1';
const LONG = new Set(['OB', 'OW', 'OF', 'OD', 'SQ', 'UN', 'UT']);

export type Value = string | number[] | Buffer | Element[][];
/** Group and element, as in `00280010`; the value representation; the value. */
export type Element = [tag: string, vr: string, value: Value];

function content(vr: string, value: Value): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (typeof value === 'string') return Buffer.from(value, 'latin1');
  if (vr === 'SQ') return Buffer.concat((value as Element[][]).map(item));
  const numbers = value as number[];
  const width = vr === 'UL' ? 4 : 2;
  const bytes = Buffer.alloc(width * numbers.length);
  for (const [index, number] of numbers.entries()) {
    if (width === 4) bytes.writeUInt32LE(number, 4 * index);
    else bytes.writeUInt16LE(number & 0xffff, 2 * index);
  }
  return bytes;
}

function tagBytes(tag: string): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16LE(Number.parseInt(tag.slice(0, 4), 16), 0);
  bytes.writeUInt16LE(Number.parseInt(tag.slice(4), 16), 2);
  return bytes;
}

function item(elements: Element[]): Buffer {
  const body = elementsBytes(elements);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([tagBytes('fffee000'), length, body]);
}

function elementBytes([tag, vr, value]: Element): Buffer {
  let body = content(vr, value);
  if (body.length % 2 === 1) {
    const padding = vr === 'UI' || LONG.has(vr) ? '\0' : ' ';
    body = Buffer.concat([body, Buffer.from(padding)]);
  }
  const length = Buffer.alloc(LONG.has(vr) ? 6 : 2);
  if (LONG.has(vr)) length.writeUInt32LE(body.length, 2);
  else length.writeUInt16LE(body.length);
  return Buffer.concat([tagBytes(tag), Buffer.from(vr, 'latin1'), length, body]);
}

export function elementsBytes(elements: readonly Element[]): Buffer {
  const ordered = elements.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.concat(ordered.map(elementBytes));
}

/** A DICOM file in explicit little endian. */
export function dicomFile(elements: readonly Element[], syntax = EXPLICIT): Buffer {
  const meta = elementsBytes([['00020010', 'UI', syntax]]);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), meta, elementsBytes(elements)]);
}

/** A 16-bit grey image of one row; further elements replace those of the same tag. */
export function greyFile(values: readonly number[], more: readonly Element[] = []): Buffer {
  const signed = values.some((value) => value < 0);
  const elements: Element[] = [
    ['00080060', 'CS', 'OT'],
    ['00280002', 'US', [1]],
    ['00280004', 'CS', 'MONOCHROME2'],
    ['00280010', 'US', [1]],
    ['00280011', 'US', [values.length]],
    ['00280100', 'US', [16]],
    ['00280101', 'US', [16]],
    ['00280102', 'US', [15]],
    ['00280103', 'US', [signed ? 1 : 0]],
    ['7fe00010', 'OW', [...values]],
  ];
  const replaced = new Set(more.map(([tag]) => tag));
  return dicomFile([...elements.filter(([tag]) => !replaced.has(tag)), ...more]);
}

/** `file` with its pixels, which are its last element, as one compressed frame. */
export function encapsulated(file: Buffer, frame: Buffer, syntax: string): Buffer {
  const stated = elementsBytes([['00020010', 'UI', EXPLICIT]]);
  const start = file.indexOf(stated) + stated.length;
  const elements = file.subarray(start, file.indexOf(tagBytes('7fe00010'), start));
  const part = (content: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(content.length + (content.length % 2));
    const padding = Buffer.alloc(content.length % 2);
    return Buffer.concat([tagBytes('fffee000'), length, content, padding]);
  };
  const head = Buffer.concat([
    tagBytes('7fe00010'),
    Buffer.from('OB\0\0\xff\xff\xff\xff', 'latin1'),
  ]);
  const end = Buffer.concat([tagBytes('fffee0dd'), Buffer.alloc(4)]);
  const pixels = Buffer.concat([head, part(Buffer.alloc(0)), part(frame), end]);
  return Buffer.concat([dicomFile([], syntax), elements, pixels]);
}

/** A file of this folder's reference files. */
export function reference(name: string): Buffer {
  return readFileSync(new URL(`../reference/dicom/${name}.dcm`, import.meta.url));
}

interface Figures {
  min: number;
  max: number;
  mean: number;
  few: number[];
}

export interface Expected {
  frames: number;
  width: number;
  height: number;
  photometric: string;
  of: Record<string, { values: Figures; window?: Figures }>;
}

const PLACES = [0, 0.21, 0.5, 0.737, 0.999];

/** What pydicom says of files, by where they are from and their path. */
export const PYDICOM = (
  JSON.parse(readFileSync(new URL('../reference/dicom.json', import.meta.url), 'utf8')) as {
    files: Record<string, Expected>;
  }
).files;

export function figures(data: ArrayLike<number>): Figures {
  const values = Array.from(data);
  return {
    min: values.reduce((least, value) => Math.min(least, value), Infinity),
    max: values.reduce((most, value) => Math.max(most, value), -Infinity),
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    few: PLACES.map((place) => values[Math.floor(place * values.length)] ?? NaN),
  };
}

function furthest(a: Figures, b: Figures): number {
  const few = a.few.map((value, index) => Math.abs(value - (b.few[index] ?? NaN)));
  const whole = [a.min - b.min, a.max - b.max, a.mean - b.mean].map(Math.abs);
  return Math.max(...whole, ...few);
}

/** What of a file differs from pydicom's figures; empty where nothing does. */
export async function differences(bytes: Buffer, expected: Expected): Promise<string[]> {
  const { frames, width, height, photometric } = readDicom(bytes);
  const found: string[] = [];
  const header = { frames, width, height, photometric };
  for (const [key, value] of Object.entries(header)) {
    const wanted = expected[key as keyof typeof header];
    if (value !== wanted) found.push(`${key}: ${value}, not ${wanted}`);
  }
  for (const [frame, { values, window }] of Object.entries(expected.of)) {
    const own = figures((await dicomValues(bytes, Number(frame))).data);
    // The reference has seven digits, and the values are single precision.
    const most = 1e-6 * Math.max(Math.abs(values.max), Math.abs(values.min));
    const far = furthest(own, values);
    if (!(far <= most)) found.push(`values of frame ${frame} are off by ${far}`);
    if (window === undefined) continue;
    const picture = figures((await dicomFrame(bytes, Number(frame), 'file')).data);
    const off = furthest(picture, window);
    // The reference is not rounded to whole greys.
    if (!(off <= 0.501)) found.push(`the picture of frame ${frame} is off by ${off}`);
  }
  return found;
}
