/** What the process of an analysis is given (a JSON file) and says (by IPC). */
import type { AnalysisName } from '../../../contract/study-analyses.ts';
import type { Failure } from '../../../contract/errors.ts';

export interface MeasureJob {
  name: AnalysisName;
  /** What the analysis planned. */
  job: unknown;
  /** The home's folder of runs. */
  runs: string;
  /** Weights files by `networkKey`. */
  weights: Record<string, string>;
  /** Gets pictures, and what was found so far. */
  folder: string;
}

export type MeasureMessage =
  | { type: 'progress'; phase: string; done: number; total: number; unit: string }
  | { type: 'done'; measured: unknown }
  | { type: 'failed'; failure: Failure };

/** How a network is called in `MeasureJob.weights`. */
export function networkKey({ run, epoch }: { run: string; epoch: number }): string {
  return `${run}@${epoch}`;
}
