import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coralAligned, coralMap } from '../../engine/analysis/coral.ts';
import { frechetDistance } from '../../engine/analysis/frechet.ts';
import {
  momentsOfRows,
  momentsOfSums,
  squareRoot,
  sumsOf,
  times,
  withoutSums,
} from '../../engine/analysis/matrix.ts';
import { kernelSums, medianDistance, permutedMmd, unbiasedMmd } from '../../engine/analysis/mmd.ts';
import { classifyDomains, proxyDistance } from '../../engine/analysis/proxy-distance.ts';
import { symmetricEigen } from '../../engine/analysis/tridiagonal.ts';
import { RandomState } from '../../engine/random/random-state.ts';
import reference from '../reference/shift.json' with { type: 'json' };

const { features } = reference;
const source = Float32Array.from(reference.source);
const target = Float32Array.from(reference.target);
const both = Float32Array.from([...source, ...target]);
const counts = [source.length / features, target.length / features] as const;
const domains = Int32Array.from(both.subarray(0, both.length / features), (_, row) =>
  Number(row >= counts[0]),
);

const drawn = (seed: number, count: number, scale = 1) => {
  const random = new RandomState(seed);
  return Float64Array.from({ length: count }, () => random.normal() * scale);
};

describe('eigenvalues of symmetric matrices', () => {
  test('satisfy their equation, with orthonormal vectors, of any rank', () => {
    const sides = fc.tuple(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 0, max: 12 }),
      fc.nat(),
    );
    fc.assert(
      fc.property(sides, ([side, rank, seed]) => {
        const rows = drawn(seed, side * rank);
        const matrix = new Float64Array(side * side);
        for (let at = 0; at < rows.length; at += side) {
          for (let i = 0; i < side; i++) {
            for (let j = 0; j < side; j++) matrix[i * side + j]! += rows[at + i]! * rows[at + j]!;
          }
        }
        const { values, vectors } = symmetricEigen(matrix, side);
        const images = times(vectors, matrix, side);
        for (let v = 0; v < side; v++) {
          for (let i = 0; i < side; i++) {
            expect(images[v * side + i]).toBeCloseTo(values[v]! * vectors[v * side + i]!, 8);
          }
          for (let w = 0; w < side; w++) {
            let dot = 0;
            for (let i = 0; i < side; i++) dot += vectors[v * side + i]! * vectors[w * side + i]!;
            expect(dot).toBeCloseTo(v === w ? 1 : 0, 10);
          }
        }
        expect([...symmetricEigen(matrix, side, false).values]).toEqual([...values]);
      }),
    );
  });

  test('of the second difference are 2 - 2 cos(k pi / (n + 1))', () => {
    const side = 40;
    const matrix = new Float64Array(side * side);
    for (let i = 0; i < side; i++) {
      matrix[i * side + i] = 2;
      if (i > 0) matrix[i * side + i - 1] = matrix[(i - 1) * side + i] = -1;
    }
    const values = symmetricEigen(matrix, side).values.sort();
    values.forEach((value, k) =>
      expect(value).toBeCloseTo(2 - 2 * Math.cos(((k + 1) * Math.PI) / (side + 1)), 12),
    );
  });

  test('a square root times itself is the matrix', () => {
    const { covariance } = momentsOfRows(drawn(5, 60), 6);
    const root = squareRoot(covariance, 6);
    times(root, root, 6).forEach((value, at) => expect(value).toBeCloseTo(covariance[at]!, 12));
  });
});

test('moments of sums without some rows are those of the others', () => {
  const rows = drawn(2, 40 * 3).map((value) => value + 100);
  const part = rows.subarray(0, 30);
  const origin = Float64Array.of(100, 100, 100);
  const left = momentsOfSums(withoutSums(sumsOf(rows, 3, origin), sumsOf(part, 3, origin)), 3);
  const direct = momentsOfRows(rows.subarray(30), 3);
  expect(left.count).toBe(30);
  left.means.forEach((value, i) => expect(value).toBeCloseTo(direct.means[i]!, 10));
  left.covariance.forEach((value, i) => expect(value).toBeCloseTo(direct.covariance[i]!, 10));
});

