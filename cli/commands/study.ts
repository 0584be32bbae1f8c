import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { CarryoverError } from '../../contract/errors.ts';
import { leaksAmong } from '../../contract/leaks.ts';
import type { RunSummary } from '../../contract/runs.ts';
import type { StudySummary } from '../../contract/study.ts';
import type { Workbench } from '../../host/workbench.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine, printTable } from '../output.ts';
import { afterCrash, printLeaks, printRuns } from './runs.ts';
import type { FindRateOptions } from './study-rate.ts';

/** `carryover study run|status|analyses|find-rate|report`. */
export function register(program: Command): void {
  const study = program
    .command('study')
    .description('run a study, see how far it is, its report; find a learning rate');
  study
    .command('run')
    .description('do all that a study file says; goes on where it stopped, skips what is done')
    .argument('<file>', 'study file (YAML)')
    .option('--json', 'print JSON')
    .action(
      action((file: string, _options: unknown, command: Command) =>
        run(file, globalOptions(command)),
      ),
    );
  study
    .command('status')
    .description('how far a study is, run by run; without a study: all of them')
    .argument('[study]', 'study file, name or id')
    .option('--json', 'print JSON')
    .action(
      action((which: string | undefined, _options: unknown, command: Command) =>
        status(which, globalOptions(command)),
      ),
    );
  registerAnalyses(study);
  registerFindRate(study);
  study
    .command('report')
    .description('write the HTML report of a finished study anew')
    .argument('<study>', 'study file, name or id')
    .option('--json', 'print JSON')
    .action(
      action((which: string, _options: unknown, command: Command) =>
        report(which, globalOptions(command)),
      ),
    );
}

function registerAnalyses(study: Command): void {
  study
    .command('analyses')
    .description('the analyses of a study; with a name: its quantities with their intervals')
    .argument('<study>', 'study file, name or id')
    .argument('[name]', 'analysis, such as distance')
    .option('--json', 'print JSON')
    .action(
      action((which: string, name: string | undefined, _options: unknown, command: Command) =>
        analyses(which, name, globalOptions(command)),
      ),
    );
}

function registerFindRate(study: Command): void {
  study
    .command('find-rate')
    .description(
      'train an arm for a few steps at rising learning rates and see where its loss falls',
    )
    .argument('<file>', 'study file (YAML)')
    .requiredOption('--arm <name>', 'arm of the study')
    .option('--svg <file>', 'write the plot as SVG')
    .option('--csv <file>', 'write rates and losses')
    .option('--json', 'print JSON')
    .action(
      action((file: string, options: FindRateOptions, command: Command) =>
        findRate(file, options, globalOptions(command)),
      ),
    );
}

async function run(file: string, { home, json = false }: GlobalOptions): Promise<void> {
  const yaml = readText(file);
  const { openWorkbench } = await import('../../host/workbench.ts');
  const { printOutcome, runStudyText } = await import('./study-run.ts');
  const workbench = openWorkbench({
    command: 'study run',
    ...(home === undefined ? {} : { home }),
  });
  try {
    printOutcome(workbench, await runStudyText(workbench, yaml, file), json);
  } finally {
    await workbench.close();
  }
}

async function findRate(
  file: string,
  options: FindRateOptions,
  { home, json = false }: GlobalOptions,
): Promise<void> {
  const yaml = readText(file);
  const { openWorkbench } = await import('../../host/workbench.ts');
  const { printSearch, searchRate } = await import('./study-rate.ts');
  const workbench = openWorkbench({
    command: 'study find-rate',
    ...(home === undefined ? {} : { home }),
  });
  try {
    await printSearch(await searchRate(workbench, yaml, options.arm), options, json);
  } finally {
    await workbench.close();
  }
}

