import { statSync } from 'node:fs';
import { basename, parse, resolve } from 'node:path';
import type { Command } from 'commander';
import { CarryoverError } from '../../contract/errors.ts';
import type { SourceLook } from '../../contract/reading.ts';
import type { HostContext } from '../../host/context.ts';
import type { Scan, ScanHome } from '../../host/datasets/scan.ts';
import type { GlobalOptions } from '../output.ts';
import {
  action,
  globalOptions,
  printJson,
  printLine,
  printTable,
  progressLine,
} from '../output.ts';
import { printReport } from './import-report.ts';
import type { ReadingOptions } from './reading-options.ts';
import { readingOf, withReading } from './reading-options.ts';

interface ImportOptions extends GlobalOptions, ReadingOptions {
  name?: string;
  dryRun?: boolean;
}

const LONGEST_NAME = 100;

/** `carryover import`: labelled images become a data set and stay where they are. `carryover look`: how they can be read. */
export function register(program: Command): void {
  const command = program
    .command('import')
    .description('import labelled images: a folder, an archive, a table, arrays, DICOM')
    .argument('<path>', 'folder or file; `carryover look PATH` says how it can be read')
    .option('--name <name>', "name of the data set (default: the folder's name)")
    .option('--dry-run', 'only report what would be imported; stores nothing');
  withReading(command)
    .option('--json', 'print the report as JSON')
    .action(
      action(async (path: string, options: ImportOptions, own: Command) => {
        await importPath(path, { ...options, ...globalOptions(own) });
      }),
    );
  program
    .command('look')
    .description('say how a folder or file can be read as a data set; opens no image')
    .argument('<path>')
    .option('--json', 'print JSON, with readings as `carryover import --reading` takes them')
    .action(
      action(async (path: string, _: unknown, own: Command) => {
        const { lookAt } = await import('../../host/datasets/look.ts');
        const look = await lookAt(path);
        if (globalOptions(own).json) printJson(look);
        else printLook(look);
      }),
    );
}

async function importPath(path: string, options: ImportOptions): Promise<void> {
  const { dryRun, json, home } = options;
  if (dryRun) {
    const { report } = await scan(null, path, options);
    if (json) printJson({ report });
    else printReport(report);
    return;
  }
  const { openWorkbench } = await import('../../host/workbench.ts');
  const workbench = openWorkbench({ command: 'import', ...(home === undefined ? {} : { home }) });
  try {
    const found = await scan(workbench.context, path, options);
    const name = options.name ?? nameOf(path);
    await store(workbench.context, found, { ...options, name }, options.name !== undefined);
  } finally {
    await workbench.close();
  }
}

async function scan(home: ScanHome, path: string, options: ReadingOptions): Promise<Scan> {
  const { scanSource } = await import('../../host/datasets/scan.ts');
  const reading = await readingOf(options);
  const line = progressLine();
  try {
    return await scanSource(home, path, reading, {
      onProgress: (progress) => line.show(progress),
    });
  } finally {
    line.end();
  }
}

/** A folder's name, or a file's without its ending. */
function nameOf(path: string): string {
  const absolute = resolve(path);
  const name = statSync(absolute).isFile() ? parse(absolute).name : basename(absolute);
  return name || absolute;
}

async function store(
  context: HostContext,
  found: Scan,
  options: ImportOptions & { name: string },
  exact: boolean,
): Promise<void> {
  const { findImported, importScan } = await import('../../host/datasets/import.ts');
  const name = checkedName(options.name);
  const existed = findImported(context, found, name, { exact }) !== null;
  const dataset = importScan(context, found, name, { exact });
  if (options.json) {
    printJson({ dataset, existed, report: found.report });
    return;
  }
  printReport(found.report);
  const kind = dataset.task === 'multi-label' ? 'findings' : 'classes';
  const what = `${dataset.images} images in ${dataset.classes} ${kind}`;
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

function printLook(look: SourceLook): void {
  const files = look.truncated ? `more than ${look.files}` : look.files;
  printLine(`${look.path}: ${files} files`);
  if (look.why !== null) printLine(look.why);
  for (const [i, { title, why, reading }] of look.offers.entries()) {
    printLine(`\n${i + 1}. ${title}${i === 0 ? ' (taken unless you say otherwise)' : ''}`);
    printLine(`   ${why}`);
    printLine(`   ${JSON.stringify(reading)}`);
  }
  for (const { file, rows, columns } of look.tables) {
    printLine(`\ntable ${file}, ${rows} rows:`);
    printTable(columns, [
      { title: 'column', value: ({ name }) => name },
      { title: 'values', value: ({ distinct }) => distinct },
      { title: 'blank', value: ({ blank }) => blank },
      { title: 'examples', value: ({ examples }) => examples.slice(0, 3).join(', ') },
    ]);
  }
}
