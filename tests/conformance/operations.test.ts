import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Graph, OperationKind } from '../../engine/graph/types.ts';
import { tfjsForward } from '../../engine/runtime/tfjs/runtime.ts';
import { disagreement } from './support/agree.ts';
import { CASES, COMPARED, UPDATE_CASES } from './support/cases.ts';
import { expectAgreement } from './support/compared.ts';
import { drawFeeds } from './support/draw.ts';
import { evaluate64 } from './support/float64.ts';
import { alone, runOnnx, single } from './support/single.ts';

test.each(CASES)('%s: onnxruntime and TensorFlow.js agree', async (_, builds) => {
  await fc.assert(fc.asyncProperty(builds, fc.nat(), expectAgreement), { numRuns: 12 });
});

test.each(UPDATE_CASES)('%s: the runtimes agree; its gradient is refused', async (kind, builds) => {
  const property = fc.asyncProperty(builds, fc.nat(), async (build, seed) => {
    const { forward } = alone(build);
    const feeds = drawFeeds(forward, seed);
    const exact = evaluate64(forward, feeds);
    // The loss is a sum that may cancel: it is not as exact as the result.
    expect(disagreement(exact, await runOnnx(forward, feeds)).relative).toBeLessThan(1e-4);
    expect(disagreement(exact, await tfjsForward(forward, feeds)).relative).toBeLessThan(1e-4);
    expect(() => single(build)).toThrow(`${kind} has no gradient`);
  });
  await fc.assert(property, { numRuns: 12 });
});

test('every kind of operation is compared', () => {
  const draws = (builds: (typeof CASES)[number][1]) => fc.sample(builds, { numRuns: 8, seed: 1 });
  const kindsOf = (graphs: Graph[]) =>
    new Set(graphs.flatMap(({ values }) => values.map(({ operation }) => operation.kind)));
  const singles = CASES.flatMap(([, builds]) => draws(builds).map(single));
  const forward = kindsOf(singles.map((each) => each.forward));
  const backward = kindsOf(singles.map((each) => each.backward));
  const updates = UPDATE_CASES.flatMap(([, builds]) => draws(builds).map(alone));
  const update = kindsOf(updates.map((each) => each.forward));
  const found = { forward, backward, update };
  for (const [kind, where] of Object.entries(COMPARED) as [OperationKind, keyof typeof found][]) {
    expect(found[where], kind).toContain(kind);
  }
});
