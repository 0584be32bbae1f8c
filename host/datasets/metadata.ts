import { parse } from 'csv-parse/sync';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import { fileError, systemCode } from '../files.ts';

/** What metadata.csv says of one image; null where it says nothing. */
export interface ImageMetadata {
  group: string | null;
  licence: string | null;
  attribution: string | null;
  source: string | null;
}

export interface Metadata {
  hasGroups: boolean;
  /** By path relative to the root, in Unicode form NFC. */
  rows: Map<string, ImageMetadata>;
}

/** Reads `metadata.csv` at the root (column `file_name`, as Hugging Face's imagefolder has it); null without one. */
export async function readMetadata(root: string): Promise<Metadata | null> {
  const file = join(root, 'metadata.csv');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw fileError(error, file, 'read');
  }
  return toMetadata(file, parseCsv(file, text));
}

interface CsvRow {
  record: Record<string, string | undefined>;
  info: { lines: number };
}

function parseCsv(file: string, text: string): CsvRow[] {
  try {
    return parse(text, {
      bom: true,
      columns: (names: string[]) => names.map((name) => name.trim().toLowerCase()),
      skip_empty_lines: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      info: true,
    }) as unknown as CsvRow[];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CarryoverError('bad-input', `${file} is not a proper CSV file: ${reason}`, {
      file,
      wayOut: 'correct it, or take it out of the folder',
    });
  }
}

function toMetadata(file: string, records: CsvRow[]): Metadata {
  const columns = records[0]?.record ?? {};
  if (records.length > 0 && !('file_name' in columns)) {
    throw new CarryoverError('bad-input', `${file} has no column file_name`, {
      file,
      line: 1,
      wayOut: 'name the column that holds the paths (relative to the folder) file_name',
    });
  }
  const rows = new Map<string, ImageMetadata>();
  for (const { record, info } of records) {
    const path = imageKey(record['file_name'] ?? '');
    if (rows.has(path)) {
      throw new CarryoverError(
        'bad-input',
        `${file}, line ${info.lines}: a second row for ${path}`,
        {
          file,
          line: info.lines,
          value: path,
          wayOut: 'keep one row for each image',
        },
      );
    }
    rows.set(path, toRow(record));
  }
  return { hasGroups: 'group' in columns, rows };
}

function toRow(record: Record<string, string | undefined>): ImageMetadata {
  const cell = (...names: string[]): string | null => {
    const texts = names.map((name) => record[name]?.trim());
    return texts.find((text) => text) ?? null;
  };
  return {
    group: cell('group'),
    licence: cell('licence', 'license'),
    attribution: cell('attribution'),
    source: cell('source'),
  };
}

/** How a path is looked up in `Metadata.rows`. */
export function imageKey(path: string): string {
  return path.replace(/^\.\//, '').normalize('NFC');
}
