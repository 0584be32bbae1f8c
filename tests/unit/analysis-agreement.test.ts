import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CELLS } from '../../contract/agreement.ts';
import { agreement, cellOf, cellsPerClass, mcnemarExact } from '../../engine/analysis/agreement.ts';
import reference from '../reference/agreement.json' with { type: 'json' };

const ints = (values: readonly number[]) => Int32Array.from(values);
const few = { replicates: 50 };

/** [truth, a, b] per image. */
function columns(rows: readonly (readonly [number, number, number])[]) {
  const column = (i: 0 | 1 | 2) => ints(rows.map((row) => row[i]));
  return { truth: column(0), a: column(1), b: column(2) };
}

test('a table worked by hand', () => {
  // 4 both right, 1 + 1 both wrong (same, different), 3 only A, 1 only B.
  const result = agreement(
    columns([
      [0, 0, 0],
      [1, 1, 1],
      [2, 2, 2],
      [0, 0, 0],
      [0, 1, 1],
      [0, 1, 2],
      [1, 1, 0],
      [2, 2, 0],
      [2, 2, 1],
      [1, 0, 1],
    ]),
  );
  const { kappaInterval, ...values } = result;
  const expected = 0.7 * 0.5 + 0.3 * 0.5;
  expect(values).toEqual({
    n: 10,
    bothRight: 4,
    bothWrongSame: 1,
    bothWrongDifferent: 1,
    onlyARight: 3,
    onlyBRight: 1,
    accuracyA: 0.7,
    accuracyB: 0.5,
    commonMistakes: 2,
    uncommonMistakes: 4,
    observedAgreement: 0.6,
    expectedAgreement: expected,
    kappa: expect.closeTo((0.6 - expected) / (1 - expected), 14),
    errorJaccard: 2 / 6,
    sameWrongLabelRate: 0.5,
    mcnemarP: 0.625, // 2 (C(4,0) + C(4,1)) / 16
  });
  expect(kappaInterval[0]).toBeLessThan(values.kappa);
  expect(kappaInterval[1]).toBeGreaterThan(values.kappa);
});

describe('scikit-learn, SciPy and NumPy get the same', () => {
  test.each(reference.cases)('case of seed $seed', (expected) => {
    const { seed } = expected;
    const labels = { truth: ints(expected.truth), a: ints(expected.a), b: ints(expected.b) };
    const grouped = agreement({ ...labels, groups: ints(expected.groups), bootstrap: { seed } });
    for (const key of ['accuracyA', 'accuracyB', 'kappa', 'errorJaccard', 'mcnemarP'] as const) {
      expect(grouped[key]).toBeCloseTo(expected[key], 12);
    }
    const plain = agreement({ ...labels, bootstrap: { seed } });
    for (const end of [0, 1] as const) {
      expect(grouped.kappaInterval[end]).toBeCloseTo(expected.groupInterval[end]!, 10);
      expect(plain.kappaInterval[end]).toBeCloseTo(expected.imageInterval[end]!, 10);
    }
  });

  test.each(reference.mcnemar)('McNemar of $b and $c', ({ b, c, p }) => {
    expect(Math.abs(mcnemarExact(b, c) - p)).toBeLessThanOrEqual(1e-9 * p);
    expect(mcnemarExact(c, b)).toBe(mcnemarExact(b, c));
  });
});

describe('edges', () => {
  test('nobody errs', () => {
    const result = agreement(
      columns([
        [1, 1, 1],
        [2, 2, 2],
      ]),
    );
    expect(result).toMatchObject({ kappa: 1, expectedAgreement: 1, errorJaccard: null });
    expect(result).toMatchObject({ sameWrongLabelRate: null, mcnemarP: 1, kappaInterval: [1, 1] });
  });

  test('both always wrong', () => {
    const result = agreement(
      columns([
        [1, 0, 0],
        [2, 0, 1],
      ]),
    );
    expect(result).toMatchObject({ kappa: 1, expectedAgreement: 1, errorJaccard: 1 });
    expect(result.sameWrongLabelRate).toBe(0.5);
  });

  test('one is always right, the other always wrong', () => {
    const result = agreement(
      columns([
        [1, 1, 0],
        [2, 2, 0],
        [0, 0, 1],
      ]),
    );
    expect(result).toMatchObject({ kappa: 0, observedAgreement: 0, errorJaccard: 0 });
    expect(result.mcnemarP).toBe(0.25);
  });

  test('each errs where the other does not, half of the time: kappa is -1', () => {
    expect(
      agreement(
        columns([
          [0, 0, 1],
          [0, 1, 0],
        ]),
      ).kappa,
    ).toBe(-1);
  });

  test('one group only: the interval is the value', () => {
    const labels = columns([
      [0, 0, 1],
      [0, 1, 0],
      [0, 0, 0],
    ]);
    const { kappa, kappaInterval } = agreement({ ...labels, groups: ints([5, 5, 5]) });
    expect(kappaInterval).toEqual([kappa, kappa]);
  });

  test('no discordant images at all, and none possible to underflow into NaN', () => {
    expect(mcnemarExact(0, 0)).toBe(1);
    expect(mcnemarExact(0, 5000)).toBe(0);
  });

  test('no images, and arrays of different lengths, are refused', () => {
    expect(() => agreement(columns([]))).toThrow(/no images/);
    const labels = columns([
      [0, 0, 0],
      [1, 1, 1],
    ]);
    expect(() => agreement({ ...labels, b: ints([0]) })).toThrow(/2, 2, 1/);
    expect(() => agreement({ ...labels, groups: ints([0]) })).toThrow(/2, 2, 2, 1/);
    expect(() => cellsPerClass(columns([]), 3)).toThrow(/no images/);
    expect(() => cellsPerClass(labels, 1)).toThrow(/class 1/);
  });
});