describe('the Fréchet distance', () => {
  const [a, b] = [momentsOfRows(source, features), momentsOfRows(target, features)];

  test('is that of SciPy, both ways, and 0 to itself', () => {
    expect(frechetDistance(a, b)).toBeCloseTo(reference.frechet, 9);
    expect(frechetDistance(b, a)).toBeCloseTo(reference.frechet, 9);
    expect(frechetDistance(a, a)).toBeCloseTo(0, 9);
  });

  test('of diagonal covariances is the sum of (difference of deviations)^2', () => {
    const moments = (means: number[], deviations: number[]) => ({
      count: 10,
      means: Float64Array.from(means),
      covariance: Float64Array.from({ length: 9 }, (_, at) =>
        at % 4 === 0 ? deviations[at / 4]! ** 2 : 0,
      ),
    });
    const first = moments([0, 1, 2], [1, 2, 0]);
    const second = moments([1, 1, 0], [3, 1, 0.5]);
    expect(frechetDistance(first, second)).toBeCloseTo(1 + 0 + 4 + 4 + 1 + 0.25, 12);
  });
});

describe('MMD', () => {
  const unitOf = Int32Array.from(domains, (_, row) => row);
  const bandwidth = medianDistance(both, features);
  const kernel = kernelSums(both, features, bandwidth, unitOf, unitOf);

  test('median distance and unbiased value are those of SciPy', () => {
    expect(bandwidth).toBeCloseTo(reference.medianDistance, 6);
    expect(unbiasedMmd(kernel, domains)).toBeCloseTo(reference.mmd, 8);
  });

  test('units of several rows give the same sums; pairs within a group do not count', () => {
    // Rows 0 and 1, on different sides, are of one group.
    const rows = Float32Array.of(0, 1, 3, 4, 6);
    const side = Int32Array.of(0, 1, 0, 1, 1);
    const k = (x: number, y: number) => Math.exp(-((x - y) ** 2) / 2);
    const grouped = kernelSums(rows, 1, 1, [0, 1, 2, 3, 4], Int32Array.of(0, 0, 1, 2, 3));
    const within = [k(0, 3), (k(1, 4) + k(1, 6) + k(4, 6)) / 3];
    const between = (k(0, 4) + k(0, 6) + k(3, 1) + k(3, 4) + k(3, 6)) / 5;
    expect(unbiasedMmd(grouped, side)).toBeCloseTo(within[0]! + within[1]! - 2 * between, 12);
    // Rows 3 and 4 are one unit.
    const joint = kernelSums(rows, 1, 1, [0, 1, 2, 3, 3], Int32Array.of(0, 1, 2, 3));
    const pair = (k(1, 4) + k(1, 6)) / 2;
    const across = (k(0, 1) + k(0, 4) + k(0, 6) + k(3, 1) + k(3, 4) + k(3, 6)) / 6;
    expect(unbiasedMmd(joint, [0, 1, 0, 1])).toBeCloseTo(k(0, 3) + pair - 2 * across, 12);
  });

  test('of exchanged units: about 0 on average, and the shift is beyond nearly all of them', () => {
    const values = permutedMmd(kernel, domains, 400, new RandomState(1)).sort();
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.002);
    const far = both.map((value, at) => (at < source.length ? value : value + 3));
    const shifted = kernelSums(far, features, medianDistance(far, features), unitOf, unitOf);
    const nulls = permutedMmd(shifted, domains, 50, new RandomState(1));
    expect(Math.max(...nulls)).toBeLessThan(unbiasedMmd(shifted, domains));
  });

  test('groups on both sides change places: the value is that of the exchange or not', () => {
    const rows = Float32Array.of(0, 5, 1, 9, 2, 7);
    const groups = Int32Array.of(0, 0, 1, 1, 2, 2);
    const paired = kernelSums(rows, 1, 3, [0, 1, 2, 3, 4, 5], groups);
    const sides = (bits: number) =>
      Int32Array.from({ length: 6 }, (_, unit) => (unit % 2) ^ ((bits >> (unit >> 1)) & 1));
    const possible = Array.from({ length: 8 }, (_, bits) => unbiasedMmd(paired, sides(bits)));
    const found = permutedMmd(paired, sides(0), 60, new RandomState(4));
    const seen = new Set<number>();
    for (const value of found) {
      const at = possible.findIndex((each) => Math.abs(each - value) < 1e-12);
      expect(at).toBeGreaterThanOrEqual(0);
      seen.add(Math.min(at, 7 - at));
    }
    expect(seen.size).toBe(4);
  });
});

