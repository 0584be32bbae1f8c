/** What a pretraining may see of the images that its study tests on. */
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
  const of = (count: number): string => `leak: ${count} of ${test.length} test images`;
  const warnings: string[] = [];
  if (leaked > 0) warnings.push(`${of(leaked)} are byte for byte in pretraining "${name}"`);
  if (related > 0) warnings.push(`${of(related)} are of a group that pretraining "${name}" saw`);
  return warnings;
}
