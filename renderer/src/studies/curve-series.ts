import type { EpochMetrics } from '../../../contract/runs.ts';
import { armVariable } from '../lib/arms.ts';
import type { Series } from '../lib/charts.ts';
import type { RunRow } from './run-rows.ts';

export const METRICS = [
  { key: 'testAuc', title: 'Test AUC' },
  { key: 'testAccuracy', title: 'Test accuracy' },
  { key: 'trainAccuracy', title: 'Training accuracy' },
  { key: 'validationAccuracy', title: 'Validation accuracy' },
  { key: 'testLoss', title: 'Test loss' },
  { key: 'validationLoss', title: 'Validation loss' },
  { key: 'trainLoss', title: 'Training loss' },
] as const;
export type MetricKey = (typeof METRICS)[number]['key'];

/** One line per run: a metric over the epochs, coloured by arm; epochs without it are left out. */
export function curveSeries(
  rows: readonly RunRow[],
  curves: { get(id: string): EpochMetrics[] | undefined },
  metric: MetricKey,
): Series[] {
  return rows.map((row) => ({
    key: row.id,
    label: `${row.arm} seed ${row.seed}`,
    group: row.arm,
    colour: armVariable(row.arm),
    dashed: row.kind === 'pretraining',
    points: (curves.get(row.id) ?? []).flatMap((epoch) => {
      const y = epoch[metric];
      return y === null ? [] : [{ x: epoch.epoch, y }];
    }),
  }));
}

/** Two pieces of one curve joined by epoch; the later piece wins. */
export function merge(before: readonly EpochMetrics[], after: readonly EpochMetrics[]) {
  const epochs = new Map([...before, ...after].map((metrics) => [metrics.epoch, metrics]));
  return [...epochs.values()].toSorted((a, b) => a.epoch - b.epoch);
}
