/** What runs said about the images, for analyses that need no network: planned in the host. */
import { CarryoverError } from '../../../contract/errors.ts';
import { groupNumbers } from '../group-numbers.ts';
import { requireLogits } from '../predictions.ts';
import type { StudyRun, StudyView } from './definition.ts';
import { armRuns } from './pairs.ts';

/** A run with the names of its logits' files, in the run's folder. */
export interface SaidRef {
  run: string;
  arm: string;
  seed: number;
  test: string;
  train: string;
}

/** Refers to the logits of finished runs. Throws as `requireLogits`. */
export function saidBy({ context }: StudyView, runs: readonly StudyRun[]): SaidRef[] {
  return runs.map(({ id, arm, seed }) => {
    const file = (split: 'train' | 'test') => requireLogits(context, id, split).name;
    return { run: id, arm, seed, test: file('test'), train: file('train') };
  });
}

/** Runs of the study's arms that are not shuffled. Throws `unsupported` where there are none. */
export function plainRuns(view: StudyView, name: string): StudyRun[] {
  const runs = armRuns(view);
  if (runs.length > 0) return runs;
  throw new CarryoverError('unsupported', `${name} needs runs that are not shuffled`, {
    wayOut: 'add none to shuffles',
  });
}

/** A number per test image, the same within a group; null where every image is its own group. */
export function testGroups({ study: { sides } }: StudyView): number[] | null {
  return groupNumbers(sides.test);
}

/** How an interval over test images was made. */
export function bootstrapMethod(images: number, groups: number[] | null, replicates: number) {
  const units = groups === null ? images : new Set(groups).size;
  const unit = groups === null ? 'images' : 'groups';
  return `bootstrap over ${units} ${unit}, ${replicates} replicates`;
}
