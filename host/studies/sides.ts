import type { StudySpec } from '../../contract/study.ts';
import { FEW_UNITS } from '../../engine/analysis/agreement.ts';
import { countByClass, type StudyDataset, type StudyImage } from './data.ts';
import { problem, type Problem } from './issues.ts';
import { splitItems } from './split.ts';

/** The two sides of a study's data, after classes that cannot be learnt or scored are gone. */
export interface Sides {
  train: StudyImage[];
  /** Taken from the training side; empty when the study wants none. */
  validation: StudyImage[];
  test: StudyImage[];
  /** In order of name. */
  classNames: string[];
  /** By what the images were kept together, and what came of it. */
  groupedBy: string;
  warnings: string[];
  problems: Problem[];
}

/** Divides the images of the target domains as the study says. */
export function divide(spec: StudySpec, dataset: StudyDataset, images: StudyImage[]): Sides {
  const warnings: string[] = [];
  const enough = withoutSmallClasses(images, spec.data['min-per-class'], 'the target', warnings);
  const names = [...countByClass(enough).keys()];
  const items = enough.map(({ label, group }) => ({ label: names.indexOf(label), group }));
  const assigned = splitItems(items, spec.data.split);
  const side = (wanted: string) => enough.filter((_, index) => assigned[index] === wanted);
  const kept = withoutHalfClasses(side('train'), side('test'), warnings);
  warnings.push(...splitWarnings(spec, kept.train, kept.test, enough.length));
  const classNames = [...countByClass(kept.train).keys()];
  const problems = sideProblems(spec, { ...kept, images, enough, classNames });
  const { train, validation } = withoutValidation(spec, kept.train, classNames);
  warnings.push(...validationWarnings(train, validation, classNames));
  if (problems.length === 0 && spec.data.split.validation > 0 && validation.length === 0) {
    problems.push(noValidation(spec));
  }
  return {
    ...{ train, validation, test: kept.test, classNames },
    groupedBy: groupingText(spec, dataset, { train, validation, test: kept.test }),
    ...{ warnings, problems },
  };
}

/**
 * Takes the validation images out of the training side, as the study divides train from test:
 * whole groups, by its seed. A class keeps its training images where it would lose all of them.
 */
function withoutValidation(
  spec: StudySpec,
  images: StudyImage[],
  classNames: readonly string[],
): { train: StudyImage[]; validation: StudyImage[] } {
  const { validation: share, grouped, seed } = spec.data.split;
  if (share === 0) return { train: images, validation: [] };
  const items = images.map(({ label, group }) => ({ label: classNames.indexOf(label), group }));
  const options = { train: 1 - share, test: share, grouped, seed, stream: 'validation' } as const;
  const sides = splitItems(items, options);
  const learnt = new Set(images.flatMap(({ label }, i) => (sides[i] === 'train' ? [label] : [])));
  const isKept = (image: StudyImage, index: number): boolean =>
    sides[index] === 'train' || !learnt.has(image.label);
  return {
    train: images.filter(isKept),
    validation: images.filter((image, index) => !isKept(image, index)),
  };
}

function validationWarnings(
  train: readonly StudyImage[],
  validation: readonly StudyImage[],
  classNames: readonly string[],
): string[] {
  if (validation.length === 0) return [];
  const warnings: string[] = [];
  const counts = countByClass(validation);
  const without = classNames.filter((name) => !counts.has(name));
  if (without.length > 0) warnings.push(`without a validation image: ${without.join(', ')}`);
  const seen = new Set(train.map(({ sha256 }) => sha256));
  const twins = validation.filter(({ sha256 }) => seen.has(sha256)).length;
  if (twins > 0) {
    warnings.push(`${twins} validation images are byte for byte the same as a training image`);
  }
  return warnings;
}

function noValidation({ data }: StudySpec): Problem {
  const { validation, grouped } = data.split;
  const hint = grouped
    ? 'there are too few groups; try a larger share, another split seed or grouped: false'
    : 'there are too few images; try a larger share';
  const message = `no validation image is left for a share of ${validation}: ${hint}`;
  return problem(['data', 'split', 'validation'], message);
}

/** Images of classes with at least `least` of them; the others are named in a warning. */
export function withoutSmallClasses(
  images: StudyImage[],
  least: number,
  where: string,
  warnings: string[],
): StudyImage[] {
  const counts = countByClass(images);
  const small = [...counts].filter(([, count]) => count < least);
  if (small.length === 0) return images;
  const list = small.map(([name, count]) => `${name} (${count})`).join(', ');
  warnings.push(
    `left out of ${where}: ${small.length} of ${counts.size} classes with fewer than ${least} images: ${list}`,
  );
  return images.filter(({ label }) => (counts.get(label) ?? 0) >= least);
}

