import type { Command } from 'commander';
import type { EpochMetrics, RunDetail, RunSummary } from '../../contract/runs.ts';
import type { Workbench } from '../../host/workbench.ts';
import type { Column, GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine, printTable } from '../output.ts';

/** `carryover runs [ID]`: all runs of the home, or one in full. Works beside a running workbench. */
export function register(program: Command): void {
  program
    .command('runs')
    .description('list the runs, or show one with its learning curve')
    .argument('[run]', 'id of a run')
    .option('--json', 'print JSON')
    .action(
      action((run: string | undefined, _options: unknown, command: Command) =>
        show(run, globalOptions(command)),
      ),
    );
}

async function show(id: string | undefined, { home, json }: GlobalOptions): Promise<void> {
  const { openWorkbench } = await import('../../host/workbench.ts');
  const readonly = { command: 'runs', readonly: true };
  const workbench = openWorkbench({ ...readonly, ...(home === undefined ? {} : { home }) });
  try {
    if (id === undefined) {
      const all = await workbench.handlers['runs.list']({});
      const runs = await Promise.all(all.map((each) => afterCrash(workbench, each, 'paused')));
      if (json) printJson(runs);
      else printRuns(runs);
      return;
    }
    const run = await afterCrash(workbench, await workbench.handlers['runs.get']({ id }), 'paused');
    if (json) printJson(run);
    else printRun(run);
  } finally {
    await workbench.close();
  }
}

/**
 * A study or run as it is: what is said to be running while nobody works in its home was stopped
 * by a crash, and is shown as the next process that writes will store it (`becomes`).
 */
export async function afterCrash<Row extends { status: string }>(
  { context }: Workbench,
  row: Row,
  becomes: Row['status'],
): Promise<Row> {
  if (row.status !== 'running') return row;
  const { acquireLock } = await import('../../host/db/lock.ts');
  try {
    acquireLock(context.home.database, 'status').release();
    return { ...row, status: becomes };
  } catch {
    return row;
  }
}

/** Says what leaks among the numbers, which people redirect into files. */
export function printLeaks(leaks: readonly string[]): void {
  for (const leak of leaks) printLine(`warning: ${leak}`);
  if (leaks.length > 0) printLine('');
}

/** Runs as a table. */
export function printRuns(runs: readonly RunSummary[]): void {
  if (runs.length === 0) {
    printLine('no runs yet: carryover study run FILE');
    return;
  }
  const area: Column<RunSummary> = { title: 'test AUC', value: (row) => shown(row.testAuc) };
  printTable(runs, [
    { title: 'run', value: (row) => row.id },
    { title: 'arm', value: (row) => row.arm },
    { title: 'domains', value: (row) => row.domains.join(' ') },
    { title: 'seed', value: (row) => row.seed },
    { title: 'shuffle', value: (row) => row.shuffle },
    { title: 'status', value: (row) => row.status },
    { title: 'epochs', value: (row) => `${row.epochsDone}/${row.epochs}` },
    { title: 'train accuracy', value: (row) => shown(row.trainAccuracy) },
    { title: 'test accuracy', value: (row) => shown(row.testAccuracy) },
    ...(runs.some(({ testAuc }) => testAuc !== null) ? [area] : []),
    { title: 'optimisation speed', value: (row) => shown(row.optimisationSpeed) },
  ]);
}

function printRun(run: RunDetail): void {
  const studies = run.studies.map(({ name }) => name).join(', ');
  const rows: [string, string][] = [
    ['run', `${run.id} is ${run.status}`],
    ['arm', `${run.arm}, seed ${run.seed}, shuffle ${run.shuffle}`],
    ['data', `${run.datasetName}: ${run.domains.join(', ')} (${imagesOf(run)})`],
    ['start', run.parentCheckpoint ?? 'random'],
    ...(run.bestEpoch === null ? [] : [['result', `epoch ${run.bestEpoch}`] as [string, string]]),
    ['studies', studies || 'none'],
    ['device', run.device || '-'],
    ['finished', run.finishedAt ?? '-'],
    ['weights', run.weightsHash ?? '-'],
    ...run.notes.map((note): [string, string] => ['note', note]),
    ...(run.failure ? [['failure', run.failure.message] as [string, string]] : []),
  ];
  for (const [title, text] of rows) printLine(`${title.padEnd(10)}${text}`);
  printLine('');
  printCurve(run.curve);
}

function imagesOf({ trainImages, validationImages, testImages }: RunDetail): string {
  const middle = validationImages === 0 ? '' : `${validationImages} validation, `;
  return `${trainImages} train, ${middle}${testImages} test`;
}

function printCurve(curve: readonly EpochMetrics[]): void {
  const validated = curve.some(({ validationLoss }) => validationLoss !== null);
  const validation: Column<EpochMetrics>[] = [
    { title: 'validation loss', value: (row) => shown(row.validationLoss) },
    { title: 'validation accuracy', value: (row) => shown(row.validationAccuracy) },
  ];
  const areas: Column<EpochMetrics>[] = [
    { title: 'train AUC', value: (row) => shown(row.trainAuc) },
    ...(validated
      ? [{ title: 'validation AUC', value: (row: EpochMetrics) => shown(row.validationAuc) }]
      : []),
    { title: 'test AUC', value: (row) => shown(row.testAuc) },
  ];
  printTable(curve, [
    { title: 'epoch', value: (row) => row.epoch },
    { title: 'train loss', value: (row) => shown(row.trainLoss) },
    { title: 'train accuracy', value: (row) => shown(row.trainAccuracy) },
    ...(validated ? validation : []),
    { title: 'test loss', value: (row) => shown(row.testLoss) },
    { title: 'test accuracy', value: (row) => shown(row.testAccuracy) },
    ...(curve.some(({ testAuc }) => testAuc !== null) ? areas : []),
    { title: 'learning rate', value: (row) => row.learningRate.toPrecision(3) },
    { title: 'seconds', value: (row) => row.seconds.toFixed(1) },
  ]);
}

function shown(value: number | null): string | null {
  return value === null ? null : value.toFixed(3);
}
