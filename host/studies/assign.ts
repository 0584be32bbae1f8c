/** Which images play which part, by the kind of split. */
import { splitKindOf, type SplitKind, type StudySpec } from '../../contract/study.ts';
import type { StudyImage } from './data.ts';
import type { Labelled } from './labelling.ts';
import { splitByTime, splitItems, type Side, type SplitOptions } from './split.ts';

export type Part = 'train' | 'validation' | 'test' | 'unused';
/** By image id. */
export type Parts = Map<number, Part>;

/** Whether a kind of split keeps images of one group on one side. */
export function keepsGroups(kind: SplitKind): boolean {
  return kind === 'grouped' || kind === 'stratified-grouped';
}

/** Images with what a split by time needs: by image id, for every image. */
export type Times = ReadonlyMap<number, number> | null;

/** Training and test images; with the kind `given` validation images too. */
export function assign({ data: { split } }: StudySpec, all: Labelled, times: Times): Parts {
  const kind = splitKindOf(split);
  if (kind === 'given') {
    return new Map(all.images.map((image) => [image.id, image.split ?? 'unused']));
  }
  const { train, test, seed } = split;
  const sides = sidesBy(kind, all.images, { train, test, seed, stream: 'split' }, times);
  return new Map(all.images.map(({ id }, index) => [id, sides[index]!]));
}

/**
 * Takes the validation images out of the training images, as the study divides train from test:
 * whole groups where it keeps them (also with the kind `given`), by its seed, the latest where it
 * goes by time. A class keeps its training images, with their groups, where it would lose all.
 */
export function takeValidation(
  { data: { split } }: StudySpec,
  { images, classNames }: Labelled,
  parts: Parts,
  times: Times,
): void {
  const { validation: share, seed } = split;
  const wanted = splitKindOf(split);
  const kind = wanted === 'given' ? 'stratified-grouped' : wanted;
  const training = images.filter(({ id }) => parts.get(id) === 'train');
  const options = { train: 1 - share, test: share, seed, stream: 'validation' } as const;
  const sides = sidesBy(kind, training, options, times);
  const learnt = new Set(
    training.flatMap(({ labels }, at) => (sides[at] === 'train' ? labels : [])),
  );
  const unlearnt = new Set(classNames.filter((name) => !learnt.has(name)));
  const unitOf = ({ id, group }: StudyImage) => (keepsGroups(kind) ? group : id);
  const needed = new Set(
    training.filter(({ labels }) => labels.some((label) => unlearnt.has(label))).map(unitOf),
  );
  training.forEach((image, at) => {
    if (sides[at] === 'test' && !needed.has(unitOf(image))) parts.set(image.id, 'validation');
  });
}

function sidesBy(
  kind: Exclude<SplitKind, 'given'>,
  images: readonly StudyImage[],
  options: Omit<SplitOptions, 'grouped'>,
  times: Times,
): Side[] {
  if (kind === 'temporal') {
    return splitByTime(
      images.map(({ id }) => times?.get(id) ?? 0),
      options,
    );
  }
  const evenly = kind === 'stratified' || kind === 'stratified-grouped';
  const items = images.map(({ labels, group }) => ({ labels: evenly ? labels : [], group }));
  return splitItems(numbered(items), { ...options, grouped: keepsGroups(kind) });
}

/** Labels as numbers, in the order in which they are met. */
export function numbered<T extends { labels: readonly string[] }>(
  items: readonly T[],
): (Omit<T, 'labels'> & { labels: number[] })[] {
  const numbers = new Map<string, number>();
  const numberOf = (label: string): number => {
    const known = numbers.get(label);
    if (known !== undefined) return known;
    numbers.set(label, numbers.size);
    return numbers.size - 1;
  };
  return items.map((item) => ({ ...item, labels: item.labels.map(numberOf) }));
}
