import type { Command } from 'commander';
import type { DatasetDetail, DatasetSummary } from '../../contract/datasets.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine, printTable } from '../output.ts';
import type { LabelOptions } from './datasets-actions.ts';
import { printReport } from './import-report.ts';

/** `carryover datasets`: the data sets of the home, or one of them in full; and what can be done to one. */
export function register(program: Command): void {
  const datasets = program
    .command('datasets')
    .description('list the data sets, or show one')
    .argument('[dataset]', 'name or id of a data set')
    .option('--json', 'print JSON')
    .action(
      action(async (dataset: string | undefined, _options: unknown, command: Command) => {
        await show(dataset, globalOptions(command));
      }),
    );
  registerFiles(datasets);
  registerLabel(datasets);
  registerHistory(datasets);
  registerExport(datasets);
}

function registerFiles(datasets: Command): void {
  datasets
    .command('relink')
    .description('the images of a data set were moved: look for them at another path')
    .argument('<dataset>', 'name or id')
    .argument('<path>')
    .option('--json', 'print JSON')
    .action(
      action(async (dataset: string, path: string, _: unknown, command: Command) => {
        const { relink } = await import('./datasets-actions.ts');
        await relink(dataset, path, globalOptions(command));
      }),
    );
  datasets
    .command('check')
    .description('say which files are missing or changed since the import; exit code 1 if any is')
    .argument('<dataset>', 'name or id')
    .option('--json', 'print JSON')
    .action(
      action(async (dataset: string, _: unknown, command: Command) => {
        const { check } = await import('./datasets-actions.ts');
        await check(dataset, globalOptions(command));
      }),
    );
}

function registerLabel(datasets: Command): void {
  datasets
    .command('label')
    .description('change images of a data set; the files stay as they are')
    .argument('<dataset>', 'name or id')
    .requiredOption('--filter <json>', 'which: {"labels":["cat"],"text":"holiday"}, {} for all')
    .option('--to <class>', 'give them this class')
    .option('--finding <name=value>', 'set a finding to 1, 0, -1 or blank')
    .option('--tag <tag>', 'add a tag')
    .option('--untag <tag>', 'take a tag away')
    .option('--exclude', 'leave them out of studies')
    .option('--include', 'take them in again')
    .option('--json', 'print JSON')
    .action(
      action(async (dataset: string, options: LabelOptions, command: Command) => {
        const { label } = await import('./datasets-actions.ts');
        await label(dataset, { ...options, ...globalOptions(command) });
      }),
    );
}

function registerHistory(datasets: Command): void {
  datasets
    .command('changes')
    .description('what was changed, newest first')
    .argument('<dataset>', 'name or id')
    .option('--json', 'print JSON')
    .action(
      action(async (dataset: string, _: unknown, command: Command) => {
        const { changes } = await import('./datasets-actions.ts');
        await changes(dataset, globalOptions(command));
      }),
    );
  datasets
    .command('undo')
    .description('take a change back')
    .argument('<dataset>', 'name or id')
    .argument('<change>', 'its number, as `datasets changes` lists it')
    .option('--json', 'print JSON')
    .action(
      action(async (dataset: string, change: string, _: unknown, command: Command) => {
        const { undo } = await import('./datasets-actions.ts');
        await undo(dataset, change, globalOptions(command));
      }),
    );
}

function registerExport(datasets: Command): void {
  datasets
    .command('export')
    .description('write a table: images.csv, metadata.csv (an imagefolder), changes.csv, or .json')
    .argument('<dataset>', 'name or id')
    .argument('<table>', 'images.csv, images.json, metadata.csv, changes.csv, changes.json')
    .requiredOption('--out <file>', 'where to')
    .option('--json', 'print JSON')
    .action(
      action(async (dataset: string, table: string, { out }: { out: string }, command: Command) => {
        const { exportTable } = await import('./datasets-actions.ts');
        await exportTable(dataset, table, out, globalOptions(command));
      }),
    );
}

async function show(dataset: string | undefined, { home, json }: GlobalOptions): Promise<void> {
  const { openWorkbench } = await import('../../host/workbench.ts');
  const { findDataset, getDetail, listSummaries } = await import('../../host/datasets/read.ts');
  const readonly = { command: 'datasets', readonly: true };
  const workbench = openWorkbench({ ...readonly, ...(home === undefined ? {} : { home }) });
  const { db } = workbench.context;
  try {
    if (dataset === undefined) {
      const summaries = listSummaries(db);
      if (json) printJson(summaries);
      else printSummaries(summaries);
      return;
    }
    const detail = getDetail(db, findDataset(db, dataset).id);
    if (json) printJson(detail);
    else printDetail(detail);
  } finally {
    await workbench.close();
  }
}

function printSummaries(summaries: DatasetSummary[]): void {
  if (summaries.length === 0) {
    printLine('no data sets yet: carryover import PATH');
    return;
  }
  printTable(summaries, [
    { title: 'id', value: (row) => row.id },
    { title: 'name', value: (row) => row.name },
    { title: 'images', value: (row) => row.images },
    { title: 'classes', value: (row) => row.classes },
    { title: 'domains', value: (row) => row.domains },
    { title: 'grouped by', value: (row) => row.groupedBy },
    { title: 'folder', value: (row) => row.root },
  ]);
}

function printDetail(detail: DatasetDetail): void {
  printLine(`data set "${detail.name}" (${detail.id}), imported ${detail.createdAt}`);
  printLine(`content ${detail.contentHash}`);
  if (detail.studies.length > 0) {
    printLine(`used by ${detail.studies.map(({ name }) => name).join(', ')}`);
  }
  printReport(detail.report);
}
