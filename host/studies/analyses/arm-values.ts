/** Numbers that finished runs have, by arm. */
import type { Unit } from '../../../contract/figures.ts';
import type { StudyRun, StudyView } from './definition.ts';
import type { SeedValue } from './intervals.ts';
import { comparedArms } from './pairs.ts';

/** A pretrained arm beside a random one. */
export interface Contrast {
  pretrained: string;
  random: string;
  /** What keys of quantities end in: nothing for the first of the study. */
  suffix: string;
}

/**
 * Every arm that does not start at random with every one that does; those that are compared by default
 * come first. Arms that learn from source images are left out.
 */
export function contrasts(view: StudyView): Contrast[] {
  const { arms } = view.study.spec;
  const first = comparedArms(view);
  const alike = Object.keys(arms).filter((arm) => !arms[arm]!.source);
  const random = alike.filter((arm) => arms[arm]!.init === 'random');
  return alike
    .filter((arm) => !random.includes(arm))
    .flatMap((pretrained) =>
      random.map((other): Contrast => {
        const isFirst = pretrained === first.pretrained && other === first.random;
        const suffix = isFirst ? '' : `.${pretrained} minus ${other}`;
        return { pretrained, random: other, suffix };
      }),
    )
    .sort((a, b) => Number(a.suffix !== '') - Number(b.suffix !== ''));
}

/** A number of the runs of an arm, by seed; runs without it are left out. */
export function armValues(
  { runs }: Pick<StudyView, 'runs'>,
  arm: string,
  shuffle: string,
  of: (run: StudyRun) => number | null,
): SeedValue[] {
  return runs.flatMap((run) => {
    if (run.kind !== 'target' || run.arm !== arm || run.shuffle !== shuffle) return [];
    const value = of(run);
    return value === null ? [] : [{ seed: run.seed, value, run: run.id }];
  });
}

/** What runs are judged by on the test images: with findings the mean AUC, else accuracy. */
export function score({ testAuc, testAccuracy }: StudyRun): number | null {
  return testAuc ?? testAccuracy;
}

export function scoreName({ study }: StudyView): { name: string; unit: Unit } {
  return study.sides.findings === null
    ? { name: 'test accuracy', unit: '%' }
    : { name: 'mean test AUC', unit: '1' };
}

/** Place in the palette of an arm of the study. */
export function colourOf({ study }: StudyView, arm: string): number {
  return Math.max(0, Object.keys(study.spec.arms).indexOf(arm));
}
