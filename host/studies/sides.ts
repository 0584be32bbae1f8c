import type { Database } from 'better-sqlite3';
import { findingsSchema } from '../../contract/findings.ts';
import { splitKindOf, type StudySpec } from '../../contract/study.ts';
import { listNames } from '../datasets/read.ts';
import { assign, keepsGroups, takeValidation } from './assign.ts';
import type { Part, Parts, Times } from './assign.ts';
import { attributeNames, attributeValues, countByClass } from './data.ts';
import type { StudyDataset, StudyImage } from './data.ts';
import { problem, unknownName, type Problem } from './issues.ts';
import { chooseFindings, keepClasses, labelled, withoutSmallClasses } from './labelling.ts';
import type { ChosenFindings, Labelled } from './labelling.ts';
import { splitLeaks } from './leaks.ts';
import { sideProblems } from './side-problems.ts';
import { lowDataWarnings, splitWarnings } from './side-warnings.ts';
import { readTimes } from './times.ts';
import { drawFew, imagesBehind } from './training-images.ts';

/** The sides of a study's data, after classes that cannot be learnt or scored are gone. */
export interface Sides {
  train: StudyImage[];
  /** The same before `per-class` took most of them. */
  allTrain: StudyImage[];
  /** Taken from the training side, or as the source gives it; empty where there is none. */
  validation: StudyImage[];
  test: StudyImage[];
  /** In order of name; findings in that of the data set. */
  classNames: string[];
  /** null: single-label. */
  findings: ChosenFindings | null;
  /** By what the images were kept together, and what came of it. */
  groupedBy: string;
  /** What is on two sides although it should not, of all that arms learn from; only with `allow-leaks`. */
  leaks: string[];
  warnings: string[];
  problems: Problem[];
}

/** What a study's data is divided from. */
export interface Source {
  db: Database;
  /** With the arms that analyses ask for, which may learn from more images. */
  spec: StudySpec;
  dataset: StudyDataset;
}

/** Divides the images of the target domains as the study says. */
export function divide(source: Source, images: StudyImage[]): Sides {
  const { spec, dataset } = source;
  const { data } = spec;
  const [warnings, problems]: [string[], Problem[]] = [[], []];
  const findings = findingsFor(source, problems);
  const { timed, times } = withTimes(source, images, warnings, problems);
  if (problems.length > 0) return { ...NOTHING, findings, problems };
  const all = labelled(timed, findings);
  const enough = withoutSmallClasses(all, data['min-per-class'], 'the target', warnings);
  const parts = assign(spec, enough, times);
  const kept = keepClasses(enough, learnable(enough, parts, warnings));
  const given = kept.images.some(({ id }) => parts.get(id) === 'validation');
  const whole = partsOf(kept, parts);
  if (data.split.validation > 0 && !given) takeValidation(spec, kept, parts, times);
  const allTrain = partsOf(kept, parts).train;
  if (data['per-class'] !== undefined) takeFew(data['per-class'], spec, allTrain, parts);
  const sides = partsOf(kept, parts);
  problems.push(...sideProblems(spec, { ...sides, all, enough, kept }));
  warnings.push(
    ...splitWarnings(spec, { ...sides, train: whole.train, kept, all: enough.images.length }),
    ...lowDataWarnings(data['per-class'], sides.train, kept.classNames),
  );
  const learnt = imagesBehind(spec, Object.keys(spec.arms), { ...sides, allTrain });
  const leaks = splitLeaks({ ...sides, train: learnt }, dataset.groupedBy);
  if (leaks.length > 0 && !data.split['allow-leaks']) problems.push(leakProblem(spec, leaks));
  const groupedBy = groupingText(spec, dataset, sides);
  return {
    ...{ ...sides, allTrain },
    ...{ classNames: kept.classNames, findings: kept.findings, groupedBy, leaks },
    warnings: [...leaks, ...warnings],
    problems,
  };
}

const NOTHING: Omit<Sides, 'findings' | 'problems'> = {
  ...{ train: [], allTrain: [], validation: [], test: [], classNames: [] },
  ...{ groupedBy: '', leaks: [], warnings: [] },
};

/** null: the data set has one class an image. */
function findingsFor({ db, spec, dataset }: Source, problems: Problem[]): ChosenFindings | null {
  const path = ['data', 'findings'];
  const written = spec.data.findings;
  if (dataset.task === 'single-label') {
    if (written !== undefined) {
      const message = `data set "${dataset.name}" has one class an image, no findings; leave this out`;
      problems.push(problem(path, message));
    }
    return null;
  }
  const known = listNames(db, 'classes', dataset.id);
  const chosen = chooseFindings(written ?? findingsSchema.parse({}), known, path);
  problems.push(...chosen.problems);
  return chosen.findings;
}

