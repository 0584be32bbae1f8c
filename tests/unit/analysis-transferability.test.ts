import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hScores } from '../../engine/analysis/h-score.ts';
import { leep, negativeConditionalEntropy } from '../../engine/analysis/leep.ts';
import { linearProblems, logEvidence, logMe, mostEvidence } from '../../engine/analysis/logme.ts';
import { transferScores } from '../../engine/analysis/transfer-scores.ts';
import { weightedTau, weightedTauEstimate } from '../../engine/analysis/weighted-tau.ts';
import { argmaxRows } from '../../engine/analysis/metrics.ts';
import { RandomState } from '../../engine/random/random-state.ts';
import reference from '../reference/shift.json' with { type: 'json' };

const { features, classes, sourceClasses } = reference;
const target = Float32Array.from(reference.target);
const labels = Int32Array.from(reference.targetLabels);
const probabilities = Float32Array.from(reference.probabilities);

describe('LEEP and NCE', () => {
  const hard = argmaxRows(probabilities, sourceClasses);

  test('are those of NumPy and scikit-learn', () => {
    expect(leep(probabilities, sourceClasses, labels, classes)).toBeCloseTo(reference.leep, 6);
    const nce = negativeConditionalEntropy(hard, sourceClasses, labels, classes);
    expect(nce).toBeCloseTo(reference.nce, 12);
  });

  test('by hand: joint (3/8, 1/8; 1/8, 3/8)', () => {
    // Source says (3/4, 1/4) to images of class 0 and (1/4, 3/4) to those of class 1.
    const theta = [0.75, 0.25, 0.25, 0.75];
    expect(leep(theta, 2, Int32Array.of(0, 1), 2)).toBeCloseTo(Math.log(0.75 ** 2 + 0.25 ** 2), 12);
    // Source class 0 for classes 0, 0, 1: half a bit and more; source class 1 for class 1 only.
    const entropy = (3 / 4) * ((2 / 3) * Math.log(2 / 3) + (1 / 3) * Math.log(1 / 3));
    const nce = negativeConditionalEntropy(
      Int32Array.of(0, 0, 0, 1),
      2,
      Int32Array.of(0, 0, 1, 1),
      2,
    );
    expect(nce).toBeCloseTo(entropy, 12);
  });

  test('are 0 where the source tells the target, and do not mind empty source classes', () => {
    const theta = [1, 0, 0, 0, 0, 1, 1, 0, 0];
    const own = Int32Array.of(0, 1, 0);
    expect(leep(theta, 3, own, 2)).toBe(0);
    expect(negativeConditionalEntropy(Int32Array.of(0, 2, 0), 3, own, 2)).toBeCloseTo(0, 15);
  });

  test('repeated images and counts are the same', () => {
    const times = Float64Array.from(labels, (_, row) => row % 3);
    const chosen = Array.from(labels.keys()).flatMap((row) => Array<number>(row % 3).fill(row));
    const repeated = chosen.flatMap((row) => [
      ...probabilities.subarray(row * sourceClasses, (row + 1) * sourceClasses),
    ]);
    const own = Int32Array.from(chosen, (row) => labels[row]!);
    expect(leep(probabilities, sourceClasses, labels, classes, times)).toBeCloseTo(
      leep(repeated, sourceClasses, own, classes),
      12,
    );
    const held = Int32Array.from(chosen, (row) => hard[row]!);
    expect(negativeConditionalEntropy(hard, sourceClasses, labels, classes, times)).toBeCloseTo(
      negativeConditionalEntropy(held, sourceClasses, own, classes),
      12,
    );
  });

  test('are never above 0', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = new RandomState(seed);
        const raw = Array.from({ length: 12 * 4 }, () => random.randomSample());
        const sums = Array.from({ length: 12 }, (_, row) =>
          raw.slice(row * 4, row * 4 + 4).reduce((sum, each) => sum + each, 0),
        );
        const theta = raw.map((value, at) => value / sums[at >> 2]!);
        const own = Int32Array.from({ length: 12 }, () => random.randint(0, 3));
        expect(leep(theta, 4, own, 3)).toBeLessThanOrEqual(1e-12);
        const z = argmaxRows(Float32Array.from(theta), 4);
        expect(negativeConditionalEntropy(z, 4, own, 3)).toBeLessThanOrEqual(1e-12);
      }),
    );
  });
});

describe('the H-score', () => {
  const found = hScores(target, features, labels, classes);

  test('and its regularised form are those of NumPy and scikit-learn', () => {
    expect(found.plain).toBeCloseTo(reference.hScores.plain, 9);
    expect(found.regularised).toBeCloseTo(reference.hScores.regularised, 9);
    expect(found.shrinkage).toBeCloseTo(reference.hScores.shrinkage, 9);
  });

  test('the plain one does not mind a constant or repeated feature', () => {
    const more = new Float32Array(labels.length * (features + 2));
    labels.forEach((_, row) => {
      const own = target.subarray(row * features, (row + 1) * features);
      more.set([...own, 7, own[0]!], row * (features + 2));
    });
    expect(hScores(more, features + 2, labels, classes).plain).toBeCloseTo(found.plain, 6);
  });

  test('is classes - 1 where features are the class, 0 without classes that differ', () => {
    const own = Float32Array.from(labels, (label) => label);
    expect(
      hScores(
        own,
        1,
        Int32Array.from(labels, (label) => Number(label > 0)),
        2,
      ).plain,
    ).toBeLessThan(1);
    const one = Float32Array.from(labels, (label) => Number(label > 0));
    const binary = Int32Array.from(one);
    expect(hScores(one, 1, binary, 2).plain).toBeCloseTo(1, 12);
    expect(
      hScores(
        target,
        features,
        labels.map(() => 0),
        1,
      ).plain,
    ).toBeCloseTo(0, 12);
  });
});

