/** Tables as rows of cells: CSV, TSV and JSON lines, told by their endings. */
import { parse } from 'csv-parse/sync';
import { isUtf8 } from 'node:buffer';
import { extname } from 'node:path';
import { CarryoverError } from '../../../contract/errors.ts';
import { counted } from '../order.ts';
import type { Tree, TreeFile } from '../tree.ts';

const ENDINGS = new Set(['.csv', '.tsv', '.jsonl', '.ndjson']);
export const MAX_TABLE_BYTES = 512 * 2 ** 20;

/** Takes a row; as many cells as there are columns, trimmed. `line` counts from 1. */
export type TakeRow = (cells: string[], line: number) => void;

/** True for names that promise a table with columns. */
export function looksLikeTable(path: string): boolean {
  return ENDINGS.has(extname(path).toLowerCase());
}

export interface TableOptions {
  /** So many rows at most. */
  most?: number;
  /** Rows with too few or too many cells are taken as they are: for a look only. */
  loose?: boolean;
}

/**
 * Reads a table row by row: `begin` is given its columns and answers with what takes the rows. Text
 * is UTF-8, or UTF-16 with its mark, else Windows-1252 (as old spreadsheets write it).
 * Throws CarryoverError `bad-input` naming file and line, `io`.
 */
export async function readTable(
  tree: Tree,
  file: TreeFile,
  begin: (columns: string[]) => TakeRow,
  options: TableOptions = {},
): Promise<void> {
  const bytes = asUtf8(await tree.read(file, MAX_TABLE_BYTES));
  const ending = extname(file.path).toLowerCase();
  if (ending === '.jsonl' || ending === '.ndjson')
    readJsonLines(file.path, bytes, begin, options.most);
  else readCells(file.path, bytes, begin, options);
}

/** Text of a table or list as UTF-8, whatever it is in. */
export function asUtf8(bytes: Buffer): Buffer {
  const mark = bytes.toString('latin1', 0, 2);
  const utf16 = mark === '\xff\xfe' ? 'utf-16le' : mark === '\xfe\xff' ? 'utf-16be' : null;
  if (utf16 === null && isUtf8(bytes)) return bytes;
  return Buffer.from(new TextDecoder(utf16 ?? 'windows-1252').decode(bytes));
}

/** A failure in a table, with its place. */
export function tableError(
  file: string,
  line: number,
  reason: string,
  detail: { value?: string; wayOut: string },
): CarryoverError {
  return new CarryoverError('bad-input', `${file}, line ${line}: ${reason}`, {
    file,
    line,
    ...detail,
  });
}

function readCells(
  path: string,
  bytes: Buffer,
  begin: (columns: string[]) => TakeRow,
  { most = Infinity, loose = false }: TableOptions,
): void {
  let take: TakeRow | null = null;
  let columns: string[] = [];
  const onRecord = ({ record, info }: { record: string[]; info: { lines: number } }): null => {
    if (take === null) {
      columns = record;
      take = begin(record);
    } else {
      const line = info.lines - newlines(record);
      if (!loose) checkLength(path, line, record, columns);
      take(record, line);
    }
    return null;
  };
  try {
    parse(bytes, {
      bom: true,
      delimiter: delimiterOf(path, bytes),
      skip_empty_lines: true,
      trim: true,
      relax_column_count: true,
      relax_quotes: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      info: true,
      ...(Number.isFinite(most) && { to: most + 1 }),
      on_record: onRecord as unknown as (record: string[]) => null,
    });
  } catch (error) {
    if (error instanceof CarryoverError) throw error;
    throw notCsv(path, error);
  }
}

function notCsv(path: string, error: unknown): CarryoverError {
  const reason = error instanceof Error ? error.message : String(error);
  return new CarryoverError('bad-input', `${path} is not a proper CSV file: ${reason}`, {
    file: path,
    wayOut: 'correct it, or take it out of the folder',
  });
}

/** Lines that a record goes on for, after its first one. */
function newlines(record: string[]): number {
  return record.reduce((sum, cell) => sum + cell.split(/\r\n|\n|\r/).length - 1, 0);
}

/** Every column with a name has a cell, and every cell with a text a column. */
function checkLength(path: string, line: number, cells: string[], columns: string[]): void {
  const [named, filled] = [columns, cells].map(
    (all) => all.findLastIndex((text) => text !== '') + 1,
  );
  if (cells.length >= named! && filled! <= columns.length) return;
  const [is, should] = [cells, columns].map(({ length }) => counted(length, 'cell'));
  throw tableError(path, line, `${is} instead of ${should}`, {
    value: cells.join(' | ').slice(0, 100),
    wayOut: 'correct the line: a text with commas in it needs quotes',
  });
}

/** The most frequent of comma, semicolon and tab in the header, outside of quotes. */
function delimiterOf(path: string, bytes: Buffer): string {
  if (extname(path).toLowerCase() === '.tsv') return '\t';
  const start = bytes.subarray(0, 1 << 16).toString('utf8');
  const header = start.replaceAll(/"[^"]*"/g, '').split(/[\r\n]/, 1)[0] ?? '';
  const count = (mark: string): number => header.split(mark).length;
  return [',', ';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

function readJsonLines(
  path: string,
  bytes: Buffer,
  begin: (columns: string[]) => TakeRow,
  most = Infinity,
): void {
  const columns = new Set<string>();
  eachObject(path, bytes, most, (row) => Object.keys(row).forEach((name) => columns.add(name)));
  const names = [...columns];
  const take = begin(names.map((name) => name.trim()));
  eachObject(path, bytes, most, (row, line) =>
    take(
      names.map((name) => cellOf(row[name])),
      line,
    ),
  );
}

function eachObject(
  path: string,
  bytes: Buffer,
  most: number,
  visit: (row: Record<string, unknown>, line: number) => void,
): void {
  let line = 0;
  let rows = 0;
  for (let start = 0; start < bytes.length && rows < most; line++) {
    const next = bytes.indexOf(10, start);
    const end = next < 0 ? bytes.length : next;
    const text = bytes.toString('utf8', start, end).replace(/^\uFEFF/, '');
    start = end + 1;
    if (text.trim() === '') continue;
    visit(parseObject(path, line + 1, text), line + 1);
    rows++;
  }
}

function parseObject(path: string, line: number, text: string): Record<string, unknown> {
  const wayOut = 'give one JSON object on each line';
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw tableError(path, line, `not JSON: ${reason}`, { value: text.slice(0, 100), wayOut });
  }
  if (typeof row === 'object' && row !== null && !Array.isArray(row)) {
    return row as Record<string, unknown>;
  }
  throw tableError(path, line, 'not a JSON object', { value: text.slice(0, 100), wayOut });
}

/** A list with nothing in it: it says that there is nothing, a blank cell says nothing. */
export const EMPTY_LIST = '|';

/** True for a cell without a value of its own. */
export function hasNoValue(cell: string): boolean {
  return cell === '' || cell === EMPTY_LIST;
}

/** A list of plain values is joined by `|`, as in tables that list findings. */
function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value.trim();
  if (typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) {
    return value.length === 0 ? EMPTY_LIST : value.map(cellOf).join('|');
  }
  return JSON.stringify(value);
}
