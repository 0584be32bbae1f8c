import type { Measure } from '../lab.ts';

/** What the runs came to, by arm, shuffle and seed: nothing else is measured. */
export interface ShuffleSweepJob {
  runs: {
    run: string;
    arm: string;
    shuffle: string;
    seed: number;
    score: number;
    speed: number | null;
  }[];
}

export const measure: Measure<ShuffleSweepJob, null> = () => Promise.resolve(null);
