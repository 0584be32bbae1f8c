import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { weightDistance } from '../../engine/analysis/distance.ts';
import type { ParameterSpec } from '../../engine/models/model.ts';

const spec = (
  name: string,
  module: string,
  stage: string,
  role: ParameterSpec['role'] = 'weight',
) =>
  ({ name, module, stage, role, shape: [2], initialiser: { kind: 'constant', value: 0 } }) as const;

const parameters = [
  spec('conv1.weight', 'conv1', 'stem'),
  spec('bn1.running_mean', 'conv1', 'stem', 'statistic'),
  spec('layer1.weight', 'layer1', 'layer1'),
  spec('fc.weight', 'fc', 'head'),
];
const weights = (...values: [number, number][]) =>
  new Map(parameters.map(({ name }, i) => [name, Float32Array.from(values[i]!)]));

describe('the distance of weights', () => {
  it('is worked by hand, without the head and running statistics', () => {
    const a = weights([3, 0], [9, 9], [0, 0], [1, 1]);
    const b = weights([0, 4], [0, 0], [0, 12], [5, 1]);
    const { whole, modules } = weightDistance(a, b, parameters, 'excluded');
    expect(whole.absolute).toBe(13); // sqrt(9 + 16 + 144)
    expect(whole.relative).toBeCloseTo(13 / ((3 + Math.sqrt(160)) / 2), 12);
    expect(modules).toEqual([
      { module: 'conv1', parameters: 2, absolute: 5, relative: 5 / 3.5 },
      { module: 'layer1', parameters: 2, absolute: 12, relative: 2 },
    ]);
    const all = weightDistance(a, b, parameters, 'included');
    expect(all.whole.absolute).toBeCloseTo(Math.sqrt(185), 12);
    expect(all.modules.at(-1)).toMatchObject({ module: 'fc', absolute: 4 });
  });

  it('is a metric', () => {
    const two = fc.tuple(
      fc.float({ min: -9, max: 9, noNaN: true }),
      fc.float({ min: -9, max: 9, noNaN: true }),
    );
    const drawn = fc.tuple(two, two, two, two).map((values) => weights(...values));
    const d = (a: Map<string, Float32Array>, b: Map<string, Float32Array>) =>
      weightDistance(a, b, parameters, 'included').whole.absolute;
    fc.assert(
      fc.property(drawn, drawn, drawn, (a, b, c) => {
        expect(d(a, a)).toBe(0);
        expect(d(a, b)).toBe(d(b, a));
        expect(d(a, c)).toBeLessThanOrEqual(d(a, b) + d(b, c) + 1e-9);
      }),
    );
  });
});