/** A class is kept where it can be both learnt and scored. */
function withoutHalfClasses(
  train: StudyImage[],
  test: StudyImage[],
  warnings: string[],
): { train: StudyImage[]; test: StudyImage[] } {
  const trained = countByClass(train);
  const tested = countByClass(test);
  const untested = [...trained.keys()].filter((name) => !tested.has(name));
  const untrained = [...tested.keys()].filter((name) => !trained.has(name));
  if (untested.length > 0) {
    warnings.push(`left out, no test image after the split: ${untested.join(', ')}`);
  }
  if (untrained.length > 0) {
    warnings.push(`left out, no training image after the split: ${untrained.join(', ')}`);
  }
  return {
    train: train.filter(({ label }) => tested.has(label)),
    test: test.filter(({ label }) => trained.has(label)),
  };
}

function groupingText(
  spec: StudySpec,
  dataset: StudyDataset,
  { train, validation, test }: Pick<Sides, 'train' | 'validation' | 'test'>,
): string {
  if (!spec.data.split.grouped) return 'nothing: single images, stratified by class';
  const groupsOf = (images: readonly StudyImage[]) => new Set(images.map(({ group }) => group));
  const sides = [train, validation, test].map(groupsOf);
  const [inTrain, inValidation, inTest] = sides.map(({ size }) => size);
  const all = new Set(sides.flatMap((groups) => [...groups])).size;
  const both = sides.reduce((sum, { size }) => sum + size, 0) - all;
  const middle = validation.length === 0 ? '' : ` ${inValidation} in validation,`;
  const across = validation.length === 0 ? 'both' : 'more than one';
  return `${dataset.groupedBy}: ${inTrain} groups in train,${middle} ${inTest} in test, ${both} in ${across}`;
}

function splitWarnings(
  spec: StudySpec,
  train: StudyImage[],
  test: StudyImage[],
  all: number,
): string[] {
  const warnings: string[] = [];
  const reason = spec.data.split.grouped ? 'groups are kept whole' : 'small classes are rounded';
  const reached = (count: number) => count / Math.max(1, all);
  for (const [name, wanted, count] of [
    ['train', spec.data.split.train, train.length],
    ['test', spec.data.split.test, test.length],
  ] as const) {
    if (Math.abs(reached(count) - wanted) <= 0.05) continue;
    warnings.push(
      `${name} got ${percent(reached(count))} of the images instead of ${percent(wanted)}: ${reason}`,
    );
  }
  const groups = new Set(test.map(({ group }) => group)).size;
  if (spec.data.split.grouped && groups > 0 && groups < FEW_UNITS) {
    warnings.push(`only ${groups} groups are tested: intervals, which resample groups, are rough`);
  }
  const seen = new Set(train.map(({ sha256 }) => sha256));
  const twins = test.filter(({ sha256 }) => seen.has(sha256)).length;
  if (twins > 0) {
    warnings.push(`${twins} test images are byte for byte the same as a training image (leak)`);
  }
  return warnings;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

interface Outcome {
  train: StudyImage[];
  test: StudyImage[];
  /** Before and after small classes were left out. */
  images: StudyImage[];
  enough: StudyImage[];
  classNames: string[];
}

function sideProblems(spec: StudySpec, outcome: Outcome): Problem[] {
  const { train, test, images, enough, classNames } = outcome;
  const all = countByClass(images).size;
  const left = countByClass(enough).size;
  const least = spec.data['min-per-class'];
  const removed = `min-per-class: ${least} left out ${all - left} of ${all} classes`;
  if (left < 2 && left < all) {
    const path = ['data', 'min-per-class'];
    return [problem(path, `${removed}; a classifier needs two or more`)];
  }
  const also = left < all ? ` (${removed})` : '';
  if (train.length === 0 || test.length === 0) {
    const hint = spec.data.split.grouped
      ? 'there are too few groups or images; try another split seed, other fractions or grouped: false'
      : 'there are too few images per class';
    const message = `no class has both training and test images: ${hint}${also}`;
    return [problem(['data', 'split'], message)];
  }
  if (classNames.length >= 2) return [];
  const message = `only one class is left (${classNames.join()}); a classifier needs two or more`;
  return [problem(['data'], `${message}${also}`)];
}
