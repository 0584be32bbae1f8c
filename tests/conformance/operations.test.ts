import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tfjsGradients } from '../../engine/runtime/tfjs/runtime.ts';
import type { Named } from './support/agree.ts';
import { disagreement } from './support/agree.ts';
import { CASES } from './support/cases.ts';
import { drawFeeds } from './support/draw.ts';
import { evaluate64 } from './support/float64.ts';
import { onnxGradients, runOnnx, single } from './support/single.ts';

const TOLERANCE = 1e-4;

test.each(CASES)('%s: onnxruntime and TensorFlow.js agree', async (_, builds) => {
  const property = fc.asyncProperty(builds, fc.nat(), async (build, seed) => {
    const graphs = single(build);
    const feeds = drawFeeds(graphs.forward, seed);
    const other = await tfjsGradients(graphs.forward, feeds);
    const result = (outputs: Named): Named =>
      new Map([['result', outputs.get('result') as ArrayLike<number>]]);
    const exact = result(evaluate64(graphs.forward, feeds));
    const ours = result(await runOnnx(graphs.forward, feeds));
    const theirs = result(other.outputs);
    expect(disagreement(exact, ours).relative).toBeLessThan(1e-5);
    expect(disagreement(ours, theirs).relative).toBeLessThan(TOLERANCE);
    const worst = disagreement(await onnxGradients(graphs, feeds), other.gradients);
    expect(worst.relative, worst.name).toBeLessThan(TOLERANCE);
  });
  await fc.assert(property, { numRuns: 12 });
});
