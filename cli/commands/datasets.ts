import type { Command } from 'commander';
import type { DatasetDetail, DatasetSummary } from '../../contract/datasets.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine, printTable } from '../output.ts';
import { printReport } from './import-report.ts';

/** `carryover datasets`: the data sets of the home, or one of them in full. Works beside a running workbench. */
export function register(program: Command): void {
  program
    .command('datasets')
    .description('list the data sets, or show one')
    .argument('[dataset]', 'name or id of a data set')
    .option('--json', 'print JSON')
    .action(
      action(async (dataset: string | undefined, _options: unknown, command: Command) => {
        await show(dataset, globalOptions(command));
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
    printLine('no data sets yet: carryover import FOLDER');
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
