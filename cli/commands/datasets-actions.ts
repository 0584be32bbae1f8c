/** What `carryover datasets …` does to a data set. */
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Change, ChangeEntry, ImageFilter } from '../../contract/datasets.ts';
import { changeSchema, imageFilter } from '../../contract/datasets.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { HostContext } from '../../host/context.ts';
import type { GlobalOptions } from '../output.ts';
import { printJson, printLine, printTable, progressLine } from '../output.ts';

export interface LabelOptions extends GlobalOptions {
  filter: string;
  to?: string;
  finding?: string;
  tag?: string;
  untag?: string;
  exclude?: boolean;
  include?: boolean;
}

interface Opened {
  context: HostContext;
  /** Of the data set that was named. */
  id: string;
  name: string;
}

/** Does something to a data set of the home; `readonly` works beside a running workbench. */
async function withDataset(
  dataset: string,
  { home }: GlobalOptions,
  readonly: boolean,
  work: (opened: Opened) => Promise<void>,
): Promise<void> {
  const { openWorkbench } = await import('../../host/workbench.ts');
  const { findDataset } = await import('../../host/datasets/read.ts');
  const command = 'datasets';
  const workbench = openWorkbench({ command, readonly, ...(home === undefined ? {} : { home }) });
  try {
    const { context } = workbench;
    const { id, name } = findDataset(context.db, dataset);
    await work({ context, id, name });
  } finally {
    await workbench.close();
  }
}

export async function relink(dataset: string, path: string, options: GlobalOptions): Promise<void> {
  const { relinkDataset } = await import('../../host/datasets/relink.ts');
  await withDataset(dataset, options, false, async ({ context, id }) => {
    const line = progressLine();
    const onProgress = line.show.bind(line);
    const summary = await relinkDataset(context, id, path, { onProgress }).finally(() =>
      line.end(),
    );
    if (options.json) printJson(summary);
    else printLine(`data set "${summary.name}": ${summary.images} images found in ${summary.root}`);
  });
}

/** Missing and changed files make the exit code 1. */
export async function check(dataset: string, options: GlobalOptions): Promise<void> {
  const { checkFiles } = await import('../../host/datasets/check-files.ts');
  await withDataset(dataset, options, true, async ({ context, id, name }) => {
    const line = progressLine();
    const { signal } = new AbortController();
    const onProgress = line.show.bind(line);
    const found = await checkFiles(context, id, { signal, onProgress }).finally(() => line.end());
    const { images, missing, changed } = found;
    if (missing.length + changed.length > 0) process.exitCode = 1;
    if (options.json) {
      printJson(found);
      return;
    }
    printLine(
      `data set "${name}": ${images} images, ${missing.length} missing, ${changed.length} changed`,
    );
    for (const { path } of missing) printLine(`missing: ${path.replaceAll('\n', '?')}`);
    for (const { path } of changed) printLine(`changed: ${path.replaceAll('\n', '?')}`);
  });
}

export async function label(dataset: string, options: LabelOptions): Promise<void> {
  const change = changeOf(options);
  const filter = filterOf(options.filter);
  const { changeImages } = await import('../../host/datasets/changes.ts');
  await withDataset(dataset, options, false, async ({ context, id }) => {
    printChange(changeImages(context, id, filter, change), options);
  });
}

export async function changes(dataset: string, options: GlobalOptions): Promise<void> {
  const { listChanges } = await import('../../host/datasets/changes.ts');
  await withDataset(dataset, options, true, async ({ context, id }) => {
    const entries = listChanges(context.db, id);
    if (options.json) printJson(entries);
    else if (entries.length === 0) printLine('nothing was changed');
    else printChanges(entries);
  });
}

export async function undo(dataset: string, change: string, options: GlobalOptions): Promise<void> {
  const { undoChange } = await import('../../host/datasets/changes.ts');
  if (!/^\d+$/.test(change)) {
    const wayOut = 'give the number that `carryover datasets changes` lists';
    throw new CarryoverError('bad-input', `"${change}" is no change`, { value: change, wayOut });
  }
  await withDataset(dataset, options, false, async ({ context, id }) => {
    printChange(undoChange(context, id, Number(change)), options);
  });
}

function changeOf(options: LabelOptions): Change {
  const { to, finding, tag, untag } = options;
  const given = [
    to !== undefined && { kind: 'relabel', value: to },
    finding !== undefined && { kind: 'finding', value: finding },
    tag !== undefined && { kind: 'tag', value: tag },
    untag !== undefined && { kind: 'untag', value: untag },
    options.exclude && { kind: 'exclude' },
    options.include && { kind: 'include' },
  ].filter((change) => change !== false && change !== undefined);
  if (given.length === 1) return parsed(changeSchema, given[0], 'the change');
  throw new CarryoverError('bad-input', 'one change at a time', {
    wayOut: 'give one of --to, --finding, --tag, --untag, --exclude, --include',
  });
}

function filterOf(text: string): ImageFilter {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CarryoverError('bad-input', `--filter is no JSON: ${text}`, { value: text });
  }
  return parsed(imageFilter, value, '--filter');
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new CarryoverError('bad-input', `${where}: ${z.prettifyError(result.error)}`, {
    value: JSON.stringify(value),
  });
}

function printChange(entry: ChangeEntry, options: GlobalOptions): void {
  if (options.json) printJson(entry);
  else printChanges([entry]);
}

function printChanges(entries: ChangeEntry[]): void {
  printTable(entries, [
    { title: 'number', value: (entry) => entry.id },
    { title: 'change', value: (entry) => entry.kind },
    { title: 'value', value: (entry) => entry.value },
    { title: 'images', value: (entry) => entry.images },
    { title: 'made', value: (entry) => entry.createdAt },
    { title: 'undone', value: (entry) => entry.undoneAt },
  ]);
}

/** Labels, tags and exclusions as they are now; the file appears whole or not at all. */
export async function exportTable(
  dataset: string,
  table: string,
  out: string,
  options: GlobalOptions,
): Promise<void> {
  const { dataTable } = await import('../../host/data-tables.ts');
  const { writeFileAtomic } = await import('../../host/files.ts');
  await withDataset(dataset, options, true, async ({ context, id, name }) => {
    const file = resolve(out);
    await writeFileAtomic(file, [...dataTable(context, id, table)].join(''));
    if (options.json) printJson({ dataset: id, table, file });
    else printLine(`${table} of data set "${name}": ${file}`);
  });
}
