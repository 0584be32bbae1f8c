import type { Command } from 'commander';
import { basename } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import type { Scan } from '../../host/datasets/scan.ts';
import type { HostContext } from '../../host/context.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine, progressLine } from '../output.ts';
import { printReport } from './import-report.ts';

interface ImportOptions extends GlobalOptions {
  name?: string;
  dryRun?: boolean;
}

const LONGEST_NAME = 100;

/** `carryover import`: a folder of images becomes a data set; the images stay where they are. */
export function register(program: Command): void {
  program
    .command('import')
    .description('import a folder of images laid out as class/image or domain/class/image')
    .argument('<folder>', 'folder that holds the class or domain folders')
    .option('--name <name>', "name of the data set (default: the folder's name)")
    .option('--dry-run', 'only report what would be imported')
    .option('--json', 'print the report as JSON')
    .action(
      action(async (folder: string, options: ImportOptions, command: Command) => {
        await importFolder(folder, { ...options, ...globalOptions(command) });
      }),
    );
}

async function importFolder(folder: string, options: ImportOptions): Promise<void> {
  const { dryRun, json, home } = options;
  if (dryRun) {
    const { report } = await scan(folder);
    if (json) printJson({ report });
    else printReport(report);
    return;
  }
  const { openWorkbench } = await import('../../host/workbench.ts');
  const workbench = openWorkbench({ command: 'import', ...(home === undefined ? {} : { home }) });
  try {
    await store(workbench.context, await scan(folder), options);
  } finally {
    await workbench.close();
  }
}

async function scan(folder: string): Promise<Scan> {
  const { scanFolder } = await import('../../host/datasets/scan.ts');
  const line = progressLine();
  try {
    return await scanFolder(folder, { onProgress: (progress) => line.show(progress) });
  } finally {
    line.end();
  }
}

async function store(context: HostContext, found: Scan, options: ImportOptions): Promise<void> {
  const { findImported, importScan } = await import('../../host/datasets/import.ts');
  const name = checkedName(options.name ?? basename(found.root));
  const naming = { exact: options.name !== undefined };
  const existed = findImported(context, found, name, naming) !== null;
  const dataset = importScan(context, found, name, naming);
  if (options.json) {
    printJson({ dataset, existed, report: found.report });
    return;
  }
  printReport(found.report);
  const what = `${dataset.images} images in ${dataset.classes} classes`;
  const done = existed ? 'was imported before; nothing new was stored:' : 'imported:';
  printLine(`\ndata set "${dataset.name}" (${dataset.id}) ${done} ${what}`);
}

function checkedName(name: string): string {
  if (name.length >= 1 && name.length <= LONGEST_NAME) return name;
  throw new CarryoverError('bad-input', `a name has 1 to ${LONGEST_NAME} characters: "${name}"`, {
    value: name,
    wayOut: 'give a shorter one with --name',
  });
}
