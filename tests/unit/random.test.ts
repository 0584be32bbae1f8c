import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RandomState } from '../../engine/random/random-state.ts';
import { stream } from '../../engine/random/streams.ts';
import reference from '../reference/random.json' with { type: 'json' };

const times = <T>(n: number, draw: () => T): T[] => Array.from({ length: n }, draw);

describe.each(reference.states)('RandomState($seed) draws what NumPy draws', (expected) => {
  const fresh = () => new RandomState(expected.seed);

  test('words', () => {
    const state = fresh();
    expect(times(8, () => state.nextUint32())).toEqual(expected.words);
  });
  test('random_sample, also past the first block of words', () => {
    const state = fresh();
    const samples = times(1000, () => state.randomSample());
    expect(samples.slice(0, 5)).toEqual(expected.samples);
    expect(samples.slice(-3)).toEqual(expected.lateSamples);
  });
  test('standard_normal, to the last bit of the logarithm', () => {
    const state = fresh();
    for (const value of expected.normals) {
      expect(Math.abs(state.normal() - value)).toBeLessThanOrEqual(4e-16 * Math.abs(value));
    }
  });
  test('uniform and randint', () => {
    const state = fresh();
    expect(times(3, () => state.uniform(-2.5, 7))).toEqual(expected.uniform);
    const second = fresh();
    expect(times(12, () => second.randint(-4, 5))).toEqual(expected.randints);
  });
  test('permutation', () => {
    expect([...fresh().permutation(16)]).toEqual(expected.permutation);
    const bytes = new Uint8Array(fresh().permutation(150528).buffer);
    const hash = createHash('sha256').update(bytes).digest('hex');
    expect(hash).toBe(expected.largePermutationSha256);
  });
});

test('the published check vectors of the shuffle', () => {
  expect([...new RandomState(1234).permutation(16)].join(' ')).toBe(
    '13 11 0 12 14 2 10 7 1 9 8 4 5 6 3 15',
  );
  const first = new RandomState(2020).permutation(120906).slice(0, 5);
  expect([...first]).toEqual([31803, 23292, 29956, 73424, 28524]);
});

test.each(reference.streams)('stream($seed, $names) is what its definition says', (expected) => {
  const state = stream(expected.seed, ...expected.names);
  expect(times(4, () => state.randomSample())).toEqual(expected.samples);
});

test('streams of other names and seeds differ', () => {
  const first = (state: RandomState) => state.nextUint32();
  const values = [stream(0, 'a'), stream(0, 'b'), stream(1, 'a'), stream(0, 'a', 0)].map(first);
  expect(new Set(values).size).toBe(4);
});

test('a permutation holds every number once, for any size and seed', () => {
  fc.assert(
    fc.property(fc.nat(300), fc.nat(0xffffffff), (n, seed) => {
      const sorted = new RandomState(seed).permutation(n).sort();
      expect([...sorted]).toEqual(times(n, () => 0).map((_, i) => i));
    }),
  );
});

test.each([-1, 0.5, 2 ** 32, NaN, Infinity])('the seed %s is refused by name', (seed) => {
  expect(() => new RandomState(seed)).toThrow(String(seed));
  expect(() => new RandomState([0, seed])).toThrow(String(seed));
});

test('an empty seed array is refused', () => {
  expect(() => new RandomState([])).toThrow(/empty/);
});