describe('the proxy A-distance', () => {
  const groups = Array.from(domains, (_, row) => String(row));

  test('counts both domains alike', () => {
    // error 1/4 in one, 0 in the other
    expect(proxyDistance([1, 0, 0, 0, 0], Int32Array.of(0, 0, 0, 0, 1))).toBe(2 * (1 - 2 * 0.125));
    expect(proxyDistance([1, 0, 0], Int32Array.of(0, 0, 1), [0, 1, 1])).toBe(2);
  });

  test('is 2 for domains far apart and near 0 for halves of one', () => {
    const far = both.map((value, at) => (at < source.length ? value : value + 20));
    const { wrong, probabilities } = classifyDomains(far, features, domains, groups, 0);
    expect(proxyDistance(wrong, domains)).toBe(2);
    probabilities.forEach((p, row) => expect(p > 0.5).toBe(domains[row] === 1));
    const one = Float32Array.from(drawn(3, 400 * features));
    const halves = Int32Array.from({ length: 400 }, (_, row) => row % 2);
    const names = Array.from(halves, (_, row) => String(row));
    const none = classifyDomains(one, features, halves, names, 0);
    expect(Math.abs(proxyDistance(none.wrong, halves))).toBeLessThan(0.35);
  });

  test('an image is judged by a classifier that never saw its group', () => {
    // Features name the group, domains are random by group: only groups seen before could be told.
    const size = 40;
    const rows = new Float32Array(2 * size * size);
    const sides = Int32Array.from({ length: 2 * size }, (_, row) => (row >> 1) % 2);
    for (let row = 0; row < 2 * size; row++) rows[row * size + (row >> 1)] = 1;
    const names = Array.from(sides, (_, row) => String(row >> 1));
    const leaking = Array.from(sides, (_, row) => String(row));
    const held = classifyDomains(rows, size, sides, names, 0);
    const leaked = classifyDomains(rows, size, sides, leaking, 0);
    expect(proxyDistance(leaked.wrong, sides)).toBeGreaterThan(1.2);
    expect(proxyDistance(held.wrong, sides)).toBeLessThan(0.6);
  });
});

describe('CORAL', () => {
  test.each(['1', '1e-05'] as const)('colours as SciPy does, lambda %s', (lambda) => {
    const [from, to] = [momentsOfRows(source, features), momentsOfRows(target, features)];
    const map = coralMap(from, to, Number(lambda));
    const centred = Float64Array.from(source, (value, at) => value - from.means[at % features]!);
    const expected = reference.coral[lambda];
    times(centred, map, features).forEach((value, at) =>
      expect(value).toBeCloseTo(expected[at]!, 7),
    );
  });

  test('with little lambda the source has the moments of the target', () => {
    const aligned = momentsOfRows(coralAligned(source, target, features, 1e-9), features);
    const wanted = momentsOfRows(target, features);
    aligned.means.forEach((value, i) => expect(value).toBeCloseTo(wanted.means[i]!, 5));
    aligned.covariance.forEach((value, i) => expect(value).toBeCloseTo(wanted.covariance[i]!, 4));
  });
});
