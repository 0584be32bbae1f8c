/** The analyses there are. */
import type { AnalysisName } from '../../../contract/study-analyses.ts';
import type { AnalysisDefinition } from './definition.ts';
import { barrier } from './barrier/index.ts';
import { bias } from './bias/index.ts';
import { checkpoints } from './checkpoints/index.ts';
import { cka } from './cka/index.ts';
import { criticality } from './criticality/index.ts';
import { distance } from './distance/index.ts';
import { domainShift } from './domain-shift/index.ts';
import { forgetting } from './forgetting/index.ts';
import { kindsOfTransfer } from './kinds-of-transfer/index.ts';
import { lowData } from './low-data/index.ts';
import { lowLevelStatistics } from './low-level-statistics/index.ts';
import { metrics } from './metrics/index.ts';
import { mistakes } from './mistakes/index.ts';
import { negativeTransfer } from './negative-transfer/index.ts';
import { rewinding } from './rewinding/index.ts';
import { shuffleSweep } from './shuffle-sweep/index.ts';
import { transferDepth } from './transfer-depth/index.ts';
import { transferability } from './transferability/index.ts';
import { whatLayersSee } from './what-layers-see/index.ts';

const DEFINITIONS = [
  barrier,
  bias,
  checkpoints,
  cka,
  criticality,
  distance,
  domainShift,
  forgetting,
  kindsOfTransfer,
  lowData,
  lowLevelStatistics,
  metrics,
  mistakes,
  negativeTransfer,
  rewinding,
  shuffleSweep,
  transferDepth,
  transferability,
  whatLayersSee,
];

/** The definition of an analysis. Every name of the contract has one. */
export function definitionOf(name: AnalysisName): AnalysisDefinition<AnalysisName> {
  const found = DEFINITIONS.find((each) => each.name === name);
  if (!found) throw new Error(`there is no analysis ${name}`);
  return found as unknown as AnalysisDefinition<AnalysisName>;
}

/** Whether an entry of a study is one of these: the basic ones are not. */
export function isDefined(name: string): name is AnalysisName {
  return DEFINITIONS.some((each) => each.name === name);
}
