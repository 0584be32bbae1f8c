/** What each analysis measures, loaded in the process that does it. */
import type { AnalysisName } from '../../../contract/study-analyses.ts';
import type { Measure } from './lab.ts';

type Load = () => Promise<{ measure: Measure<never, unknown> }>;

export const MEASURES: Partial<Record<AnalysisName, Load>> = {
  barrier: () => import('./barrier/measure.ts'),
  bias: () => import('./bias/measure.ts'),
  checkpoints: () => import('./checkpoints/measure.ts'),
  cka: () => import('./cka/measure.ts'),
  criticality: () => import('./criticality/measure.ts'),
  distance: () => import('./distance/measure.ts'),
  forgetting: () => import('./forgetting/measure.ts'),
  'kinds-of-transfer': () => import('./kinds-of-transfer/measure.ts'),
  'low-data': () => import('./low-data/measure.ts'),
  'low-level-statistics': () => import('./low-level-statistics/measure.ts'),
  metrics: () => import('./metrics/measure.ts'),
  mistakes: () => import('./mistakes/measure.ts'),
  'negative-transfer': () => import('./negative-transfer/measure.ts'),
  rewinding: () => import('./rewinding/measure.ts'),
  'shuffle-sweep': () => import('./shuffle-sweep/measure.ts'),
  'what-layers-see': () => import('./what-layers-see/measure.ts'),
  'domain-shift': () => import('./domain-shift/measure.ts'),
  'transfer-depth': () => import('./transfer-depth/measure.ts'),
  transferability: () => import('./transferability/measure.ts'),
};