/** The images that have a time, where the split goes by it. */
function withTimes(
  { db, spec, dataset }: Source,
  images: StudyImage[],
  warnings: string[],
  problems: Problem[],
): { timed: StudyImage[]; times: Times } {
  const { split } = spec.data;
  const { column } = split;
  if (splitKindOf(split) !== 'temporal' || column === undefined)
    return { timed: images, times: null };
  const path = ['data', 'split', 'column'];
  const names = attributeNames(db, dataset.id);
  if (!names.includes(column)) {
    problems.push(unknownName(path, `attribute of "${dataset.name}"`, column, names));
    return { timed: images, times: null };
  }
  const texts = attributeValues(db, dataset.id, column);
  const timed = images.filter(({ id }) => texts.has(id));
  if (timed.length < images.length) {
    warnings.push(`left out: ${images.length - timed.length} images without a value of ${column}`);
  }
  const read = readTimes(timed.map(({ id }) => texts.get(id)!));
  if (read.times === null) {
    const message = `"${read.bad}" in ${column} is no time: all must be numbers, or all dates such as 2019-05-31`;
    problems.push(problem(path, message));
    return { timed, times: null };
  }
  return { timed, times: new Map(timed.map(({ id }, at) => [id, read.times[at]!])) };
}

function partsOf({ images }: Labelled, parts: Parts) {
  const of = (wanted: Part) => images.filter(({ id }) => parts.get(id) === wanted);
  return { train: of('train'), validation: of('validation'), test: of('test') };
}

/** Classes that can be both learnt and scored; findings that can be learnt. The others are named. */
function learnable(all: Labelled, parts: Parts, warnings: string[]): string[] {
  const { train, test } = partsOf(all, parts);
  const [trained, tested] = [countByClass(train), countByClass(test)];
  const { classNames } = all;
  const leave = (why: string, names: string[]): void => {
    if (names.length > 0) warnings.push(`left out, ${why} after the split: ${names.join(', ')}`);
  };
  const untrained = classNames.filter((name) => !trained.has(name));
  if (all.findings) {
    leave('no training image with it', untrained);
    const always = classNames.filter((_, at) => !train.some(({ targets }) => targets![at] === 0));
    leave('no training image without it', always);
    return classNames.filter((name) => !untrained.includes(name) && !always.includes(name));
  }
  const untested = classNames.filter((name) => trained.has(name) && !tested.has(name));
  leave('no test image', untested);
  leave(
    'no training image',
    untrained.filter((name) => tested.has(name)),
  );
  return classNames.filter((name) => trained.has(name) && tested.has(name));
}

function takeFew(
  most: number,
  spec: StudySpec,
  allTrain: readonly StudyImage[],
  parts: Parts,
): void {
  for (const { id } of allTrain) parts.set(id, 'unused');
  for (const { id } of drawFew(most, spec, allTrain)) parts.set(id, 'train');
}

function leakProblem({ data: { split } }: StudySpec, leaks: readonly string[]): Problem {
  const remedy = keepsGroups(splitKindOf(split))
    ? ''
    : 'keep groups on one side (kind: stratified-grouped), or ';
  const message = `this split leaks. ${leaks.join('; ')}. What is tested would in part be what was learnt: ${remedy}set allow-leaks: true, and every figure says so`;
  return problem(['data', 'split'], message);
}

const UNGROUPED: Record<string, string> = {
  given: 'nothing: as the source gives it',
  random: 'nothing: single images at random',
  stratified: 'nothing: single images, stratified by class',
};

function groupingText(
  { data: { split } }: StudySpec,
  dataset: StudyDataset,
  { train, validation, test }: Pick<Sides, 'train' | 'validation' | 'test'>,
): string {
  const kind = splitKindOf(split);
  if (kind === 'temporal') return `time, by ${split.column}`;
  if (!keepsGroups(kind)) return UNGROUPED[kind] ?? '';
  const groupsOf = (images: readonly StudyImage[]) => new Set(images.map(({ group }) => group));
  const sides = [train, validation, test].map(groupsOf);
  const [inTrain, inValidation, inTest] = sides.map(({ size }) => size);
  const all = new Set(sides.flatMap((groups) => [...groups])).size;
  const both = sides.reduce((sum, { size }) => sum + size, 0) - all;
  const middle = validation.length === 0 ? '' : ` ${inValidation} in validation,`;
  const across = validation.length === 0 ? 'both' : 'more than one';
  return `${dataset.groupedBy}: ${inTrain} groups in train,${middle} ${inTest} in test, ${both} in ${across}`;
}
