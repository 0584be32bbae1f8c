import {
  weightDistance,
  type ModuleDistance,
  type Distance,
} from '../../../../engine/analysis/distance.ts';
import type { NetworkRef } from '../definition.ts';
import type { Measure } from '../lab.ts';

export interface DistanceJob {
  head: 'excluded' | 'included';
  pairs: { a: NetworkRef; b: NetworkRef }[];
}

/** In the order of the job's pairs. */
export type Distances = { whole: Distance; modules: ModuleDistance[] }[];

export const measure: Measure<DistanceJob, Distances> = async ({ head, pairs }, lab) => {
  const found: Distances = [];
  for (const { a, b } of pairs) {
    lab.tell('distances of weights', found.length, pairs.length, 'pairs');
    const [from, to] = [await lab.weights(a), await lab.weights(b)];
    found.push(weightDistance(from, to, lab.parameters(a.run), head));
  }
  return found;
};
