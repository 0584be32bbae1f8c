import type { Measure } from '../lab.ts';

/** What the runs came to: nothing else is measured. */
export interface LowDataJob {
  runs: LowDataRun[];
  /** Learning curves of the runs on all images: what training to a given score takes. */
  curves: { run: string; arm: string; seed: number; points: TimedPoint[] }[];
}

export interface LowDataRun {
  run: string;
  /** Of the study, whose start and recipe it has. */
  arm: string;
  seed: number;
  /** Mean training images per class. */
  perClass: number;
  /** `5`, as the options have it, or `all`. */
  size: string;
  score: number;
}

/** A run after an epoch. */
export interface TimedPoint {
  epoch: number;
  /** Since the start. */
  seconds: number;
  score: number;
}

export const measure: Measure<LowDataJob, null> = () => Promise.resolve(null);
