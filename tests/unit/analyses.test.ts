import { expect, test } from 'vitest';
import { confidentLearning, groupedFolds } from '../../engine/analysis/confident-learning.ts';
import { largestEigen } from '../../engine/analysis/eigen.ts';
import { NearestByCosine, nearestOfAll } from '../../engine/analysis/neighbours.ts';
import { principalComponents } from '../../engine/analysis/pca.ts';
import { probeProbabilities, trainProbe } from '../../engine/analysis/probe.ts';
import { umapLayout } from '../../engine/analysis/umap.ts';
import { RandomState } from '../../engine/random/random-state.ts';
import reference from '../reference/analyses.json' with { type: 'json' };

const rows = Float32Array.from(reference.rows);
const labels = Int32Array.from(reference.labels);
const { features } = reference;

test('principal components are those of numpy, up to signs', async () => {
  const { scores, count, variances } = await principalComponents(rows, features, 50);
  expect(count).toBe(features);
  reference.variances.forEach((value, i) => expect(variances[i]).toBeCloseTo(value, 5));
  reference.scores.forEach((value, i) => expect(Math.abs(scores[i]!)).toBeCloseTo(value, 4));
});

test('the leading components of many features are found by iteration, too', async () => {
  const random = new RandomState(1);
  const [images, wide] = [300, 200];
  const hidden = Array.from({ length: images * 3 }, () => random.normal());
  const mixing = Array.from({ length: 3 * wide }, () => random.normal());
  const values = new Float32Array(images * wide);
  for (let row = 0; row < images; row++) {
    for (let i = 0; i < wide; i++) {
      for (let k = 0; k < 3; k++) {
        values[row * wide + i]! += hidden[row * 3 + k]! * mixing[k * wide + i]! * (3 - k);
      }
    }
  }
  const { count, scores, variances } = await principalComponents(values, wide, 50);
  expect(count).toBe(3);
  // All of the variance, and no component tells anything of another.
  let total = 0;
  for (let i = 0; i < wide; i++) {
    const own = Array.from({ length: images }, (_, row) => values[row * wide + i]!);
    const mean = own.reduce((sum, value) => sum + value) / images;
    total += own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (images - 1);
  }
  expect(variances.reduce((sum, value) => sum + value) / total).toBeCloseTo(1, 5);
  let together = 0;
  for (let row = 0; row < images; row++) together += scores[row * 3]! * scores[row * 3 + 1]!;
  expect(together / images / variances[0]!).toBeCloseTo(0, 4);
});

test('eigenvectors of a matrix worked by hand', () => {
  const { values, vectors } = largestEigen(Float64Array.of(2, 1, 1, 2), 2, 2);
  expect([...values]).toEqual([expect.closeTo(3), expect.closeTo(1)]);
  expect(vectors[0]).toBeCloseTo(Math.SQRT1_2);
  expect(vectors[1]).toBeCloseTo(Math.SQRT1_2);
});

test('nearest points are those of scikit-learn', async () => {
  const { indices, distances } = await nearestOfAll(rows, features, 5);
  expect([...indices]).toEqual(reference.neighbours);
  reference.distances.forEach((value, i) => expect(distances[i]).toBeCloseTo(value, 5));
});

test('equal points are near each other, and none is its own neighbour', async () => {
  const { indices, distances } = await nearestOfAll(Float32Array.of(0, 0, 0, 5), 1, 2);
  expect([...indices]).toEqual([1, 2, 0, 2, 0, 1, 0, 1]);
  expect([...distances]).toEqual([0, 0, 0, 0, 0, 0, 5, 5]);
});

test('cosine similarity looks at directions only, over any blocks', () => {
  const nearest = new NearestByCosine(Float32Array.of(2, 0), 3);
  nearest.add(Float32Array.of(0, 1, 9, 0), 0);
  nearest.add(Float32Array.of(3, 3, 0, 0), 2);
  const found = nearest.result();
  expect(found.map(({ index }) => index)).toEqual([1, 2, 0]);
  expect(found.map(({ similarity }) => similarity)).toEqual([
    expect.closeTo(1),
    expect.closeTo(Math.SQRT1_2),
    expect.closeTo(0),
  ]);
});

test('the probe is the logistic regression of scikit-learn', () => {
  const probe = trainProbe(rows, labels, {
    features,
    classes: 3,
    inverseStrength: 0.5,
    tolerance: 1e-9,
    iterations: 1000,
  });
  const found = probeProbabilities(probe, rows);
  reference.probabilities.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 5));
});

test('a constant feature tells the probe nothing', () => {
  const constant = Float32Array.from(rows, (value, i) => (i % features === 2 ? 4 : value));
  const probe = trainProbe(constant, labels, { features, classes: 3 });
  expect(probe.scales[2]).toBe(0);
  expect(probeProbabilities(probe, constant).every(Number.isFinite)).toBe(true);
});