const someLabels = fc
  .array(fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 60 })
  .map(columns);

describe('for any predictions', () => {
  test('the cells add up, overall and per class', () => {
    fc.assert(
      fc.property(someLabels, (labels) => {
        const result = agreement({ ...labels, bootstrap: few });
        expect(CELLS.reduce((sum, cell) => sum + result[cell], 0)).toBe(result.n);
        expect(result.n).toBe(labels.truth.length);
        const classes = cellsPerClass(labels, 4);
        for (const cell of [...CELLS, 'n'] as const) {
          expect(classes.reduce((sum, row) => sum + row[cell], 0)).toBe(result[cell]);
        }
      }),
    );
  });

  test('exchanging A and B exchanges their cells and leaves the rest', () => {
    fc.assert(
      fc.property(someLabels, ({ truth, a, b }) => {
        const one = agreement({ truth, a, b, bootstrap: few });
        const other = agreement({ truth, a: b, b: a, bootstrap: few });
        expect(other).toEqual({
          ...one,
          onlyARight: one.onlyBRight,
          onlyBRight: one.onlyARight,
          accuracyA: one.accuracyB,
          accuracyB: one.accuracyA,
        });
      }),
    );
  });

  test('the order of the images does not matter (the drawn interval apart)', () => {
    fc.assert(
      fc.property(someLabels, ({ truth, a, b }) => {
        const turned = (values: Int32Array) => values.slice().reverse();
        const one = agreement({ truth, a, b, bootstrap: few });
        const input = { truth: turned(truth), a: turned(a), b: turned(b), bootstrap: few };
        const { kappaInterval } = one;
        expect({ ...agreement(input), kappaInterval }).toEqual(one);
      }),
    );
  });

  test('a model agrees with itself', () => {
    fc.assert(
      fc.property(someLabels, ({ truth, a }) => {
        const result = agreement({ truth, a, b: a, bootstrap: few });
        expect(result).toMatchObject({ kappa: 1, kappaInterval: [1, 1], bothWrongDifferent: 0 });
      }),
    );
  });

  test('observed agreement keeps the bounds that the accuracies set (Geirhos et al.)', () => {
    fc.assert(
      fc.property(someLabels, (labels) => {
        const result = agreement({ ...labels, bootstrap: few });
        const { observedAgreement: observed, expectedAgreement: expected } = result;
        const slack = 1e-12;
        if (expected < 0.5) {
          expect(observed).toBeLessThanOrEqual(1 - Math.sqrt(1 - 2 * expected) + slack);
        } else {
          expect(observed).toBeGreaterThanOrEqual(Math.sqrt(2 * expected - 1) - slack);
        }
        for (const value of [result.kappa, ...result.kappaInterval]) {
          expect(Math.abs(value)).toBeLessThanOrEqual(1 + slack);
        }
      }),
    );
  });

  test('renaming the classes changes nothing', () => {
    fc.assert(
      fc.property(someLabels, ({ truth, a, b }) => {
        const renamed = (values: Int32Array) => values.map((v) => 100 - 7 * v);
        const input = { truth: renamed(truth), a: renamed(a), b: renamed(b), bootstrap: few };
        expect(agreement(input)).toEqual(agreement({ truth, a, b, bootstrap: few }));
      }),
    );
  });
});

test('the interval is repeatable, and another seed draws another', () => {
  const { truth, a, b } = reference.cases[0]!;
  const labels = { truth: ints(truth), a: ints(a), b: ints(b) };
  const interval = (seed: number) => agreement({ ...labels, bootstrap: { seed } }).kappaInterval;
  expect(interval(9)).toEqual(interval(9));
  expect(interval(9)).not.toEqual(interval(10));
});

test('the cell of an image', () => {
  expect(cellOf(1, 1, 1)).toBe('bothRight');
  expect(cellOf(1, 0, 0)).toBe('bothWrongSame');
  expect(cellOf(1, 0, 2)).toBe('bothWrongDifferent');
  expect(cellOf(1, 1, 2)).toBe('onlyARight');
  expect(cellOf(1, 2, 1)).toBe('onlyBRight');
});
