/** What each analysis measures, loaded in the process that does it. */
import type { AnalysisName } from '../../../contract/study-analyses.ts';
import type { Measure } from './lab.ts';

type Load = () => Promise<{ measure: Measure<never, unknown> }>;

export const MEASURES: Partial<Record<AnalysisName, Load>> = {
  distance: () => import('./distance/measure.ts'),
};
