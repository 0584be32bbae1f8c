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
