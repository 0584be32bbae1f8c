import type { Quantity } from '../../../contract/figures.ts';
import type { Cell } from '../../csv.ts';
import { asText, csvLine } from '../../csv.ts';
import type { ReportData } from './data.ts';

/** Rows as CSV with a heading line; where the split leaks, each says so in a last column. */
function csv({ results }: ReportData, heading: string[], rows: readonly Cell[][]): string {
  const leaks = results.warnings.join('; ');
  if (leaks === '') return [heading, ...rows].map(csvLine).join('');
  return [[...heading, 'leak'], ...rows.map((row) => [...row, leaks])].map(csvLine).join('');
}

/** The tables that lie beside a report, by file name. */
export function tables(data: ReportData): Record<string, string> {
  return {
    'runs.csv': runsTable(data),
    'epochs.csv': epochsTable(data),
    'pairs.csv': pairsTable(data),
    ...(data.results.findings.length > 0 && { 'findings.csv': findingsTable(data) }),
    ...(data.results.subgroups.length > 0 && { 'subgroups.csv': subgroupsTable(data) }),
    ...analysisTables(data),
  };
}

function runsTable(data: ReportData): string {
  const heading =
    'run,kind,arm,domains,seed,shuffle,start,epochs,epochs_done,best_epoch,train_images,validation_images,test_images,train_accuracy,test_accuracy,test_auc,optimisation_speed,device,weights_sha256';
  return csv(
    data,
    heading.split(','),
    data.runs.map((run) => [
      run.id,
      run.kind,
      run.arm,
      run.domains.join(' '),
      run.seed,
      run.shuffle,
      run.parentCheckpoint ?? 'random',
      run.epochs,
      run.epochsDone,
      run.bestEpoch,
      run.trainImages,
      run.validationImages,
      run.testImages,
      run.trainAccuracy,
      run.testAccuracy,
      run.testAuc,
      run.optimisationSpeed,
      run.device,
      run.weightsHash,
    ]),
  );
}

function epochsTable(data: ReportData): string {
  const heading =
    'run,epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,test_loss,test_accuracy,train_auc,validation_auc,test_auc,learning_rate,seconds';
  return csv(
    data,
    heading.split(','),
    data.runs.flatMap(({ id, curve }) =>
      curve.map((each) => [
        id,
        each.epoch,
        each.trainLoss,
        each.trainAccuracy,
        each.validationLoss,
        each.validationAccuracy,
        each.testLoss,
        each.testAccuracy,
        each.trainAuc,
        each.validationAuc,
        each.testAuc,
        each.learningRate,
        each.seconds,
      ]),
    ),
  );
}

function pairsTable(data: ReportData): string {
  const heading =
    'kind,shuffle,a,b,n,kappa,kappa_low,kappa_high,same_wrong_label_rate,common_mistakes,uncommon_mistakes';
  return csv(
    data,
    heading.split(','),
    data.results.pairs.map((pair) => [
      pair.kind,
      pair.shuffle,
      pair.a,
      pair.b,
      pair.n,
      pair.kappa,
      ...pair.kappaInterval,
      pair.sameWrongLabelRate,
      pair.commonMistakes,
      pair.uncommonMistakes,
    ]),
  );
}

function findingsTable(data: ReportData): string {
  const heading = 'finding,shuffle,arm,positives,negatives,auc_mean,auc_min,auc_max';
  return csv(
    data,
    heading.split(','),
    data.results.findings.map(({ finding, shuffle, arm, positives, negatives, auc }) => [
      ...[asText(finding), shuffle, arm, positives, negatives],
      ...[auc?.mean ?? null, auc?.min ?? null, auc?.max ?? null],
    ]),
  );
}

function subgroupsTable(data: ReportData): string {
  const heading =
    'attribute,value,shuffle,arm,images,accuracy_mean,accuracy_min,accuracy_max,auc_mean,auc_min,auc_max';
  return csv(
    data,
    heading.split(','),
    data.results.subgroups.map(({ attribute, value, shuffle, arm, images, accuracy, auc }) => [
      ...[asText(attribute), asText(value), shuffle, arm, images],
      ...[accuracy.mean, accuracy.min, accuracy.max],
      ...[auc?.mean ?? null, auc?.min ?? null, auc?.max ?? null],
    ]),
  );
}

/** The tables of analyses, and all quantities that claims may be judged by. */
function analysisTables(data: ReportData): Record<string, string> {
  const { analyses, results } = data;
  const own = analyses.flatMap(({ name, tables: made }) =>
    made.map(({ id, columns, rows }): [string, string] => {
      const cells = rows.map((row) => columns.map(({ key }) => cellOf(row[key] ?? null)));
      return [
        `${name}-${id}.csv`,
        csv(
          data,
          columns.map(({ key }) => key),
          cells,
        ),
      ];
    }),
  );
  const quantities = analyses.flatMap((analysis) => analysis.quantities);
  if (quantities.length > 0) own.push(['quantities.csv', quantitiesTable(data, quantities)]);
  if (results.claims.length > 0) own.push(['scorecard.csv', claimsTable(data)]);
  return Object.fromEntries(own);
}

function cellOf(value: string | number | null): Cell {
  return typeof value === 'string' ? asText(value) : value;
}

function quantitiesTable(data: ReportData, quantities: readonly Quantity[]): string {
  const heading = ['key', 'title', 'value', 'low', 'high', 'n', 'method'];
  const rows = quantities.map(({ key, title, value, interval, n, method }) => [
    ...[asText(key), asText(title), value, interval?.[0] ?? null, interval?.[1] ?? null],
    ...[n, asText(method)],
  ]);
  return csv(data, heading, rows);
}

function claimsTable(data: ReportData): string {
  const heading = [
    'claim',
    'source',
    'quantity',
    'above',
    'below',
    'value',
    'low',
    'high',
    'verdict',
  ];
  const rows = data.results.claims.map(({ claim, source, quantity, above, below, ...judged }) => [
    ...[asText(claim), asText(source ?? ''), asText(quantity), above ?? null, below ?? null],
    ...[judged.measured?.value ?? null, ...(judged.measured?.interval ?? [null, null])],
    judged.verdict,
  ]);
  return csv(data, heading, rows);
}
