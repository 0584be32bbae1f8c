/** What keeps a study from running on its images as they were divided. */
import { splitKindOf, type StudySpec } from '../../contract/study.ts';
import { keepsGroups } from './assign.ts';
import type { StudyImage } from './data.ts';
import { problem, type Problem } from './issues.ts';
import type { Labelled } from './labelling.ts';
import { armTraining } from './overrides.ts';

interface Outcome {
  train: StudyImage[];
  validation: StudyImage[];
  test: StudyImage[];
  /** Before and after small classes, then those that cannot be learnt, were left out. */
  all: Labelled;
  enough: Labelled;
  kept: Labelled;
}

/** The first thing that is wrong with the sides, if any. */
export function sideProblems(spec: StudySpec, outcome: Outcome): Problem[] {
  const found =
    classProblem(spec, outcome) ??
    givenProblem(spec, outcome) ??
    emptyProblem(spec, outcome) ??
    unknownProblem(outcome) ??
    validationProblem(spec, outcome);
  return found ? [found] : [];
}

/** Classes that a classifier needs at least; a finding is there or not. */
function leastClasses({ findings }: Labelled): number {
  return findings ? 1 : 2;
}

function removed(spec: StudySpec, { all, enough }: Outcome): string {
  const [before, after] = [all.classNames.length, enough.classNames.length];
  const what = all.findings ? 'findings' : 'classes';
  return `min-per-class: ${spec.data['min-per-class']} left out ${before - after} of ${before} ${what}`;
}

const NEEDS = { one: 'one finding is needed', two: 'a classifier needs two or more' };

function needed({ findings }: Labelled): string {
  return findings ? NEEDS.one : NEEDS.two;
}

function classProblem(spec: StudySpec, outcome: Outcome): Problem | null {
  const { all, enough } = outcome;
  const left = enough.classNames.length;
  if (left >= leastClasses(all) || left === all.classNames.length) return null;
  return problem(['data', 'min-per-class'], `${removed(spec, outcome)}; ${needed(all)}`);
}

function givenProblem({ data }: StudySpec, { enough }: Outcome): Problem | null {
  if (splitKindOf(data.split) !== 'given') return null;
  const counts = { train: 0, validation: 0, test: 0, none: 0 };
  for (const { split } of enough.images) counts[split ?? 'none'] += 1;
  if (counts.train > 0 && counts.test > 0) return null;
  const missing = counts.train === 0 ? 'training' : 'test';
  const { train, validation, test, none } = counts;
  const there = `${train} training, ${validation} validation, ${test} test images, ${none} in none of them`;
  const message = `the source gives no ${missing} images, but ${there}; choose another kind of split`;
  return problem(['data', 'split', 'kind'], message);
}

function emptyProblem(spec: StudySpec, outcome: Outcome): Problem | null {
  const { train, test, all, enough, kept } = outcome;
  const also =
    enough.classNames.length < all.classNames.length ? ` (${removed(spec, outcome)})` : '';
  if (train.length === 0 || test.length === 0) {
    const grouped = keepsGroups(splitKindOf(spec.data.split));
    const hint = grouped
      ? 'there are too few groups or images; try another split seed or other fractions, or kind: stratified with allow-leaks: true'
      : 'there are too few images per class';
    const message = `no class has both training and test images: ${hint}${also}`;
    return problem(['data', 'split'], message);
  }
  const { classNames } = kept;
  if (classNames.length >= leastClasses(all)) return null;
  const left = classNames.length === 0 ? 'no finding is' : `only one class is`;
  const names = classNames.length === 0 ? '' : ` (${classNames.join()})`;
  return problem(['data'], `${left} left${names}; ${needed(all)}${also}`);
}

/** Every finding unknown on every image of a side: nothing to score. */
function unknownProblem({ validation, test, kept }: Outcome): Problem | null {
  if (!kept.findings) return null;
  const isUnknown = ({ targets }: StudyImage) => targets!.every((target) => target === null);
  const side = test.every(isUnknown) ? 'test' : 'validation';
  if (side === 'validation' && (validation.length === 0 || !validation.every(isUnknown))) {
    return null;
  }
  return problem(['data', 'findings'], `no finding is known on any ${side} image`);
}

function validationProblem(spec: StudySpec, { validation }: Outcome): Problem | null {
  const { split } = spec.data;
  if (validation.length > 0) return null;
  const path = ['data', 'split', 'validation'];
  if (split.validation > 0) {
    const hint = keepsGroups(splitKindOf(split))
      ? 'there are too few groups; try a larger share or another split seed'
      : 'there are too few images; try a larger share';
    const message = `no validation image is left for a share of ${split.validation}: ${hint}`;
    return problem(path, message);
  }
  const stops = Object.keys(spec.arms).some((arm) => armTraining(spec, arm)['early-stopping']);
  if (!stops) return null;
  const message =
    'early stopping needs validation images, and the source gives none: set a share of the training images, such as 0.15';
  return problem(path, message);
}
