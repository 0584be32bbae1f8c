import { describe, expect, test } from 'vitest';
import { domainDistances, type DomainSample } from '../../engine/analysis/domain-distances.ts';
import { frechetDistance } from '../../engine/analysis/frechet.ts';
import { jackknifeCorrected } from '../../engine/analysis/jackknife.ts';
import { momentsOfRows } from '../../engine/analysis/matrix.ts';
import { RandomState } from '../../engine/random/random-state.ts';

const options = { features: 4, permutations: 200, replicates: 200, seed: 0 };

function sample(seed: number, images: number, shift = 0, group = (image: number) => image) {
  const random = new RandomState(seed);
  const rows = Float32Array.from({ length: images * 4 }, () => random.normal() + shift);
  return { rows, groups: Int32Array.from({ length: images }, (_, image) => group(image)) };
}

describe('distances between domains', () => {
  const same = sample(1, 300);
  const other = sample(2, 300, 0, (image) => 1000 + image);
  const far = sample(3, 300, 1, (image) => 2000 + image);

  test('tell a shifted domain from one of the same distribution, with intervals', async () => {
    const { pairs, directions, variance } = await domainDistances([same, other, far], options);
    expect([directions, variance]).toEqual([4, 1]);
    const [none, shifted] = [pairs[0]!, pairs[1]!];
    expect(none.mmd2.interval![0]).toBeLessThan(0);
    expect(none.permuted!.p).toBeGreaterThan(0.05);
    expect(none.mmd2.value!).toBeLessThan(none.permuted!.quantile);
    expect(shifted.mmd2.interval![0]).toBeGreaterThan(shifted.permuted!.quantile);
    expect(shifted.permuted!.p).toBeCloseTo(1 / 201, 12);
    // Means 2 apart in four dimensions, deviations alike: 4.
    expect(shifted.frechet.interval![0]).toBeLessThan(4);
    expect(shifted.frechet.interval![1]).toBeGreaterThan(4);
    expect(shifted.proxy.interval![0]).toBeGreaterThan(1);
    expect(none.proxy.interval![1]).toBeLessThan(0.5);
    expect(Math.abs(none.frechet.corrected!)).toBeLessThan(none.frechet.value!);
  });

  test('Fréchet is that of all images; its jackknife leaves out blocks of groups', async () => {
    const groups = (image: number) => image % 5;
    const [a, b] = [sample(4, 50, 0, groups), sample(5, 60, 0.5, groups)];
    const { pairs } = await domainDistances([a, b], options);
    const of = ({ rows, groups: own }: DomainSample, kept: readonly number[]) =>
      momentsOfRows(
        rows.filter((_, at) => kept.includes(own[at >> 2]!)),
        4,
      );
    const expected = jackknifeCorrected(5, (kept) => frechetDistance(of(a, kept), of(b, kept)));
    expect(pairs[0]!.frechet.value).toBeCloseTo(expected.value!, 8);
    expect(pairs[0]!.frechet.corrected).toBeCloseTo(expected.corrected!, 6);
    expected.interval!.forEach((bound, at) =>
      expect(pairs[0]!.frechet.interval![at]).toBeCloseTo(bound, 6),
    );
  });

  test('few images for the features: principal directions, and their share is told', async () => {
    const few = [sample(6, 8), sample(7, 8, 3, (image) => 100 + image)];
    const { directions, variance } = await domainDistances(few, options);
    expect(directions).toBe(3);
    expect(variance).toBeGreaterThan(0.6);
    expect(variance).toBeLessThan(1);
  });
});
