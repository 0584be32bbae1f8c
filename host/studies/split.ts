import { stream } from '../../engine/random/streams.ts';

/** What a split needs to know of an image. */
export interface SplitItem {
  /** What is to be spread evenly: its class index, its findings; empty: nothing. */
  labels: readonly number[];
  group: string;
}

export interface SplitOptions {
  /** Fractions of the images, more than 0; the sum is at most 1 and what is left is unused. */
  train: number;
  test: number;
  /** true: all images of a group are on one side. */
  grouped: boolean;
  seed: number;
  /** What is drawn: sides of a study, or validation images out of its training side. */
  stream?: 'split' | 'validation';
}

export type Side = 'train' | 'test' | 'unused';

interface Unit {
  /** Positions of its images. */
  members: number[];
  /** Images per class index. */
  counts: Map<number, number>;
}

/**
 * Divides images into sides, the same for the same input. Whole groups (or, ungrouped, single
 * images) in an order drawn from a stream of the seed, large before small so that small ones
 * even out what large ones left, each to the side where it brings the classes and the whole
 * nearest to their fractions. Groups are not cut, so the fractions reached may differ from
 * those wanted: the fewer and larger the groups, the more.
 *
 * @param items in an order that does not depend on how they were found
 * @returns the side of each item
 */
export function splitItems(items: readonly SplitItem[], options: SplitOptions): Side[] {
  const units = unitsOf(items, options.grouped);
  const order = [...stream(options.seed, options.stream ?? 'split').permutation(units.length)];
  const shuffled = order.map((index) => units[index]!);
  shuffled.sort((a, b) => b.members.length - a.members.length);
  const targets = targetsOf(items, options);
  const sides: Side[] = new Array<Side>(items.length).fill('unused');
  for (const unit of shuffled) {
    const target = bestTarget(targets, unit);
    target.take(unit);
    for (const member of unit.members) sides[member] = target.side;
  }
  return sides;
}

function unitsOf(items: readonly SplitItem[], grouped: boolean): Unit[] {
  const byKey = new Map<string | number, Unit>();
  items.forEach(({ labels, group }, index) => {
    const key = grouped ? group : index;
    const unit = byKey.get(key) ?? { members: [], counts: new Map<number, number>() };
    byKey.set(key, unit);
    unit.members.push(index);
    for (const label of labels) unit.counts.set(label, (unit.counts.get(label) ?? 0) + 1);
  });
  return [...byKey.values()];
}

/** How far one side is from the counts it should reach. */
class Target {
  readonly side: Side;
  /** Images still missing, per class index and in all; negative when there are too many. */
  readonly #missing: Map<number, number>;
  #missingInAll: number;
  readonly #totals: ReadonlyMap<number, number>;
  readonly #all: number;

  constructor(side: Side, fraction: number, totals: ReadonlyMap<number, number>, all: number) {
    this.side = side;
    this.#totals = totals;
    this.#all = all;
    this.#missing = new Map([...totals].map(([label, total]) => [label, total * fraction]));
    this.#missingInAll = all * fraction;
  }

  /** By how much the squared deviation (relative to the class's size) falls when it takes the unit. */
  gain({ members, counts }: Unit): number {
    let gain = drop(this.#missingInAll, members.length) / this.#all;
    for (const [label, count] of counts) {
      gain += drop(this.#missing.get(label) ?? 0, count) / (this.#totals.get(label) ?? 1);
    }
    return gain;
  }

  take({ members, counts }: Unit): void {
    this.#missingInAll -= members.length;
    for (const [label, count] of counts) {
      this.#missing.set(label, (this.#missing.get(label) ?? 0) - count);
    }
  }
}

/** missing^2 - (missing - count)^2 */
function drop(missing: number, count: number): number {
  return count * (2 * missing - count);
}

function targetsOf(items: readonly SplitItem[], options: SplitOptions): Target[] {
  const totals = new Map<number, number>();
  for (const { labels } of items) {
    for (const label of labels) totals.set(label, (totals.get(label) ?? 0) + 1);
  }
  const { train, test } = options;
  const left = 1 - train - test;
  const targets = [
    new Target('train', train, totals, items.length),
    new Target('test', test, totals, items.length),
  ];
  if (left > 1e-9) targets.push(new Target('unused', left, totals, items.length));
  return targets;
}

function bestTarget(targets: readonly Target[], unit: Unit): Target {
  return targets.reduce((best, each) => (each.gain(unit) > best.gain(unit) ? each : best));
}

/**
 * Divides by time: the earliest train, the latest test. Images of one time stay together, so each
 * border is that between two times which is nearest to its fraction (the earlier of two as near).
 * @param times any numbers that rise with time
 */
export function splitByTime(
  times: readonly number[],
  { train, test }: Pick<SplitOptions, 'train' | 'test'>,
): Side[] {
  const sorted = times.toSorted((a, b) => a - b);
  const borders = [
    ...sorted.flatMap((time, at) => (time === sorted[at - 1] ? [] : [at])),
    sorted.length,
  ];
  const nearest = (wanted: number): number =>
    borders.reduce((best, at) => (Math.abs(at - wanted) < Math.abs(best - wanted) ? at : best), 0);
  const trainEnd = nearest(train * times.length);
  const testStart = Math.max(trainEnd, nearest((1 - test) * times.length));
  const before = (time: number, end: number) => end === sorted.length || time < sorted[end]!;
  return times.map((time) => {
    if (before(time, trainEnd)) return 'train';
    return before(time, testStart) ? 'unused' : 'test';
  });
}

/**
 * Low data: at most `most` images of each class, drawn by the seed, those of `most` - 1 among them.
 * An image with several findings is kept while one of them lacks images, so that a finding may get
 * more; images without any finding count as a class of their own.
 * @returns whether each item is kept
 */
export function perClass(
  items: readonly Pick<SplitItem, 'labels'>[],
  most: number,
  seed: number,
): boolean[] {
  const counts = new Map<number, number>();
  const kept = new Array<boolean>(items.length).fill(false);
  for (const index of stream(seed, 'per-class').permutation(items.length)) {
    const own = items[index]!.labels;
    const labels = own.length === 0 ? [-1] : own;
    if (labels.every((label) => (counts.get(label) ?? 0) >= most)) continue;
    kept[index] = true;
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return kept;
}
