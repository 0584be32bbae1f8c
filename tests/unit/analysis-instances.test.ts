import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  classifierWeights,
  effectiveSampleSize,
  kliep,
  kliepBandwidth,
} from '../../engine/analysis/importance.ts';
import { probeProbabilities, trainProbe } from '../../engine/analysis/probe.ts';
import { boostedClasses, trAdaBoost, updateWeights } from '../../engine/analysis/tradaboost.ts';
import { RandomState } from '../../engine/random/random-state.ts';
import reference from '../reference/shift.json' with { type: 'json' };

const { features, classes } = reference;
const source = Float32Array.from(reference.source);
const target = Float32Array.from(reference.target);
const targetLabels = Int32Array.from(reference.targetLabels);
const both = Float32Array.from([...source, ...target]);
const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, each) => sum + each, 0) / values.length;

test('effective sample size: all for equal weights, one for a single one, 9/5 by hand', () => {
  expect(effectiveSampleSize([2, 2, 2, 2])).toBe(4);
  expect(effectiveSampleSize([0, 7, 0])).toBe(1);
  expect(effectiveSampleSize([1, 2, 0])).toBe(9 / 5);
  expect(effectiveSampleSize([0, 0])).toBe(0);
  const weights = fc.array(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(weights, (list) => {
      const size = effectiveSampleSize(list);
      expect(size).toBeGreaterThanOrEqual(1 - 1e-9);
      expect(size).toBeLessThanOrEqual(list.length + 1e-9);
    }),
  );
});

test('weights of a classifier are odds, scaled to mean 1', () => {
  // odds 1, 3, 1/3: mean 13/9
  const found = classifierWeights([0.5, 0.75, 0.25]);
  [9 / 13, 27 / 13, 3 / 13].forEach((value, at) => expect(found[at]).toBeCloseTo(value, 12));
  expect(classifierWeights([0, 1]).every(Number.isFinite)).toBe(true);
});

describe('KLIEP', () => {
  test.each(reference.kliep)(
    'comes to the maximum that SciPy finds, bandwidth $bandwidth',
    ({ bandwidth, centres, objective, weights }) => {
      const found = kliep({ source, target, features, bandwidth, centres });
      expect(found.objective).toBeCloseTo(objective, 4);
      expect(mean(found.weights)).toBeCloseTo(1, 12);
      weights.forEach((value, row) => {
        expect(Math.abs(found.weights[row]! - value)).toBeLessThan(0.02 * (1 + value));
      });
    },
  );

  test('finds the ratio of two Gaussians, exp(x / 2 - 1 / 8), with the bandwidth that suits it', () => {
    const random = new RandomState(8);
    const draw = (count: number, centre: number) =>
      Float64Array.from({ length: count }, () => random.normal() + centre);
    const [from, to] = [draw(600, 0), draw(300, 0.5)];
    const centres = Array.from({ length: 40 }, (_, at) => at);
    const input = { source: from, target: to, features: 1, centres };
    const folds = Int32Array.from(to, (_, row) => row % 3);
    const bandwidth = kliepBandwidth(input, [0.05, 1.6, 20], folds);
    expect(bandwidth).toBe(1.6);
    const { weights, objective } = kliep({ ...input, bandwidth });
    // Its maximum estimates the Kullback-Leibler divergence, 1 / 8.
    expect(Math.abs(objective - 1 / 8)).toBeLessThan(0.05);
    expect(
      mean(from.map((x, row) => Math.abs(weights[row]! - Math.exp(x / 2 - 1 / 8)))),
    ).toBeLessThan(0.1);
  });

  test('a target like the source gives weights near 1', () => {
    const input = { source: target, target, features, bandwidth: 4, centres: [0, 5, 9, 20] };
    for (const weight of kliep(input).weights) expect(Math.abs(weight - 1)).toBeLessThan(0.5);
  });
});

test('a weighted probe is that of scikit-learn', () => {
  const { weights, probabilities } = reference.weighted;
  const rows = standardised(target);
  const inverseStrength = 1;
  // scikit-learn standardised without weights, and so does the probe.
  const probe = trainProbe(rows, targetLabels, {
    ...{ features, classes, inverseStrength, rowWeights: weights, tolerance: 1e-9 },
  });
  const found = probeProbabilities(probe, rows);
  probabilities.forEach((value, at) => expect(found[at]).toBeCloseTo(value, 5));
});

function standardised(rows: Float32Array): Float32Array {
  const result = new Float32Array(rows.length);
  for (let i = 0; i < features; i++) {
    const own = rows.filter((_, at) => at % features === i);
    const centre = mean(own);
    const deviation = Math.sqrt(mean(own.map((value) => (value - centre) ** 2)));
    own.forEach((value, row) => (result[row * features + i] = (value - centre) / deviation));
  }
  return result;
}

describe('TrAdaBoost', () => {
  test('weights by hand: wrong source images fall, wrong target images rise, right ones stay', () => {
    const weights = Float64Array.of(1, 2, 1, 3);
    updateWeights(weights, Uint8Array.of(1, 0, 1, 0), { sources: 2, turns: 8, error: 0.25 });
    const down = 1 / (1 + Math.sqrt(Math.log(2) / 4));
    expect([...weights]).toEqual([down, 2, 3, 3]);
  });

  test('errors, effective source images and votes are those of a replay with scikit-learn', () => {
    const { turns, labels, errors, effectiveSources, classes: voted } = reference.tradaboost;
    const sources = source.length / features;
    const boosted = trAdaBoost({
      ...{ rows: both, features, labels: Int32Array.from(labels), classes, sources, turns },
    });
    errors.forEach((value, turn) => expect(boosted.errors[turn]).toBeCloseTo(value, 9));
    expect(boosted.learners).toHaveLength(turns / 2 + 1);
    expect(effectiveSampleSize(boosted.sourceWeights)).toBeCloseTo(effectiveSources, 8);
    expect([...boostedClasses(boosted, both, classes)]).toEqual(voted);
  });

  test('a learner without error, or worse than chance, does not break it', () => {
    const rows = Float32Array.of(-2, -1, 1, 2, -2, 2);
    const input = { rows, features: 1, classes: 2, sources: 4, turns: 3 };
    const perfect = trAdaBoost({ ...input, labels: Int32Array.of(0, 0, 1, 1, 0, 1) });
    expect(perfect.errors).toEqual([0, 0, 0]);
    const hopeless = trAdaBoost({ ...input, labels: Int32Array.of(0, 0, 1, 1, 1, 0) });
    expect(hopeless.learners.length).toBeGreaterThan(0);
    expect(hopeless.learners.every(({ vote }) => Number.isFinite(vote))).toBe(true);
  });
});
