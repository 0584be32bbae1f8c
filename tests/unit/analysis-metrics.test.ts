import { expect, test } from 'vitest';
import {
  accuracy,
  argmaxRows,
  mean,
  quantile,
  relativeDrop,
  softmaxRows,
} from '../../engine/analysis/metrics.ts';

test('mean and accuracy, and neither of nothing', () => {
  expect(mean([1, 2, 6])).toBe(3);
  expect(accuracy([1, 2, 3, 4], [1, 0, 3, 0])).toBe(0.5);
  expect(() => mean([])).toThrow(/no values/);
  expect(() => accuracy([], [])).toThrow(/not defined/);
  expect(() => accuracy([1, 2], [1])).toThrow(/1 predictions for 2 images/);
});

test('quantiles interpolate as numpy.quantile does', () => {
  // numpy.quantile([1, 2, 4, 8], [0, .025, .5, .9, 1])
  const values = [1, 2, 4, 8];
  const at = [0, 0.025, 0.5, 0.9, 1].map((q) => quantile(values, q));
  [1, 1.075, 3, 6.8, 8].forEach((value, i) => expect(at[i]).toBeCloseTo(value, 12));
  expect(quantile([5], 0.3)).toBe(5);
  expect(() => quantile([], 0.5)).toThrow(/no values/);
});

test('softmax by rows, for logits that would overflow too', () => {
  const rows = softmaxRows(Float32Array.from([0, Math.log(3), 1000, 1000]), 2);
  [0.25, 0.75, 0.5, 0.5].forEach((value, i) => expect(rows[i]).toBeCloseTo(value, 6));
});

test('argmax by rows takes the first of equals', () => {
  expect([...argmaxRows(Float32Array.from([1, 3, 3, -5, -4, -9]), 3)]).toEqual([1, 1]);
});

test.each([NaN, Infinity, -Infinity])('a row with %s has no largest value', (value) => {
  expect(() => argmaxRows(Float32Array.of(1, 2, 3, value), 2)).toThrow(
    `row 1 of the logits holds ${value}: no class`,
  );
});

test('relative drop, as printed above the bars of the paper', () => {
  expect(relativeDrop(77.2, 45)).toBeCloseTo(41.7, 1);
  expect(relativeDrop(0, 0.1)).toBeNull();
});
