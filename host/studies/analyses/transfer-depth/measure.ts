import type { Measure } from '../lab.ts';

/** A run of an arm, as the runs' own rows have it. */
export interface DepthRun {
  run: string;
  arm: string;
  seed: number;
  score: number;
}

export interface TransferDepthJob {
  /** The pretrained arm A, and the random arm B. */
  base: string;
  random: string;
  /** Stages, from the images to the head. */
  cuts: string[];
  runs: DepthRun[];
}

/** All is in the runs. */
export const measure: Measure<TransferDepthJob, null> = () => Promise.resolve(null);
