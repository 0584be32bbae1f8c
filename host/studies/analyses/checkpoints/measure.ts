import type { Measure } from '../lab.ts';

/** All that is shown was measured when the runs were trained. */
export const measure: Measure<Record<string, never>, null> = async () => null;
