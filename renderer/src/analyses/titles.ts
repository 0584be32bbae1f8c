import type { AnalysisName } from '../../../contract/study-analyses.ts';

const TITLES: Record<AnalysisName, string> = {
  'shuffle-sweep': 'Shuffles',
  mistakes: 'Mistakes',
  cka: 'Features (CKA)',
  distance: 'Distance',
  barrier: 'Barrier',
  criticality: 'Criticality',
  checkpoints: 'Checkpoints',
  rewinding: 'Rewinding',
  'low-level-statistics': 'Low-level statistics',
  'transfer-depth': 'Transfer depth',
  'what-layers-see': 'What layers see',
  forgetting: 'Forgetting',
  'negative-transfer': 'Negative transfer',
  'low-data': 'Low data',
  'domain-shift': 'Domain shift',
  transferability: 'Transferability',
  'kinds-of-transfer': 'Kinds of transfer',
  bias: 'Bias',
  metrics: 'Metrics',
};

/** An analysis as its tab is called. */
export function titleOf(name: AnalysisName): string {
  return TITLES[name];
}
