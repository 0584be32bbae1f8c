import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { CarryoverError } from '../../contract/errors.ts';
import type { Reading } from '../../contract/reading.ts';
import { readingSchema } from '../../contract/reading.ts';
import { fileError } from '../../host/files.ts';

/** How the user says that a source is to be read; without any of them the best way is found. */
export interface ReadingOptions {
  levels?: string;
  reading?: string;
  table?: string[];
  pathColumn?: string;
  labelColumn?: string;
  findings?: string;
  oneHot?: string;
  listColumn?: string;
  separator?: string;
  domainColumn?: string;
  groupColumn?: string;
  splitColumn?: string;
  attributes?: string;
}

/** Adds the options to a command. */
export function withReading(command: Command): Command {
  const several = (value: string, before: string[] = []) => [...before, value];
  return command
    .option(
      '--levels <names>',
      'what the folders are from the top: domain, class, split, group, ignore or attribute:NAME, joined by commas',
    )
    .option(
      '--table <file>',
      'CSV, TSV or JSONL with the labels, in the folder (repeatable)',
      several,
    )
    .option('--path-column <name>', 'of the table: where the image is')
    .option('--label-column <name>', 'its class')
    .option('--findings <names>', 'columns with 1, 0, -1 or nothing, joined by commas')
    .option('--one-hot <names>', 'columns with 1 in just one of them, joined by commas')
    .option('--list-column <name>', 'a column that lists the findings that are present')
    .option('--separator <text>', 'between the findings of that list (default: |)')
    .option('--domain-column <name>', 'its domain')
    .option(
      '--group-column <name>',
      'what must not be torn apart by a split: the patient, the lesion',
    )
    .option('--split-column <name>', 'train, validation or test')
    .option('--attributes <names>', 'columns to keep for subgroups, joined by commas')
    .option('--reading <file>', 'all of this as JSON, as `carryover look --json` prints it');
}

/**
 * The reading that the options describe; null: none of them was given.
 * Throws CarryoverError `bad-input` naming the option.
 */
export async function readingOf(options: ReadingOptions): Promise<Reading | null> {
  refuseUnused(options);
  if (options.reading !== undefined) return readReading(options.reading);
  if (options.table !== undefined) return checked(tableReading(options), '--table');
  if (options.levels === undefined) return null;
  const levels = listOf(options.levels).map((name) => {
    const attribute = /^attribute:(.+)$/.exec(name)?.[1];
    return attribute === undefined ? name : { attribute };
  });
  return checked({ format: 'folders', levels }, '--levels');
}

const OF_TABLES = [
  'pathColumn',
  'labelColumn',
  'findings',
  'oneHot',
  'listColumn',
  'separator',
  'domainColumn',
  'groupColumn',
  'splitColumn',
  'attributes',
] as const satisfies (keyof ReadingOptions)[];

/** An option that would have no effect beside the others, or without another, is an error. */
function refuseUnused(options: ReadingOptions): void {
  const given = (names: readonly (keyof ReadingOptions)[]) =>
    names.find((name) => options[name] !== undefined);
  const ofTable = given(OF_TABLES);
  if (options.reading !== undefined) {
    const other = given(['table', 'levels', ...OF_TABLES]);
    if (other) throw unused(other, 'cannot be given with --reading', 'write it into that file');
  } else if (options.table !== undefined) {
    if (options.levels !== undefined) {
      throw unused('levels', 'cannot be given with --table', 'choose one of the two');
    }
    if (options.separator !== undefined && options.listColumn === undefined) {
      throw unused('separator', 'is of --list-column, which is not given', 'give --list-column');
    }
  } else if (ofTable) {
    const wayOut = 'name the table with --table FILE (folders are read by --levels alone)';
    throw unused(ofTable, 'is of a table, and no --table is given', wayOut);
  }
}

function unused(name: keyof ReadingOptions, why: string, wayOut: string): CarryoverError {
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return new CarryoverError('bad-input', `${flag} ${why}`, {
    value: flag,
    wayOut: `${wayOut}, or leave out ${flag}`,
  });
}

function listOf(text: string): string[] {
  return text.split(',').map((name) => name.trim());
}

async function readReading(file: string): Promise<Reading> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fileError(error, file, 'read');
  });
  try {
    return checked(JSON.parse(text), file);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CarryoverError('bad-input', `${file} is no JSON: ${error.message}`, { file });
  }
}

function tableReading(options: ReadingOptions): unknown {
  const columns = {
    path: options.pathColumn,
    label: labelColumns(options),
    domain: options.domainColumn,
    group: options.groupColumn,
    split: options.splitColumn,
    attributes: options.attributes === undefined ? undefined : listOf(options.attributes),
  };
  return { format: 'table', tables: options.table, columns };
}

function labelColumns(options: ReadingOptions): unknown {
  const { labelColumn, findings, oneHot, listColumn, separator } = options;
  const ways = [
    labelColumn !== undefined && { kind: 'class', column: labelColumn },
    findings !== undefined && { kind: 'findings', columns: listOf(findings) },
    oneHot !== undefined && { kind: 'one-hot', columns: listOf(oneHot) },
    listColumn !== undefined && { kind: 'list', column: listColumn, separator },
  ].filter((way) => way !== false);
  if (ways.length === 1 && options.pathColumn !== undefined) return ways[0];
  throw new CarryoverError('bad-input', '--table needs to know which columns hold what', {
    value: '--table',
    wayOut:
      'give --path-column and one of --label-column, --findings, --one-hot, --list-column; `carryover look` lists the columns',
  });
}

function checked(value: unknown, where: string): Reading {
  const result = readingSchema.safeParse(value);
  if (result.success) return result.data;
  throw new CarryoverError(
    'bad-input',
    `${where} does not say how to read the source: ${z.prettifyError(result.error)}`,
    { value: where, wayOut: 'see `carryover help import` and docs/data.md' },
  );
}