async function status(
  which: string | undefined,
  { home, json = false }: GlobalOptions,
): Promise<void> {
  const workbench = await openReader('study status', home);
  try {
    if (which === undefined) {
      const all = await workbench.handlers['studies.list']({});
      const list = await Promise.all(all.map((each) => afterCrash(workbench, each, 'interrupted')));
      if (json) printJson(list);
      else printStudies(list);
      return;
    }
    const { id, difference } = await storedOf(workbench, which);
    const listed = await workbench.handlers['runs.list']({ studyId: id });
    const runs = await Promise.all(listed.map((each) => afterCrash(workbench, each, 'paused')));
    const stored = await workbench.handlers['studies.get']({ id });
    const detail = await afterCrash(workbench, stored, 'interrupted');
    if (json) {
      printJson({ ...detail, runList: runs, fileDiffers: difference !== null });
      return;
    }
    printLine(`"${detail.name}" (${id}) is ${detail.status}, ${doneOf(runs)}\n`);
    if (difference !== null) printLine(`${difference}\n`);
    printLeaks(leaksAmong(detail.plan.warnings));
    printRuns(runs);
  } finally {
    await workbench.close();
  }
}

async function analyses(
  which: string,
  name: string | undefined,
  { home, json = false }: GlobalOptions,
): Promise<void> {
  const workbench = await openReader('study analyses', home);
  try {
    const { printAnalyses, printAnalysis } = await import('./study-analyses.ts');
    const { id, difference } = await storedOf(workbench, which);
    note(difference);
    const detail = await workbench.handlers['studies.get']({ id });
    if (name === undefined) printAnalyses(detail, json);
    else printAnalysis(workbench, detail, name, json);
  } finally {
    await workbench.close();
  }
}

async function report(which: string, { home, json = false }: GlobalOptions): Promise<void> {
  const workbench = await openReader('study report', home);
  try {
    const { id, difference } = await storedOf(workbench, which);
    note(difference);
    const { writeReport } = await import('../../host/studies/report/write.ts');
    const path = await writeReport(workbench.context, id, new AbortController().signal);
    if (json) printJson({ id, report: path, fileDiffers: difference !== null });
    else printLine(`report: ${path}`);
  } finally {
    await workbench.close();
  }
}

async function openReader(command: string, home: string | undefined): Promise<Workbench> {
  const { openWorkbench } = await import('../../host/workbench.ts');
  return openWorkbench({ command, readonly: true, ...(home === undefined ? {} : { home }) });
}

function note(difference: string | null): void {
  if (difference !== null) process.stderr.write(`note: ${difference}\n`);
}

interface Stored {
  id: string;
  /** That the file by which it was named says something else; null: it does not. */
  difference: string | null;
}

/** A stored study by a file that has its name, by its name or by its id. */
async function storedOf({ context }: Workbench, which: string): Promise<Stored> {
  const { findStudy } = await import('../../host/studies/study-rows.ts');
  const known = findStudy(context.db, which);
  if (known !== null) return { id: known, difference: null };
  if (existsSync(which) && statSync(which).isFile()) {
    const { requireStudy, saysTheSame } = await import('../../host/studies/save.ts');
    const yaml = readText(which);
    const { name } = requireStudy(context, yaml, which);
    const id = findStudy(context.db, name);
    if (id !== null) {
      const same = saysTheSame(context, id, yaml);
      return { id, difference: same ? null : differenceOf(which) };
    }
    throw new CarryoverError('not-found', `the study "${name}" of ${which} was never started`, {
      file: which,
      wayOut: `carryover study run ${which}`,
    });
  }
  throw new CarryoverError('not-found', `there is no study and no file ${which}`, {
    value: which,
    wayOut: 'see which there are: carryover study status',
  });
}

function differenceOf(file: string): string {
  return `${file} says something else than the study that is stored and shown: \`carryover study run ${file}\` makes it so`;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CarryoverError('not-found', `the study file ${file} cannot be read: ${reason}`, {
      file,
      wayOut: 'check the path; a sample is resources/studies/demo.yaml',
    });
  }
}

function doneOf(runs: readonly RunSummary[]): string {
  const done = runs.filter((each) => each.status === 'done').length;
  return `${done} of ${runs.length} runs are done`;
}

function printStudies(studies: readonly StudySummary[]): void {
  if (studies.length === 0) {
    printLine('no studies yet: carryover study run FILE');
    return;
  }
  printTable(studies, [
    { title: 'id', value: (row) => row.id },
    { title: 'name', value: (row) => row.name },
    { title: 'status', value: (row) => row.status },
    { title: 'runs done', value: (row) => `${row.runsDone} of ${row.runs}` },
    { title: 'data set', value: (row) => row.datasetName },
    { title: 'created', value: (row) => row.createdAt },
  ]);
}
