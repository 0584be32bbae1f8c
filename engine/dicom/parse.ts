import type * as DicomParser from 'dicom-parser';
import type { DataSet } from 'dicom-parser';
import { createRequire } from 'node:module';
import { inflateRawSync } from 'node:zlib';
import { CarryoverError } from '../../contract/errors.ts';

// A CommonJS bundle whose exports Node cannot see as names.
const require = createRequire(import.meta.url);
const { parseDicom } = require('dicom-parser') as typeof DicomParser;

export const IMPLICIT_LITTLE = '1.2.840.10008.1.2';
export const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1';
export const EXPLICIT_BIG = '1.2.840.10008.1.2.2';
const DEFLATED = '1.2.840.10008.1.2.1.99';

const PREAMBLE = 128;
/** A deflated file may unpack to so many bytes, against bombs. */
const MAX_INFLATED = 512 * 2 ** 20;
const LONG_VRS = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'UC', 'UN', 'UR', 'UT']);
const SHORT_VRS = new Set(
  'AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US'.split(' '),
);

/** A file's elements. */
export interface Parsed {
  dataset: DataSet;
  /** UID; where the file does not state it, what its bytes are written in. */
  transferSyntax: string;
}

/** A refusal that says why a DICOM file cannot be used; the caller knows its name. */
export function dicomError(reason: string, cause?: unknown): CarryoverError {
  return new CarryoverError('bad-input', reason, {}, cause);
}

function hasPrefix(bytes: Buffer): boolean {
  return bytes.length > PREAMBLE + 4 && bytes.toString('latin1', PREAMBLE, PREAMBLE + 4) === 'DICM';
}

/** Whether these bytes are a DICOM file: by the prefix, or by how its first elements are written. */
export function isDicom(bytes: Buffer): boolean {
  return hasPrefix(bytes) || bareSyntax(bytes, 0) !== null;
}

/** How elements from `start` on are written, told by the first three; null: these are none. */
function bareSyntax(bytes: Buffer, start: number): string | null {
  const tries = [EXPLICIT_LITTLE, EXPLICIT_BIG, IMPLICIT_LITTLE];
  return tries.find((syntax) => plausible(bytes, start, syntax)) ?? null;
}

function plausible(bytes: Buffer, start: number, syntax: string): boolean {
  let position = start;
  let before = 0;
  for (let seen = 0; seen < 3; seen++) {
    if (position === bytes.length && seen > 0) return true;
    const element = headerAt(bytes, position, syntax);
    if (element === null || element.tag <= before) return false;
    // A data set begins with the file's or the image's identification.
    if (seen === 0 && !isFirstTag(element.tag)) return false;
    // Sequences of unknown length are not stepped over.
    if (element.length === 0xffffffff) return seen > 0;
    before = element.tag;
    position = element.content + element.length;
    if (position > bytes.length) return false;
  }
  return true;
}

function isFirstTag(tag: number): boolean {
  return (tag >= 0x00020000 && tag <= 0x00020018) || (tag >= 0x00080000 && tag <= 0x00080060);
}

/** Tag, length and place of the content of the element at `position`; null: there is none. */
function headerAt(
  bytes: Buffer,
  position: number,
  syntax: string,
): { tag: number; length: number; content: number } | null {
  if (position + 8 > bytes.length) return null;
  const big = syntax === EXPLICIT_BIG;
  const short = (at: number) => (big ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at));
  const long = (at: number) => (big ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at));
  const tag = short(position) * 0x10000 + short(position + 2);
  if (syntax === IMPLICIT_LITTLE) return { tag, length: long(position + 4), content: position + 8 };
  const vr = bytes.toString('latin1', position + 4, position + 6);
  if (SHORT_VRS.has(vr)) return { tag, length: short(position + 6), content: position + 8 };
  if (!LONG_VRS.has(vr) || position + 12 > bytes.length) return null;
  return { tag, length: long(position + 8), content: position + 12 };
}

/**
 * The elements of a DICOM file, with or without the preamble and the file's meta information.
 * @throws bad-input with the reason: not DICOM, cut off, damaged
 */
export function parse(bytes: Buffer): Parsed {
  const whole = startsWithMeta(bytes) ? Buffer.concat([prefix(), bytes]) : bytes;
  if (!hasPrefix(whole)) return parseBare(whole, 0);
  const start = endOfMeta(whole);
  if (start.syntax === null) return parseBare(whole, start.position);
  return { dataset: run(whole, {}), transferSyntax: start.syntax };
}

function prefix(): Buffer {
  return Buffer.concat([Buffer.alloc(PREAMBLE), Buffer.from('DICM')]);
}

function startsWithMeta(bytes: Buffer): boolean {
  return !hasPrefix(bytes) && bytes.length > 8 && bytes.readUInt16LE(0) === 2 && isDicom(bytes);
}

/** Where the meta information ends, and the transfer syntax that it states. */
function endOfMeta(bytes: Buffer): { position: number; syntax: string | null } {
  let position = PREAMBLE + 4;
  let syntax: string | null = null;
  for (;;) {
    const element = headerAt(bytes, position, EXPLICIT_LITTLE);
    if (element === null || element.tag > 0x0002ffff) return { position, syntax };
    const end = element.content + element.length;
    if (end > bytes.length) throw dicomError('the DICOM file is cut off in its header');
    if (element.tag === 0x00020010) {
      syntax = bytes.toString('latin1', element.content, end).replace(/[\0 ]+$/, '') || null;
    }
    position = end;
  }
}

function parseBare(bytes: Buffer, start: number): Parsed {
  const syntax = bareSyntax(bytes, start);
  if (syntax === null) {
    throw dicomError(
      start === 0
        ? 'the content is not DICOM: neither the prefix DICM nor a data set without it'
        : 'the DICOM file does not state its transfer syntax, and its bytes do not tell it',
    );
  }
  return {
    dataset: run(bytes.subarray(start), { TransferSyntaxUID: syntax }),
    transferSyntax: syntax,
  };
}

function run(bytes: Buffer, options: { TransferSyntaxUID?: string }): DataSet {
  try {
    return parseDicom(bytes, { ...options, inflater: (all, at) => inflated(Buffer.from(all), at) });
  } catch (thrown) {
    throw dicomError(`the DICOM file is cut off or damaged: ${reasonOf(thrown)}`, thrown);
  }
}

/** The header as it is and what is deflated after it. */
function inflated(bytes: Buffer, position: number): Buffer {
  const rest = inflateRawSync(bytes.subarray(position), { maxOutputLength: MAX_INFLATED });
  return Buffer.concat([bytes.subarray(0, position), rest]);
}

/** dicom-parser throws strings, errors, and errors wrapped with what was read so far. */
function reasonOf(thrown: unknown): string {
  const inner =
    typeof thrown === 'object' && thrown !== null && 'exception' in thrown
      ? thrown.exception
      : thrown;
  const text = inner instanceof Error ? inner.message : String(inner);
  const past = /overrun|p ?osition|attempt to read past/i.test(text);
  return past ? 'an element reaches past its end' : text.replace(/^dicomParser[.:]\S*\s*/, '');
}

/** Whether the transfer syntax is one that the data set itself tells, without a codec for pixels. */
export function isNative(transferSyntax: string): boolean {
  return [IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED].includes(transferSyntax);
}
