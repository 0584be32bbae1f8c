import { describe, expect, it } from 'vitest';
import {
  boosted,
  coral,
  importanceWeighted,
  kliepWeighted,
  pseudoLabelled,
  sourceOnly,
  targetOnly,
  type FeatureTransferInput,
} from '../../engine/analysis/feature-transfer.ts';
import { stream } from '../../engine/random/streams.ts';

/** Two classes on a line across the plane, drawn with a seed. */
function drawn(name: string, count: number, place: (label: number) => [number, number]) {
  const random = stream(7, name);
  const rows = new Float32Array(2 * count);
  const labels = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    labels[row] = row % 2;
    const [x, y] = place(row % 2);
    rows.set([x + random.normal(), y + random.normal()], 2 * row);
  }
  return { rows, labels, groups: Array.from(labels.keys()) };
}

function share(predicted: Int32Array, labels: Int32Array): number {
  return labels.filter((label, row) => predicted[row] === label).length / labels.length;
}

/** The source's classes lie along x, the target's along y; a third of the source is like the target. */
const alongX = (label: number): [number, number] => [label === 0 ? -3 : 3, 0];
const alongY = (label: number): [number, number] => [20, label === 0 ? -3 : 3];

function problem(): { input: FeatureTransferInput; truth: Int32Array } {
  const far = drawn('far', 200, alongX);
  const near = drawn('near', 40, alongY);
  const rows = Float32Array.from([...far.rows, ...near.rows]);
  const labels = Int32Array.from([...far.labels, ...near.labels]);
  const source = { rows, labels, groups: Array.from(labels.keys()) };
  const test = drawn('test', 200, alongY);
  const own = drawn('target', 4, alongY);
  const target = { ...own, groups: own.groups.map((group) => group + labels.length) };
  return {
    input: { features: 2, classes: 2, source, target, test: test.rows },
    truth: test.labels,
  };
}

describe('kinds of transfer over features', () => {
  const { input, truth } = problem();
  const accuracy = (way: typeof targetOnly) => share(way(input).predicted, truth);

  it.each([
    ['a classifier', importanceWeighted],
    ['KLIEP', kliepWeighted],
  ])('weigh source images that look like the target above the others, by %s', (_, way) => {
    const weighted = way(input);
    expect(share(weighted.predicted, truth)).toBeGreaterThan(0.97);
    expect(accuracy(sourceOnly)).toBeLessThan(share(weighted.predicted, truth));
    expect(accuracy(sourceOnly)).toBeLessThan(accuracy(targetOnly));
    // about the 40 of 240 that lie where the target does
    expect(weighted.effectiveSources).toBeGreaterThan(20);
    expect(weighted.effectiveSources).toBeLessThan(80);
  });

  it('boost the images that the target tells right', () => {
    const made = boosted(input);
    expect(share(made.predicted, truth)).toBeGreaterThan(accuracy(sourceOnly));
    expect(made.effectiveSources).toBeGreaterThan(0);
    expect(made.effectiveSources).toBeLessThanOrEqual(240);
  });

  it('align features whose scale differs', () => {
    const wide = drawn('wide', 200, (label) => [label === 0 ? -3 : 3, 0]);
    const narrow = (rows: Float32Array) =>
      rows.map((value, at) => (at % 2 === 0 ? value / 10 : value * 10));
    const [target, test] = [drawn('t', 100, alongX), drawn('e', 200, alongX)];
    const moved: FeatureTransferInput = {
      ...{
        features: 2,
        classes: 2,
        source: wide,
        target: { ...target, rows: narrow(target.rows) },
      },
      test: narrow(test.rows),
    };
    const before = share(sourceOnly(moved).predicted, test.labels);
    const after = share(coral(moved).predicted, test.labels);
    expect(after).toBeGreaterThan(0.95);
    expect(after).toBeGreaterThan(before);
  });

  it('label only what the first head is sure of, and never look at the target labels', () => {
    const wrong = { ...input.target, labels: input.target.labels.map((label) => 1 - label) };
    const [honest, lied] = [pseudoLabelled(input), pseudoLabelled({ ...input, target: wrong })];
    expect(honest.predicted).toEqual(lied.predicted);
    expect(honest.pseudoLabelled).toBeLessThanOrEqual(input.target.labels.length);
    expect(coral({ ...input, target: wrong }).predicted).toEqual(coral(input).predicted);
  });
});
