import type { StudySpec } from '../../contract/study.ts';
import { FEW_UNITS } from '../../engine/analysis/agreement.ts';
import { countByClass, type StudyDataset, type StudyImage } from './data.ts';
import { problem, type Problem } from './issues.ts';
import { splitItems } from './split.ts';

/** The two sides of a study's data, after classes that cannot be learnt or scored are gone. */
export interface Sides {
  train: StudyImage[];
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
  return {
    ...kept,
    classNames,
    groupedBy: groupingText(spec, dataset, kept.train, kept.test),
    warnings,
    problems: sideProblems(spec, { ...kept, images, enough, classNames }),
  };
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
  train: StudyImage[],
  test: StudyImage[],
): string {
  if (!spec.data.split.grouped) return 'nothing: single images, stratified by class';
  const inTrain = new Set(train.map(({ group }) => group));
  const inTest = new Set(test.map(({ group }) => group));
  const both = [...inTest].filter((group) => inTrain.has(group)).length;
  return `${dataset.groupedBy}: ${inTrain.size} groups in train, ${inTest.size} in test, ${both} in both`;
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
