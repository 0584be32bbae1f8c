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

const HINTS: Record<AnalysisName, string> = {
  'shuffle-sweep': 'accuracy and speed by block size',
  mistakes: 'common and uncommon mistakes, by class',
  cka: 'how alike the layers are',
  distance: 'how far the weights went, by module',
  barrier: 'loss on the line between two seeds; needs two seeds',
  criticality: 'what rewinding a module costs',
  checkpoints: 'starts from epochs of the pretraining; trains more',
  rewinding: 'starts from early epochs of a run; trains more',
  'low-level-statistics': 'starts with statistics of the weights only; trains more',
  'transfer-depth': 'copied and frozen up to each stage; trains more',
  'what-layers-see': 'filters, activations and attribution',
  forgetting: 'accuracy on the source, before and after',
  'negative-transfer': 'where the pretrained start does worse',
  'low-data': 'accuracy by images of each class; trains more',
  'domain-shift': 'how far source and target are apart',
  transferability: 'scores of checkpoints before training',
  'kinds-of-transfer': 'other ways to use the source; trains more',
  bias: 'accuracy and calibration by subgroup',
  metrics: 'balanced accuracy, F1, AUC, calibration',
};

/** What an analysis asks, in a few words. */
export function hintOf(name: AnalysisName): string {
  return HINTS[name];
}
