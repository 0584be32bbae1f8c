/** What is on both sides of a split, or in a pretraining and tested. */
import { LEAK } from '../../contract/leaks.ts';
import type { StudyImage } from './data.ts';

/** Where a study's test images are. */
export interface Tested {
  datasetId: string | undefined;
  test: readonly StudyImage[];
}

/** Images that are not tested: neither byte for byte nor, in the same data set, by their group. */
export function withoutTested(
  images: readonly StudyImage[],
  datasetId: string,
  tested: Tested,
  name: string,
  warnings: string[],
): StudyImage[] {
  const contents = new Set(tested.test.map((image) => image.sha256));
  const groups = new Set(
    datasetId === tested.datasetId ? tested.test.map((image) => image.group) : [],
  );
  const kept = images.filter(({ sha256, group }) => !contents.has(sha256) && !groups.has(group));
  const left = images.length - kept.length;
  if (left > 0) {
    warnings.push(
      `left out of pretraining "${name}": ${left} of ${images.length} images, of groups that are tested`,
    );
  }
  return kept;
}

/** What a pretraining saw of the test images; groups have a meaning within one data set only. */
export function leakWarnings(
  name: string,
  train: readonly StudyImage[],
  test: readonly StudyImage[],
  sameDataset: boolean,
): string[] {
  const seen = new Set(train.map((image) => image.sha256));
  const leaked = test.filter((image) => seen.has(image.sha256)).length;
  const groups = new Set(train.map((image) => image.group));
  const related = sameDataset ? test.filter((image) => groups.has(image.group)).length : 0;
  const of = (count: number): string => `${LEAK}${count} of ${test.length} test images`;
  const warnings: string[] = [];
  if (leaked > 0) warnings.push(`${of(leaked)} are byte for byte in pretraining "${name}"`);
  if (related > 0) warnings.push(`${of(related)} are of a group that pretraining "${name}" saw`);
  return warnings;
}

/** The sides of a split. */
export interface SplitSides {
  train: readonly StudyImage[];
  validation: readonly StudyImage[];
  test: readonly StudyImage[];
}

/** Images of one side that another side knows, by content or by their group; a line for each. */
export function splitLeaks({ train, validation, test }: SplitSides, groupedBy: string): string[] {
  return [
    ...leaksBetween(['test', test], ['training', train], groupedBy),
    ...leaksBetween(['test', test], ['validation', validation], groupedBy),
    ...leaksBetween(['validation', validation], ['training', train], groupedBy),
  ];
}

type NamedSide = readonly [name: string, images: readonly StudyImage[]];

function leaksBetween([name, own]: NamedSide, [other, theirs]: NamedSide, groupedBy: string) {
  const contents = new Set(theirs.map(({ sha256 }) => sha256));
  const groups = new Set(theirs.map(({ group }) => group));
  const same = own.filter(({ sha256 }) => contents.has(sha256)).length;
  const related = own.filter(({ group }) => groups.has(group)).length;
  const of = (count: number): string =>
    `${LEAK}${count} of ${own.length} ${name} images (${((100 * count) / own.length).toFixed(1)} %)`;
  const lines: string[] = [];
  if (related > 0) {
    lines.push(`${of(related)} are of a group with ${other} images, by ${groupedBy}`);
  }
  if (same > 0) lines.push(`${of(same)} are byte for byte the same as a ${other} image`);
  return lines;
}
