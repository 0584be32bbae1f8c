import { expect } from 'vitest';

/** Stands for a tensor that is too large to be kept. */
export interface Summary {
  norm: number;
  first: number;
  last: number;
}

/**
 * Norm and ends of every tensor to `tolerance` of its norm, or of a hundredth of the largest norm
 * where that is more: the gradient of a bias is a long sum that may cancel.
 */
export function expectSummaries(
  expected: Record<string, Summary>,
  dataOf: (name: string) => Float32Array | undefined,
  tolerance = 1e-4,
): void {
  const largest = Math.max(...Object.values(expected).map(({ norm }) => norm));
  for (const [name, { norm, first, last }] of Object.entries(expected)) {
    const data = dataOf(name) ?? new Float32Array();
    const found = [Math.sqrt(sumOfSquares(data)), data[0] ?? NaN, data.at(-1) ?? NaN];
    const off = [norm, first, last].map((value, i) => Math.abs(value - (found[i] ?? NaN)));
    expect(Math.max(...off) / Math.max(norm, largest / 100), name).toBeLessThan(tolerance);
  }
}

function sumOfSquares(data: Float32Array): number {
  let sum = 0;
  for (const value of data) sum += value * value;
  return sum;
}

/** Relative difference below `tolerance`. */
export function expectClose(actual: number, expected: number, tolerance = 1e-4): void {
  expect(Math.abs(actual - expected) / Math.abs(expected)).toBeLessThan(tolerance);
}
