import type { Unit } from '../../../../contract/figures.ts';
import type { RunMetrics } from './measure.ts';

/** The numbers there is one of per run. */
export const METRICS = [
  { key: 'accuracy', title: 'accuracy', unit: '%' },
  { key: 'balancedAccuracy', title: 'balanced accuracy', unit: '%' },
  { key: 'macroF1', title: 'macro F1', unit: '1' },
  { key: 'auc', title: 'mean AUC', unit: '1' },
  { key: 'ece', title: 'calibration error (ECE, debiased)', unit: '1' },
] as const satisfies { key: keyof RunMetrics; title: string; unit: Unit }[];

/** As keys of quantities write it. */
export const METRIC_NAMES: Record<(typeof METRICS)[number]['key'], string> = {
  accuracy: 'accuracy',
  balancedAccuracy: 'balanced-accuracy',
  macroF1: 'macro-f1',
  auc: 'auc',
  ece: 'ece',
};
