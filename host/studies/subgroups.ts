/** The parts of the test images that have one value of an attribute. */
import type { Database } from 'better-sqlite3';
import type { StudySpec } from '../../contract/study.ts';
import { attributeNames, attributeValues, type StudyDataset, type StudyImage } from './data.ts';
import { problem, unknownName, type Problem } from './issues.ts';

/** More values of numbers than this are put into bands. */
const MOST_NUMBERS = 8;
const MOST_VALUES = 50;

/** Test images with one value, or in one band, of an attribute. */
export interface Subgroup {
  attribute: string;
  value: string;
  /** Among the test images. Runs that another data set with the same images made have other ids. */
  positions: number[];
}

/** Attributes that the data set does not have, or that have too many values to report apart. */
export function subgroupProblems(
  db: Database,
  { data }: StudySpec,
  dataset: StudyDataset,
  test: readonly Pick<StudyImage, 'id'>[],
): Problem[] {
  const names = attributeNames(db, dataset.id);
  const ids = test.map(({ id }) => id);
  return data.subgroups.flatMap((attribute, index) => {
    const path = ['data', 'subgroups', index];
    if (!names.includes(attribute)) {
      return [unknownName(path, `attribute of "${dataset.name}"`, attribute, names)];
    }
    const found = subgroupsOf(db, dataset.id, attribute, ids).length;
    if (found <= MOST_VALUES) return [];
    const message = `${attribute} has ${found} values on the test images; subgroups have ${MOST_VALUES} at most`;
    return [problem(path, message)];
  });
}

/**
 * The subgroups of images by an attribute, in the order of their values; numbers of which there are
 * many in bands of one width (1, 2 or 5 times a power of ten). Images without a value are in none.
 */
export function subgroupsOf(
  db: Database,
  datasetId: string,
  attribute: string,
  imageIds: readonly number[],
): Subgroup[] {
  const values = attributeValues(db, datasetId, attribute);
  const own = imageIds.flatMap((id, position) => {
    const text = values.get(id);
    return text === undefined ? [] : [{ text, position }];
  });
  const bandOf = bandsOf([...new Set(own.map(({ text }) => text))]);
  const byValue = Map.groupBy(own, ({ text }) => bandOf(text));
  return [...byValue]
    .sort(([a], [b]) => inOrder(a, b))
    .map(([value, ids]) => ({ attribute, value, positions: ids.map(({ position }) => position) }));
}

/** Numbers and bands by their size (also below zero, where texts run the other way); others as texts. */
function inOrder(a: string, b: string): number {
  const apart = Number.parseFloat(a) - Number.parseFloat(b);
  return apart || a.localeCompare(b, 'en', { numeric: true });
}

/** Gives a value its band; where there are few, or they are no numbers, the value itself. */
export function bandsOf(texts: readonly string[]): (text: string) => string {
  const numbers = texts.map((text) => (text.trim() === '' ? NaN : Number(text)));
  if (texts.length <= MOST_NUMBERS || !numbers.every(Number.isFinite)) return (text) => text;
  const span = Math.max(...numbers) - Math.min(...numbers);
  const power = 10 ** Math.floor(Math.log10(span / MOST_NUMBERS));
  const width = [1, 2, 5, 10].map((each) => each * power).find((w) => span / w <= MOST_NUMBERS)!;
  const shown = (value: number): string => String(Number(value.toPrecision(12)));
  return (text) => {
    // 0.6 / 0.2 is 2.9999999999999996.
    const step = Math.floor(Number((Number(text) / width).toPrecision(12)));
    return `${shown(step * width)} to <${shown((step + 1) * width)}`;
  };
}
