import { expect } from 'vitest';
import { tfjsGradients } from '../../../engine/runtime/tfjs/runtime.ts';
import type { Named } from './agree.ts';
import { disagreement } from './agree.ts';
import type { Build } from './cases.ts';
import { drawFeeds } from './draw.ts';
import { evaluate64 } from './float64.ts';
import { onnxGradients, runOnnx, single } from './single.ts';

const TOLERANCE = 1e-4;

/**
 * Expects that onnxruntime's result is that of double precision and of TensorFlow.js, and our
 * gradients those of TensorFlow.js's own differentiation, on inputs drawn from `seed`.
 */
export async function expectAgreement(build: Build, seed: number): Promise<void> {
  const graphs = single(build);
  const feeds = drawFeeds(graphs.forward, seed);
  const other = await tfjsGradients(graphs.forward, feeds);
  const result = (outputs: Named): Named =>
    new Map([['result', outputs.get('result') as ArrayLike<number>]]);
  const ours = result(await runOnnx(graphs.forward, feeds));
  const exact = result(evaluate64(graphs.forward, feeds));
  expect(disagreement(exact, ours).relative).toBeLessThan(1e-5);
  expect(disagreement(ours, result(other.outputs)).relative).toBeLessThan(TOLERANCE);
  const worst = disagreement(await onnxGradients(graphs, feeds), other.gradients);
  expect(worst.relative, worst.name).toBeLessThan(TOLERANCE);
}