test('confident learning on six rows, worked by hand', () => {
  // Thresholds: class 0 (0.9 + 0.7 + 0.2) / 3 = 0.6, class 1 (0.8 + 0.9 + 0.4) / 3 = 0.7.
  const p = Float32Array.of(0.9, 0.1, 0.7, 0.3, 0.2, 0.8, 0.2, 0.8, 0.1, 0.9, 0.6, 0.4);
  const given = Int32Array.of(0, 0, 0, 1, 1, 1);
  const { thresholds, joint, estimated, issues } = confidentLearning(p, given, 2);
  expect([...thresholds]).toEqual([expect.closeTo(0.6), expect.closeTo(0.7)]);
  expect([...joint]).toEqual([2, 1, 1, 2].map((value) => expect.closeTo(value)));
  expect(estimated).toBeCloseTo(2);
  expect(issues.map(({ index, suggested }) => [index, suggested])).toEqual([
    [2, 1],
    [5, 0],
  ]);
  expect(issues[0]!.margin).toBeCloseTo(-0.6);
  expect(issues[1]!.selfConfidence).toBeCloseTo(0.4);
});

test('rows that reach no threshold are left out of the joint, which is scaled to all', () => {
  const p = Float32Array.of(0.9, 0.1, 0.5, 0.5, 0.1, 0.9, 0.4, 0.6);
  const { joint, issues } = confidentLearning(p, Int32Array.of(0, 0, 1, 1), 2);
  // Thresholds 0.7 and 0.75: one row of each class is counted, each class has two.
  expect([...joint]).toEqual([2, 0, 0, 2]);
  expect(issues).toEqual([]);
});

test('folds never divide a group and spread every class', () => {
  const groups = Array.from({ length: 120 }, (_, i) => `g${Math.floor(i / 4)}`);
  const classes = Int32Array.from(groups, (group) => Number(group.slice(1)) % 3);
  const folds = groupedFolds(classes, groups, 5, 3);
  const byGroup = Map.groupBy(folds.keys(), (i) => groups[i]);
  for (const members of byGroup.values()) {
    expect(new Set(members.map((i) => folds[i])).size).toBe(1);
  }
  for (let fold = 0; fold < 5; fold++) {
    for (const label of [0, 1, 2]) {
      const held = folds.filter((own, i) => own === fold && classes[i] === label).length;
      expect(held).toBe(8);
    }
  }
  expect(groupedFolds(classes, groups, 5, 3)).toEqual(folds);
  expect(groupedFolds(classes, groups, 5, 4)).not.toEqual(folds);
});

test('planted label errors are found', () => {
  const random = new RandomState(5);
  const [images, classes, dimensions] = [1000, 10, 20];
  const centres = Array.from({ length: classes * dimensions }, () => random.normal() * 1.2);
  const truth = Int32Array.from({ length: images }, (_, i) => i % classes);
  const values = new Float32Array(images * dimensions);
  for (let at = 0; at < values.length; at++) {
    const own = truth[Math.floor(at / dimensions)]!;
    values[at] = centres[own * dimensions + (at % dimensions)]! + random.normal();
  }
  const flipped = new Set(random.permutation(images).subarray(0, 50));
  const given = truth.map((label, i) =>
    flipped.has(i) ? (label + 1 + random.randint(0, classes - 1)) % classes : label,
  );
  const folds = groupedFolds(
    given,
    Array.from(given, (_, i) => String(i)),
    5,
    0,
  );
  const p = new Float32Array(images * classes);
  for (let fold = 0; fold < 5; fold++) {
    const [inside, outside] = [true, false].map((is) =>
      [...folds.keys()].filter((i) => (folds[i] !== fold) === is),
    ) as [number[], number[]];
    const pick = (some: number[]): Float32Array =>
      Float32Array.from(some.flatMap((i) => [...values.subarray(i * 20, i * 20 + 20)]));
    const own = Int32Array.from(inside, (i) => given[i]!);
    const options = { features: dimensions, classes, inverseStrength: 0.1 };
    const probe = trainProbe(pick(inside), own, options);
    const found = probeProbabilities(probe, pick(outside));
    outside.forEach((i, at) =>
      p.set(found.subarray(at * classes, (at + 1) * classes), i * classes),
    );
  }
  const { issues, estimated } = confidentLearning(p, given, classes);
  const hits = issues.filter(({ index }) => flipped.has(index));
  expect(hits.length / flipped.size).toBeGreaterThan(0.85);
  expect(hits.length / issues.length).toBeGreaterThan(0.8);
  expect(hits.filter(({ index, suggested }) => suggested === truth[index]).length).toBeGreaterThan(
    0.9 * hits.length,
  );
  expect(estimated).toBeGreaterThan(35);
  expect(estimated).toBeLessThan(75);
});

test('a map keeps groups together, is the same for a seed and another for another', async () => {
  const options = { neighbours: 8, minDistance: 0.1, seed: 2 };
  const random = new RandomState(4);
  const points = Float32Array.from({ length: 90 * 6 }, (_, at) => {
    const group = Math.floor(at / 6) % 3;
    return (at % 6 === group ? 12 : 0) + random.normal();
  });
  const layout = await umapLayout(points, 6, options);
  expect(Math.min(...layout)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...layout)).toBeLessThanOrEqual(1);
  const { indices } = await nearestOfAll(layout, 2, 5);
  const same = indices.filter((other, at) => other % 3 === Math.floor(at / 5) % 3).length;
  expect(same / indices.length).toBeGreaterThan(0.99);
  expect(await umapLayout(points, 6, options)).toEqual(layout);
  expect(await umapLayout(points, 6, { ...options, seed: 3 })).not.toEqual(layout);
});
