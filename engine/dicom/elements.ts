/** Reading single elements: numbers whatever their value representation, text in its character set. */
import type { DataSet, Element } from 'dicom-parser';

/** Labels of the WHATWG encoding standard for the first of a file's character sets (PS3.3 C.12.1.1.2). */
const CHARSETS: Readonly<Record<string, string>> = {
  'ISO_IR 100': 'latin1',
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 148': 'iso-8859-9',
  'ISO_IR 166': 'windows-874',
  'ISO_IR 13': 'shift_jis',
  'ISO_IR 192': 'utf-8',
  GB18030: 'gb18030',
  GBK: 'gbk',
};

/** Where several character sets are switched between by escapes. */
const SWITCHED: [RegExp, string][] = [
  [/IR (87|159)/, 'iso-2022-jp'],
  [/IR 149/, 'euc-kr'],
  [/IR 58/, 'gb18030'],
];

/** The bytes of an element; null: it is absent, empty, or cut off. */
export function bytesOf(dataset: DataSet, tag: string): Uint8Array | null {
  const element = dataset.elements[tag];
  if (element === undefined || element.length === 0) return null;
  return contentOf(dataset, element);
}

function contentOf(dataset: DataSet, { dataOffset, length }: Element): Uint8Array | null {
  const end = dataOffset + length;
  return end > dataset.byteArray.length ? null : dataset.byteArray.subarray(dataOffset, end);
}

/** The text of an element without padding; null: absent or blank. `\` stands between values. */
export function textOf(dataset: DataSet, tag: string): string | null {
  const bytes = bytesOf(dataset, tag);
  if (bytes === null) return null;
  const text = new TextDecoder(charsetOf(dataset)).decode(bytes);
  // Escapes that chose a character set, and padding.
  const plain = text.replaceAll(/\x1b\$?[()]?./g, '').replaceAll('\0', ' '); // eslint-disable-line no-control-regex
  return plain.trim() || null;
}

function charsetOf(dataset: DataSet): string {
  const name = dataset.string('x00080005') ?? '';
  const switched = SWITCHED.find(([pattern]) => pattern.test(name))?.[1];
  const first = name.split('\\')[0]?.trim().replace('ISO 2022 IR', 'ISO_IR') ?? '';
  return switched ?? CHARSETS[first] ?? 'latin1';
}

/** Numbers written as text (DS, IS): those that are numbers. */
export function decimalsOf(dataset: DataSet, tag: string): number[] {
  const values = textOf(dataset, tag)?.split('\\') ?? [];
  return values.map((value) => Number.parseFloat(value)).filter(Number.isFinite);
}

/** An unsigned 16-bit number (US); null: absent. */
export function countOf(dataset: DataSet, tag: string): number | null {
  const element = dataset.elements[tag];
  if (element === undefined || element.length < 2) return null;
  return dataset.uint16(tag) ?? null;
}

/** 16-bit words in the file's own byte order. */
export function wordsOf(dataset: DataSet, tag: string): Uint16Array {
  const bytes = bytesOf(dataset, tag) ?? new Uint8Array(0);
  const parser = dataset.elements[tag]?.parser ?? dataset.byteArrayParser;
  const words = new Uint16Array(Math.floor(bytes.length / 2));
  for (let index = 0; index < words.length; index++) {
    words[index] = parser.readUint16(bytes, 2 * index);
  }
  return words;
}

/** The data set of item `index` of a sequence; null: there is none. */
export function itemOf(dataset: DataSet, tag: string, index = 0): DataSet | null {
  return dataset.elements[tag]?.items?.[index]?.dataSet ?? null;
}

/**
 * A word as the number that it is: signed where the element says so (SS), or where it does not say
 * and `signed` holds.
 */
export function numberOf(dataset: DataSet, tag: string, word: number, signed: boolean): number {
  const vr = dataset.elements[tag]?.vr;
  const isSigned = vr === 'SS' || (vr !== 'US' && signed);
  return isSigned ? (word << 16) >> 16 : word;
}
