import { join } from 'node:path';
import type { Job } from '../../contract/jobs.ts';
import { FEW_IMAGES } from '../../contract/study-results.ts';
import type { StudyDetail } from '../../contract/study.ts';
import type { OverSeeds, StudyResults } from '../../contract/study-results.ts';
import { isUpToDate } from '../../host/studies/runner.ts';
import { saveStudy } from '../../host/studies/save.ts';
import type { Workbench } from '../../host/workbench.ts';
import { followJob } from '../follow.ts';
import type { Column } from '../output.ts';
import { printJson, printLine, printTable } from '../output.ts';
import { printLeaks } from './runs.ts';
import { printAlerts, printScorecard } from './study-analyses.ts';

/** Path of the report of a study, whether it is there or not. */
export function reportPath({ context }: Workbench, studyId: string): string {
  return join(context.home.reports, studyId, 'report.html');
}

/**
 * Stores the study of a file (in place of an older text of the same name) and runs what is not
 * done; progress goes to stderr. Ctrl-C pauses it: the promise then resolves to a paused study.
 * Throws what is wrong with the file, and what made the study fail.
 */
export async function runStudyText(
  workbench: Workbench,
  yaml: string,
  file: string,
): Promise<StudyDetail> {
  const { context, handlers } = workbench;
  const id = saveStudy(context, yaml, { file, replace: true });
  if (!(await isUpToDate(context, id, file))) {
    const job = await handlers['studies.start']({ id });
    await follow(workbench, job, id);
  }
  return handlers['studies.get']({ id });
}

async function follow(workbench: Workbench, job: Job, id: string): Promise<void> {
  const pause = (): void => {
    void Promise.resolve(workbench.handlers['studies.pause']({ id })).catch(() => undefined);
  };
  await followJob(workbench, job, 'the study', pause);
}

/** What came of a run study: its main table and the path of its report, or all of it as JSON. */
export function printOutcome(workbench: Workbench, study: StudyDetail, json: boolean): void {
  const { id, name, status, results, plan } = study;
  if (json) {
    const report = study.reportUrl === null ? null : reportPath(workbench, id);
    printJson({ id, name, status, report, plan, results });
  }
  if (status === 'paused') {
    if (!json) printLine(`"${name}" is paused; run the same command again to go on`);
    process.exitCode = 130;
    return;
  }
  if (json || results === null) return;
  const unusual = plan.warnings.filter((each) => !results.warnings.includes(each));
  for (const warning of unusual) process.stderr.write(`note: ${warning}\n`);
  printLeaks(results.warnings);
  printMainTable(results);
  printFindings(results);
  printSubgroups(results);
  printPairs(results);
  printAlerts(results.analyses);
  printScorecard(results.claims);
  printLine(`\nreport: ${reportPath(workbench, id)}`);
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

type Arm = StudyResults['arms'][number];

function printMainTable(results: StudyResults): void {
  const dropOf = (each: Arm) =>
    results.relativeDrop.find((one) => one.shuffle === each.shuffle && one.pretrained === each.arm);
  const columns: Column<Arm>[] = [
    { title: 'shuffle', value: ({ shuffle }) => shuffle },
    { title: 'arm', value: ({ arm }) => arm },
    ...areaColumns(results.arms),
    { title: 'accuracy', value: ({ accuracy }) => percent(accuracy.mean) },
    {
      title: '[min-max]',
      value: ({ accuracy }) => `[${percent(accuracy.min)} - ${percent(accuracy.max)}]`,
    },
    {
      title: 'accuracy by seed',
      value: ({ accuracy }) => accuracy.values.map((value) => value.toFixed(3)).join(' '),
    },
    {
      title: 'optimisation speed',
      value: ({ optimisationSpeed: speed }) => speed && speed.mean.toFixed(3),
    },
    {
      title: 'relative drop',
      value: (each) => {
        const drop = dropOf(each);
        return drop ? `${drop.percent.toFixed(1)} %` : '';
      },
    },
  ];
  printTable(results.arms, columns);
}

/** Nothing where there are no findings. */
function areaColumns<Row extends { auc: OverSeeds | null }>(rows: readonly Row[]): Column<Row>[] {
  if (rows.every(({ auc }) => auc === null)) return [];
  return [
    { title: 'AUC', value: ({ auc }) => auc && auc.mean.toFixed(3) },
    {
      title: 'AUC by seed',
      value: ({ auc }) => auc && auc.values.map((value) => value.toFixed(3)).join(' '),
    },
  ];
}

function printFindings({ findings }: StudyResults): void {
  if (findings.length === 0) return;
  printLine('');
  printTable(findings, [
    { title: 'finding', value: ({ finding }) => finding },
    { title: 'shuffle', value: ({ shuffle }) => shuffle },
    { title: 'arm', value: ({ arm }) => arm },
    { title: 'with it', value: ({ positives }) => positives },
    { title: 'without', value: ({ negatives }) => negatives },
    ...areaColumns(findings),
  ]);
}

function printSubgroups({ subgroups }: StudyResults): void {
  if (subgroups.length === 0) return;
  printLine('');
  printTable(subgroups, [
    { title: 'attribute', value: ({ attribute }) => attribute },
    { title: 'value', value: ({ value }) => value },
    {
      title: 'images',
      value: ({ images }) => (images < FEW_IMAGES ? `${images} (few)` : images),
    },
    { title: 'shuffle', value: ({ shuffle }) => shuffle },
    { title: 'arm', value: ({ arm }) => arm },
    ...areaColumns(subgroups),
    { title: 'accuracy', value: ({ accuracy }) => percent(accuracy.mean) },
  ]);
}

function printPairs({ pairs }: StudyResults): void {
  if (pairs.length === 0) return;
  printLine('');
  const groups = [...Map.groupBy(pairs, ({ kind, shuffle }) => JSON.stringify([shuffle, kind]))];
  const range = (values: number[]): string => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return low === high ? low.toFixed(2) : `${low.toFixed(2)} to ${high.toFixed(2)}`;
  };
  const rows = groups.map(([key, own]) => {
    const [shuffle, kind] = JSON.parse(key) as [string, string];
    const rates = own.flatMap((pair) => pair.sameWrongLabelRate ?? []);
    return { shuffle, kind, own, rates };
  });
  printTable(rows, [
    { title: 'shuffle', value: ({ shuffle }) => shuffle },
    { title: 'pairs', value: ({ kind }) => kind },
    { title: 'count', value: ({ own }) => own.length },
    { title: 'kappa', value: ({ own }) => range(own.map(({ kappa }) => kappa)) },
    {
      title: 'same wrong label',
      value: ({ rates }) => (rates.length === 0 ? null : range(rates)),
    },
  ]);
}
