import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../engine/graph/builder.ts';
import { gradients } from '../../engine/graph/gradients.ts';
import { disagreement } from '../conformance/support/agree.ts';
import { CASES } from '../conformance/support/cases.ts';
import { drawFeeds } from '../conformance/support/draw.ts';
import { centralDifferences } from '../conformance/support/float64.ts';
import { onnxGradients, single } from '../conformance/support/single.ts';

describe('gradients', () => {
  test.each(CASES)('%s: equals central differences in double precision', async (_, builds) => {
    const property = fc.asyncProperty(builds, fc.nat(), async (build, seed) => {
      const graphs = single(build);
      const feeds = drawFeeds(graphs.forward, seed);
      const names = graphs.forward.parameters.map(({ name }) => name);
      const expected = new Map(
        names.map((name) => [name, centralDifferences(graphs.forward, feeds, name)]),
      );
      const worst = disagreement(expected, await onnxGradients(graphs, feeds));
      expect(worst.relative, worst.name).toBeLessThan(1e-4);
    });
    await fc.assert(property, { numRuns: 5 });
  });

  test('a value used twice gets the sum of both contributions', async () => {
    const graphs = single((g) => {
      const x = g.parameter('x', [3]);
      return g.add(g.mul(x, x), x);
    });
    const feeds = new Map([
      ['x', Float32Array.of(1, -2, 0.5)],
      ['positiveDirection', Float32Array.of(1, 1, 2)],
    ]);
    const found = await onnxGradients(graphs, feeds);
    expect([...(found.get('x') as Float32Array)]).toEqual([3, -3, 4]);
  });

  test('refuses a loss that is not one number', () => {
    const g = new GraphBuilder();
    const x = g.parameter('x', [2]);
    expect(() => gradients(g, g.exp(x), [x])).toThrow(/exp#1.*not one number/);
  });

  test('names a parameter that does not influence the loss', () => {
    const g = new GraphBuilder();
    const [x, idle] = [g.parameter('x', [2]), g.parameter('layer1.idle', [2])];
    expect(() => gradients(g, g.reduceSum(x), [x, idle])).toThrow(/"layer1.idle"/);
  });
});
