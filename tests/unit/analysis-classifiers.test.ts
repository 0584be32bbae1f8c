import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ambiguity } from '../../engine/analysis/ambiguity.ts';
import { rocAuc } from '../../engine/analysis/auc.ts';
import { calibration } from '../../engine/analysis/calibration.ts';
import {
  confusionMatrix,
  overallMetrics,
  perClassMetrics,
} from '../../engine/analysis/confusion.ts';
import { areaDifference, areaInterval, deLong } from '../../engine/analysis/delong.ts';
import { thresholdAtFalsePositiveRate } from '../../engine/analysis/operating-point.ts';
import reference from '../reference/metrics.json' with { type: 'json' };

describe('numbers of the confusion matrix', () => {
  test.each(reference.classification)('are those of scikit-learn, $classes classes', (expected) => {
    const { classes, truth, predicted } = expected;
    const matrix = confusionMatrix(truth, predicted, classes);
    expect([...matrix]).toEqual(expected.confusion);
    const found = overallMetrics(matrix, classes);
    for (const key of ['accuracy', 'balancedAccuracy', 'macroF1'] as const) {
      expect(found[key]).toBeCloseTo(expected[key], 14);
    }
    perClassMetrics(matrix, classes).forEach((own, c) => {
      expect(own.support).toBe(expected.support[c]);
      for (const key of ['precision', 'recall', 'f1'] as const) {
        expect(own[key] ?? 0).toBeCloseTo(expected[key][c]!, 14);
      }
    });
  });

  test('weights count images more than once; nothing is defined without images', () => {
    const once = confusionMatrix([0, 1, 1], [0, 0, 1], 2, [2, 0, 1]);
    expect([...once]).toEqual([2, 0, 0, 1]);
    const none = { accuracy: null, balancedAccuracy: null, macroF1: null };
    expect(overallMetrics(confusionMatrix([], [], 2), 2)).toEqual(none);
    expect(() => confusionMatrix([0], [2], 2)).toThrow('image 0 is of class 0, told 2');
  });
});

describe('DeLong', () => {
  test("the iris case has its author's variance", () => {
    const { truth, scores } = reference.iris;
    const found = deLong([scores], truth)!;
    expect(found.covariance[0]![0]).toBeCloseTo(0.0015359814789736538, 15);
    expect(found.areas[0]).toBeCloseTo(rocAuc(scores, truth)!, 14);
  });

  test.each(reference.roc)('covariance is that of all pairs, area of scikit-learn', (expected) => {
    const found = deLong(expected.scores, expected.truth)!;
    found.areas.forEach((area, at) => expect(area).toBeCloseTo(expected.areas[at]!, 13));
    found.covariance.forEach((row, i) =>
      row.forEach((value, j) => expect(value).toBeCloseTo(expected.covariance[i]![j]!, 14)),
    );
    if (expected.p === undefined) return;
    const { p, interval } = areaDifference(found);
    expect(p).toBeCloseTo(expected.p, 12);
    expect(interval[0]).toBeCloseTo(expected.interval[0]!, 12);
    expect(interval[1]).toBeCloseTo(expected.interval[1]!, 12);
  });

  test('a scorer does not differ from itself; one without error has no width', () => {
    const truth = [0, 0, 1, 1];
    const same = deLong([Int32Array.from([1, 4, 2, 5]), Int32Array.from([1, 4, 2, 5])], truth)!;
    expect(areaDifference(same)).toEqual({ difference: 0, interval: [0, 0], p: 1 });
    expect(areaInterval(deLong([[1, 2, 3, 4]], truth)!)).toEqual([1, 1]);
    expect(deLong([[1, 2, 3]], [0, 1, 1])).toBeNull();
  });
});

describe('calibration', () => {
  test.each(reference.calibration)('is that of NumPy and SciPy, $bins bins', (expected) => {
    const found = calibration(expected.confidence, expected.right, expected.bins)!;
    for (const key of ['plugin', 'debiased', 'debiasedSquared'] as const) {
      expect(found[key]).toBeCloseTo(expected[key], 12);
    }
  });

  test('counting an image twice is having it twice; their order is no matter', () => {
    const image = fc.record({
      stated: fc.integer({ min: 0, max: 6 }).map((value) => value / 6),
      right: fc.constantFrom(0, 1),
      times: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(image, { minLength: 1, maxLength: 20 }), (images) => {
        const counted = calibration(
          images.map(({ stated }) => stated),
          images.map(({ right }) => right),
          4,
          images.map(({ times }) => times),
        );
        const repeated = images.flatMap((each) => Array.from({ length: each.times }, () => each));
        repeated.reverse();
        const listed = calibration(
          repeated.map(({ stated }) => stated),
          repeated.map(({ right }) => right),
          4,
        );
        expect(counted === null).toBe(listed === null);
        if (listed === null) return;
        for (const key of ['plugin', 'debiased', 'debiasedSquared'] as const) {
          expect(counted![key]).toBeCloseTo(listed[key], 12);
        }
      }),
    );
  });

  test('sure and right is 0, sure and wrong is 1', () => {
    const sure = [1, 1, 1, 1];
    const perfect = { plugin: 0, debiased: 0, debiasedSquared: 0 };
    expect(calibration(sure, [1, 1, 1, 1], 2)).toMatchObject(perfect);
    const wrong = { plugin: 1, debiased: 1, debiasedSquared: 1 };
    expect(calibration(sure, [0, 0, 0, 0], 2)).toMatchObject(wrong);
    expect(calibration([0.5], [1], 2)).toBeNull();
    expect(() => calibration([1], [], 2)).toThrow('1 confidences for 0 outcomes');
  });
});

describe('ambiguity', () => {
  test('two networks that are sure of different classes are not sure together', () => {
    const found = ambiguity([Float32Array.from([1, 0, 1, 0]), Float32Array.from([0, 1, 1, 0])], 2);
    expect([...found.confidence]).toEqual([1, 1]);
    expect([...found.entropy]).toEqual([1, 0]);
  });

  test('by hand', () => {
    const { confidence, entropy } = ambiguity([Float32Array.from([0.5, 0.25, 0.25])], 3);
    expect(confidence[0]).toBeCloseTo(0.5, 14);
    expect(entropy[0]).toBeCloseTo((1.5 * Math.log(2)) / Math.log(3), 14);
    expect(() => ambiguity([], 2)).toThrow('networks on the same images');
  });
});

describe('the operating point', () => {
  test.each(reference.threshold)("calls what scikit-learn's curve calls, at $rate", (expected) => {
    const { scores, truth, rate, called } = expected;
    const threshold = thresholdAtFalsePositiveRate(scores, truth, rate)!;
    expect(scores.map((score) => (score >= threshold ? 1 : 0))).toEqual(called);
  });

  test('nothing is called where every score is held by too many negatives', () => {
    const threshold = thresholdAtFalsePositiveRate([2, 2, 2], [0, 0, 1], 0.1)!;
    expect(threshold).toBeGreaterThan(2);
    expect(thresholdAtFalsePositiveRate([1], [1], 0.1)).toBeNull();
  });
});