describe('LogME', () => {
  const indicator = (label: number) => Float64Array.from(labels, (own) => Number(own === label));

  test.each(reference.evidences)(
    'the evidence at alpha $alpha, beta $beta is the log density of a Gaussian',
    ({ alpha, beta, value }) => {
      const [problem] = linearProblems(target, features, [indicator(1)]);
      expect(logEvidence(problem!, alpha, beta)).toBeCloseTo(value, 9);
    },
  );

  test('comes within its tolerance of the largest evidence there is', () => {
    const found = linearProblems(target, features, [0, 1, 2].map(indicator)).map(mostEvidence);
    reference.bestEvidences.forEach((best, label) => {
      expect(found[label]!.value).toBeLessThanOrEqual(best + 1e-9);
      expect(found[label]!.value).toBeGreaterThan(best - 5e-3);
    });
    const mean = found.reduce((sum, { value }) => sum + value, 0) / 3;
    expect(logMe(target, features, labels, classes)).toBe(mean);
  });

  test('features that repeat others, or are 0, take nothing from it', () => {
    const wide = features + 2;
    const [problem] = linearProblems(reference.deficient, wide, [indicator(1)]);
    expect(problem!.sigma).toHaveLength(features);
    const { value } = mostEvidence(problem!);
    expect(value).toBeLessThanOrEqual(reference.bestDeficientEvidence + 1e-9);
    expect(value).toBeGreaterThan(reference.bestDeficientEvidence - 5e-3);
  });

  test('is higher for features that tell the classes, and leaves out classes without images', () => {
    const telling = Float32Array.from(labels, (label, row) => label - 1 + (row % 2) / 10);
    const noise = Float32Array.from(labels, (_, row) => Math.sin(row * 12.9898));
    expect(logMe(telling, 1, labels, classes)).toBeGreaterThan(logMe(noise, 1, labels, classes));
    expect(logMe(noise, 1, labels, classes + 4)).toBe(logMe(noise, 1, labels, classes));
  });
});

describe('weighted tau', () => {
  test.each(reference.weightedTau)('is that of SciPy: $tau', ({ x, y, tau }) => {
    expect(weightedTau(x, y)).toBeCloseTo(tau, 12);
  });

  test('is 1 and -1 for equal and opposite order, within them else, not defined without order', () => {
    const values = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(values, fc.nat(), (x, seed) => {
        fc.pre(new Set(x).size > 1);
        expect(
          weightedTau(
            x,
            x.map((value) => 2 * value + 1),
          ),
        ).toBeCloseTo(1, 12);
        const random = new RandomState(seed);
        const y = x.map(() => random.normal());
        expect(Math.abs(weightedTau(x, y))).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
    expect(weightedTau([1, 2, 3, 4], [4, 3, 2, 1])).toBeCloseTo(-1, 12);
    expect(weightedTau([1, 1, 1], [1, 2, 3])).toBeNaN();
  });

  test('p counts all orders that do as well; few values have no interval', () => {
    const options = { replicates: 200, seed: 0 };
    // Of the six orders only the right one comes to 1.
    const three = weightedTauEstimate([1, 2, 3], [4, 5, 6], options);
    expect(three).toEqual({ tau: 1, interval: null, p: 1 / 6 });
    expect(weightedTauEstimate([1, 2], [1, 2], options).tau).toBeNull();
    const x = Array.from({ length: 20 }, (_, at) => at);
    const many = weightedTauEstimate(
      x,
      x.map((value) => value + 3 * Math.sin(value)),
      options,
    );
    expect(many.interval![0]).toBeGreaterThan(0.3);
    expect(many.interval![1]).toBeLessThanOrEqual(1);
    expect(many.p).toBeCloseTo(1 / 201, 12);
  });
});

test('scores of a start are those of all images; without a head there is no LEEP', () => {
  const logits = probabilities.map(Math.log);
  const groups = Int32Array.from(labels, (_, row) => row >> 1);
  const seen = { features: target, dimensions: features, labels, classes, groups };
  const found = transferScores({ ...seen, logits, sourceClasses }, 0);
  expect(found.leep.value).toBeCloseTo(reference.leep, 5);
  expect(found.nce.value).toBeCloseTo(reference.nce, 9);
  expect(found['h-score'].value).toBeCloseTo(reference.hScores.plain, 9);
  expect(found.logme.value).toBe(logMe(target, features, labels, classes));
  for (const { value, interval } of Object.values(found)) {
    expect(interval![0]).toBeLessThan(value!);
    expect(interval![1]).toBeGreaterThan(value!);
  }
  const headless = transferScores({ ...seen, logits: null, sourceClasses: 0 }, 0);
  expect(headless.leep).toEqual({ value: null, interval: null });
  expect(headless['h-score'].value).toBe(found['h-score'].value);
});
