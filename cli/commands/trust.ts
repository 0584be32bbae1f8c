import type { Database } from 'better-sqlite3';
import type { Command } from 'commander';
import { resolve } from 'node:path';
import { requests } from '../../contract/api.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { DuplicateSet, TrustReport } from '../../contract/trust.ts';
import type { GlobalOptions } from '../output.ts';
import {
  action,
  globalOptions,
  printJson,
  printLine,
  printTable,
  progressLine,
} from '../output.ts';

interface TrustOptions extends GlobalOptions {
  nearBits?: string;
  study?: string;
  csv?: string;
}

/** Sets of a kind that are printed; --json and --csv have all. */
const SETS_SHOWN = 10;

/** `carryover trust`: what there is to distrust in a data set. */
export function register(program: Command): void {
  program
    .command('trust')
    .description('duplicates, leaks between splits, label conflicts and odd images of a data set')
    .argument('<dataset>', 'name or id')
    .option(
      '--near-bits <n>',
      'bits of 64 in which near duplicates may differ, 0 to 16 (default: 6)',
    )
    .option('--study <name>', 'look at the splits of this study instead of the given ones')
    .option('--csv <file>', 'write every image of every set, leaked group and odd image to a file')
    .option('--json', 'print the report as JSON')
    .action(
      action(async (dataset: string, options: TrustOptions, command: Command) => {
        await trust(dataset, { ...options, ...globalOptions(command) });
      }),
    );
}

async function trust(dataset: string, options: TrustOptions): Promise<void> {
  const nearBits = nearBitsOf(options.nearBits);
  const report = await compute(dataset, nearBits, options);
  if (options.csv !== undefined) await writeCsv(options.csv, report);
  if (options.json) printJson(report);
  else print(report);
}

function nearBitsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const { nearBits } = requests['trust.start'].shape;
  const parsed = nearBits.safeParse(/^\d+$/.test(text) ? Number(text) : text);
  if (parsed.success) return parsed.data;
  throw new CarryoverError('bad-input', `--near-bits ${text} is no number of bits`, {
    value: text,
    wayOut: 'give a whole number from 0 to 16',
  });
}

async function compute(
  dataset: string,
  nearBits: number | undefined,
  { home, study }: TrustOptions,
): Promise<TrustReport> {
  const { openWorkbench } = await import('../../host/workbench.ts');
  const { findDataset } = await import('../../host/datasets/read.ts');
  const { computeTrust, trustSpec } = await import('../../host/trust/compute.ts');
  const readonly = { command: 'trust', readonly: true };
  const workbench = openWorkbench({ ...readonly, ...(home === undefined ? {} : { home }) });
  const line = progressLine();
  const stop = new AbortController();
  const interrupt = (): void => stop.abort(new CarryoverError('cancelled', 'cancelled'));
  process.once('SIGINT', interrupt);
  try {
    const { db, home: paths } = workbench.context;
    const datasetId = findDataset(db, dataset).id;
    const studyId = study === undefined ? undefined : await studyOf(db, study);
    const task = { database: paths.database, datasetId, spec: trustSpec({ nearBits, studyId }) };
    const onProgress = line.show.bind(line);
    return await computeTrust(task, { signal: stop.signal, onProgress });
  } finally {
    process.off('SIGINT', interrupt);
    line.end();
    await workbench.close();
  }
}

async function studyOf(db: Database, study: string): Promise<string> {
  const { findStudy } = await import('../../host/studies/study-rows.ts');
  const id = findStudy(db, study);
  if (id !== null) return id;
  throw new CarryoverError('not-found', `there is no study ${study}`, {
    value: study,
    wayOut: 'see which studies there are: `carryover study status`',
  });
}

async function writeCsv(file: string, report: TrustReport): Promise<void> {
  const { writeFileAtomic } = await import('../../host/files.ts');
  const { trustCsv } = await import('../../host/trust/table.ts');
  await writeFileAtomic(resolve(file), [...trustCsv(report)].join(''));
}

function print(report: TrustReport): void {
  const { conflicts, datasetName, exact, findings, images, imbalance, near, spec } = report;
  const splits = report.splitNames.filter((name) => name !== 'none');
  const where = splits.length > 0 ? ` in ${splits.join(', ')}` : '';
  printLine(`data set "${datasetName}": ${images} images${where}`);
  for (const { level, text } of findings) printLine(`${level}: ${text}`);
  if (findings.length === 0) printLine('nothing to distrust was found');
  printLine('');
  printTable(imbalance, [
    { title: 'domain', value: ({ domain }) => domain },
    { title: 'largest class', value: ({ largest }) => largest },
    { title: 'smallest class', value: ({ smallest }) => smallest },
    { title: 'ratio', value: ({ ratio }) => (ratio === null ? null : Number(ratio.toFixed(1))) },
  ]);
  printSets('identical images', exact);
  printSets(`near duplicates, within ${spec.nearBits} of 64 bits`, near);
  printSets('label conflicts', conflicts);
}

function printSets(title: string, sets: readonly DuplicateSet[]): void {
  if (sets.length === 0) return;
  printLine(`\n${title}: ${sets.length} sets`);
  printTable(sets.slice(0, SETS_SHOWN), [
    { title: 'images', value: ({ ids }) => ids.length },
    { title: 'distance', value: ({ distance }) => distance },
    { title: 'splits', value: ({ splits }) => splits.join(', ') },
    { title: 'labels', value: ({ labels }) => shortened(labels.join(', ')) },
    { title: 'first', value: ({ paths }) => paths[0] ?? '' },
  ]);
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
