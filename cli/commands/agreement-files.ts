import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { CarryoverError } from '../../contract/errors.ts';

/** One label per image, from a CSV file, in the order of its rows. */
export interface LabelFile {
  path: string;
  labels: Map<string, string>;
}

/** Names that the three files do not share, by where they are. Every name is in one list only. */
export interface Unmatched {
  onlyInA: string[];
  onlyInB: string[];
  onlyInTruth: string[];
  missingFromA: string[];
  missingFromB: string[];
  missingFromTruth: string[];
}

/** The images that all three files name, and the labels that each gives them. */
export interface Joined {
  truth: string[];
  a: string[];
  b: string[];
  unmatched: Unmatched;
}

interface Row {
  record: string[];
  info: { lines: number };
}

/**
 * Reads `image` and one more column of a CSV file (commas, header line; UTF-8 with or without
 * byte-order mark, any line ends, also mixed, quoted names, further columns allowed; header names
 * in any case; image names in any Unicode form).
 * @param column 'prediction' or 'label'
 * @throws not-found, io, or bad-input naming the file, the line and what was found there
 */
export async function readLabels(path: string, column: string): Promise<LabelFile> {
  const [header, ...rows] = parseRows(path, await readText(path));
  if (header === undefined) throw lineError(path, 1, 'the file is empty', column);
  const names = header.record.map((name) => name.toLowerCase());
  const at = (name: string) => {
    const index = names.indexOf(name);
    if (index >= 0) return index;
    const found = header.record.map((text) => `"${text}"`).join(', ');
    throw lineError(path, header.info.lines, `no column "${name}" (found: ${found})`, column);
  };
  const [imageAt, labelAt] = [at('image'), at(column)];
  const labels = new Map<string, string>();
  const lines = new Map<string, number>();
  for (const { record, info } of rows) {
    const cell = (index: number, name: string) => {
      const value = record[index];
      if (value) return value;
      throw lineError(path, info.lines, `no ${name} (found: "${record.join(',')}")`, column);
    };
    const image = cell(imageAt, 'image').normalize('NFC');
    if (labels.has(image)) {
      const reason = `image "${image}" was given already in line ${lines.get(image)}`;
      throw lineError(path, info.lines, reason, column, image);
    }
    labels.set(image, cell(labelAt, column));
    lines.set(image, info.lines);
  }
  if (labels.size === 0) throw lineError(path, 2, 'no rows below the header', column);
  return { path, labels };
}

/**
 * Joins by image name, in the order of the truth file.
 * @throws bad-input when a prediction file names no image of the truth, or no image is in all, or
 *   a prediction is NaN or infinite: what programs write whose model said nothing
 */
export function joinLabels(truth: LabelFile, a: LabelFile, b: LabelFile): Joined {
  for (const predictions of [a, b]) {
    if ([...predictions.labels.keys()].some((name) => truth.labels.has(name))) continue;
    throw noOverlap(predictions, truth);
  }
  const classes = new Set(truth.labels.values());
  for (const predictions of [a, b]) checkPredictions(predictions, classes);
  const joined: Joined = { truth: [], a: [], b: [], unmatched: unmatchedNames(truth, a, b) };
  for (const [name, label] of truth.labels) {
    const [inA, inB] = [a.labels.get(name), b.labels.get(name)];
    if (inA === undefined || inB === undefined) continue;
    joined.truth.push(label);
    joined.a.push(inA);
    joined.b.push(inB);
  }
  if (joined.truth.length === 0) throw noOverlap(b, a);
  return joined;
}

const NO_NUMBER = /^[+-]?(nan|inf|infinity)$/i;

/** No class, unless the truth has one of that name. */
function checkPredictions({ path, labels }: LabelFile, classes: ReadonlySet<string>): void {
  for (const [image, value] of labels) {
    if (!NO_NUMBER.test(value) || classes.has(value)) continue;
    throw new CarryoverError('bad-input', `${path}: the prediction of "${image}" is ${value}`, {
      file: path,
      value,
      wayOut: 'leave out images without a prediction, or mend the model: its output is not finite',
    });
  }
}

function unmatchedNames(truth: LabelFile, a: LabelFile, b: LabelFile): Unmatched {
  const names = new Set([...truth.labels.keys(), ...a.labels.keys(), ...b.labels.keys()]);
  const where = (inTruth: boolean, inA: boolean, inB: boolean) =>
    [...names].filter(
      (name) =>
        truth.labels.has(name) === inTruth &&
        a.labels.has(name) === inA &&
        b.labels.has(name) === inB,
    );
  return {
    onlyInA: where(false, true, false),
    onlyInB: where(false, false, true),
    onlyInTruth: where(true, false, false),
    missingFromA: where(true, false, true),
    missingFromB: where(true, true, false),
    missingFromTruth: where(false, true, true),
  };
}

async function readText(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const wayOut = 'give the path of a CSV file';
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new CarryoverError('not-found', `${path}: no such file`, { file: path, wayOut }, error);
    }
    throw new CarryoverError(
      'io',
      `${path}: cannot be read (${code})`,
      { file: path, wayOut },
      error,
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const wayOut = 'save it as CSV UTF-8';
    throw new CarryoverError('bad-input', `${path}: not UTF-8 text`, { file: path, wayOut }, error);
  }
}

function parseRows(path: string, text: string): Row[] {
  try {
    return parse(text, {
      bom: true,
      info: true,
      // All of them: the parser would otherwise take the first it meets for the whole file.
      record_delimiter: ['\r\n', '\n', '\r'],
      trim: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as Row[];
  } catch (error) {
    const { lines, message } = error as Error & { lines?: number };
    throw new CarryoverError(
      'bad-input',
      `${path}, line ${lines ?? '?'}: ${message}`,
      { file: path, ...(lines === undefined ? {} : { line: lines }), wayOut: 'check the quotes' },
      error,
    );
  }
}

function lineError(path: string, line: number, reason: string, column: string, value?: string) {
  return new CarryoverError('bad-input', `${path}, line ${line}: ${reason}`, {
    file: path,
    line,
    ...(value === undefined ? {} : { value }),
    wayOut: `give a CSV file with the columns image and ${column}, one row per image`,
  });
}

function noOverlap(one: LabelFile, other: LabelFile): CarryoverError {
  const first = ({ labels }: LabelFile) => `"${labels.keys().next().value}"`;
  return new CarryoverError(
    'bad-input',
    `${one.path} and ${other.path} have no image that can be compared: names such as ${first(one)} and ${first(other)}`,
    { file: one.path, wayOut: 'write the image names in all three files in the same way' },
  );
}
