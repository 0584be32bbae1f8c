import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  aucPerFinding,
  findingAccuracy,
  meanAuc,
  rocAuc,
  rocAucInOrder,
} from '../../engine/analysis/auc.ts';
import { ascending } from '../../engine/analysis/calibration.ts';
import reference from '../reference/auc.json' with { type: 'json' };

describe('the area under the ROC curve', () => {
  test.each(reference.map((each, index) => ({ index, ...each })))(
    'is that of scikit-learn, case $index',
    ({ scores, truth, auc }) => {
      expect(rocAuc(scores, truth)).toBeCloseTo(auc, 12);
    },
  );

  test('by hand: ties count half', () => {
    // Of the four pairs one is right, one wrong, two tied.
    expect(rocAuc([1, 2, 2, 1], [1, 1, 0, 0])).toBe(0.5);
    expect(rocAuc([3, 1, 2, 2], [1, 0, 1, 0])).toBe(3.5 / 4);
    expect(rocAuc([5, 5, 5], [1, 0, 1])).toBe(0.5);
  });

  test('is not defined without both values', () => {
    expect(rocAuc([1, 2], [1, 1])).toBeNull();
    expect(rocAuc([1, 2], [0, 0])).toBeNull();
    expect(rocAuc([], [])).toBeNull();
  });

  const pairs = fc.array(fc.tuple(fc.integer({ min: -4, max: 4 }), fc.constantFrom(0, 1)), {
    minLength: 2,
    maxLength: 40,
  });

  test('is the share of pairs in which the positive is above, ties half', () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const of = (value: number) => list.filter(([, t]) => t === value).map(([score]) => score);
        const [positives, negatives] = [of(1), of(0)];
        const wins = positives.flatMap((p) =>
          negatives.map((n) => (p > n ? 1 : p === n ? 0.5 : 0)),
        );
        const found = rocAuc(
          list.map(([score]) => score),
          list.map(([, t]) => t),
        );
        if (wins.length === 0) expect(found).toBeNull();
        else expect(found).toBeCloseTo(wins.reduce<number>((a, b) => a + b, 0) / wins.length, 12);
      }),
    );
  });

  test('counting an entry several times is having it several times', () => {
    const times = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(pairs, times, (list, counts) => {
        const [scores, truth] = [list.map(([score]) => score), list.map(([, t]) => t)];
        const found = rocAucInOrder(ascending(scores), scores, truth, counts);
        const repeated = list.flatMap((each, at) =>
          Array.from({ length: counts[at]! }, () => each),
        );
        const expected = rocAuc(
          repeated.map(([score]) => score),
          repeated.map(([, t]) => t),
        );
        if (expected === null) expect(found).toBeNull();
        else expect(found).toBeCloseTo(expected, 12);
      }),
    );
  });

  test('of the negated scores is its complement', () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const truth = list.map(([, t]) => t);
        const auc = rocAuc(
          list.map(([score]) => score),
          truth,
        );
        fc.pre(auc !== null);
        const negated = rocAuc(
          list.map(([score]) => -score),
          truth,
        );
        expect(negated).toBeCloseTo(1 - auc!, 12);
      }),
    );
  });
});

describe('several findings', () => {
  // Images by findings; the third finding is positive everywhere, the second known on two images.
  const scored = {
    scores: Float32Array.from([2, -1, 1, -3, 4, 1, 1, 2, -1]),
    targets: Float32Array.from([1, 1, 1, 0, 0, 1, 0, 0, 1]),
    mask: Float32Array.from([1, 0, 1, 1, 1, 1, 1, 1, 1]),
  };

  test('each has its area over the images in which it is known; the mean leaves out what has none', () => {
    expect(aucPerFinding(scored, 3)).toEqual([1, null, null]);
    expect(meanAuc([1, null, 0.5])).toBe(0.75);
    expect(meanAuc([null, null])).toBeNull();
  });

  test('accuracy is the share of known values on the right side of logit 0', () => {
    // Right: 2 for 1, 1 for 1, -3 for 0, 1 for 1; wrong: 4, 1 and 2 for 0, -1 for 1.
    expect(findingAccuracy(scored)).toBe(4 / 8);
  });
});
