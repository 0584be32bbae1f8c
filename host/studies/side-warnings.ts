/** What people should know of how a study's images were divided. */
import { splitKindOf, type StudySpec } from '../../contract/study.ts';
import { FEW_UNITS } from '../../engine/analysis/bootstrap.ts';
import { keepsGroups } from './assign.ts';
import { countByClass, type StudyImage } from './data.ts';
import type { Labelled } from './labelling.ts';

interface Divided {
  /** Before `per-class` and before validation images were taken from it. */
  train: StudyImage[];
  validation: StudyImage[];
  test: StudyImage[];
  kept: Labelled;
  /** Images before the split. */
  all: number;
}

/** What is unusual about a split. */
export function splitWarnings(spec: StudySpec, divided: Divided): string[] {
  const { validation, test, kept } = divided;
  const kind = splitKindOf(spec.data.split);
  const groups = new Set(test.map(({ group }) => group)).size;
  const warnings = kind === 'given' ? givenWarnings(spec, divided) : shareWarnings(spec, divided);
  if (keepsGroups(kind) && groups > 0 && groups < FEW_UNITS) {
    warnings.push(`only ${groups} groups are tested: intervals, which resample groups, are rough`);
  }
  if (validation.length > 0) warnings.push(...without('validation', validation, kept));
  if (kept.findings) warnings.push(...undefinedAreas(test, kept));
  return warnings;
}

function givenWarnings(
  { data }: StudySpec,
  { train, validation, test, kept, all }: Divided,
): string[] {
  const warnings: string[] = [];
  const counted = new Set([...train, ...validation, ...test].map(({ id }) => id));
  const unused = all - counted.size;
  if (unused > 0 && kept.images.length === all) {
    warnings.push(`${unused} images are in no split of the source: not used`);
  }
  if (data.split.validation > 0 && kept.images.some(({ split }) => split === 'validation')) {
    warnings.push(`validation images are those of the source, not a share of the training images`);
  }
  return warnings;
}

const REASONS: Record<string, string> = {
  stratified: 'small classes are rounded',
  grouped: 'groups are kept whole',
  'stratified-grouped': 'groups are kept whole',
  temporal: 'images of one time stay together',
};

/** Shares are of the images of classes that are kept, as people see only these in the plan. */
function shareWarnings({ data }: StudySpec, { train, test, kept, all }: Divided): string[] {
  const count = kept.images.length;
  const reasons = [
    REASONS[splitKindOf(data.split)] ?? [],
    count < all ? 'classes were left out after the split' : [],
  ].flat();
  const reason = reasons.join(', and ') || 'there are few images';
  const sides = [
    ['train', data.split.train, train.length / Math.max(1, count)],
    ['test', data.split.test, test.length / Math.max(1, count)],
  ] as const;
  return sides
    .filter(([, wanted, reached]) => Math.abs(reached - wanted) > 0.05)
    .map(
      ([name, wanted, reached]) =>
        `${name} got ${percent(reached)} of the images instead of ${percent(wanted)}: ${reason}`,
    );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function without(side: string, images: readonly StudyImage[], { classNames }: Labelled): string[] {
  const counts = countByClass(images);
  const names = classNames.filter((name) => !counts.has(name));
  return names.length === 0 ? [] : [`without a ${side} image: ${names.join(', ')}`];
}

function undefinedAreas(test: readonly StudyImage[], { classNames }: Labelled): string[] {
  const names = classNames.filter((_, at) => {
    const values = new Set(test.map(({ targets }) => targets![at]));
    return !values.has(0) || !values.has(1);
  });
  if (names.length === 0) return [];
  return [
    `no area under the ROC curve, for want of test images with and without it: ${names.join(', ')}`,
  ];
}

/** Classes that have fewer training images than they were to have. */
export function lowDataWarnings(
  most: number | undefined,
  train: readonly StudyImage[],
  classNames: readonly string[],
): string[] {
  if (most === undefined) return [];
  const counts = countByClass(train);
  const few = classNames.filter((name) => (counts.get(name) ?? 0) < most);
  if (few.length === 0) return [];
  const list = few.map((name) => `${name} (${counts.get(name) ?? 0})`).join(', ');
  return [`fewer than ${most} training images: ${list}`];
}
