/** What other devices are given, computed on the CPU against what the CPU is given. */
import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { GraphBuilder } from '../../engine/graph/builder.ts';
import { gradients } from '../../engine/graph/gradients.ts';
import type { Graph } from '../../engine/graph/types.ts';
import { RandomState } from '../../engine/random/random-state.ts';
import { compileGraph } from '../../engine/runtime/onnx/compile.ts';
import { buildLossAndGradients } from '../../engine/train/step.ts';
import { architectureSchema } from '../../contract/architecture.ts';
import { drawFeeds } from './support/draw.ts';
import { runOnnx } from './support/single.ts';

async function runPortable(
  graph: Graph,
  feeds: ReadonlyMap<string, Float32Array>,
): Promise<Map<string, Float32Array>> {
  const { model } = compileGraph(graph, { portable: true, block: 0 });
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
  const inputs = [...graph.inputs, ...graph.parameters].map(
    ({ name, shape }) =>
      [name, new ort.Tensor('float32', feeds.get(name) ?? new Float32Array(), shape)] as const,
  );
  const results = await session.run(Object.fromEntries(inputs));
  await session.release();
  return new Map(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]));
}

/** Fails where a tensor differs by more than `tolerance` of its largest element. */
function expectSame(
  found: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float32Array>,
  tolerance: number,
): void {
  expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, array] of expected) {
    const scale = array.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    const other = found.get(name) ?? new Float32Array();
    const gap = array.reduce((most, v, i) => Math.max(most, Math.abs(v - (other[i] ?? NaN))), 0);
    expect(gap / scale, name).toBeLessThan(tolerance);
  }
}

test.each([
  { size: 3, stride: 2, pad: 1, side: 9 },
  { size: 3, stride: 2, pad: 1, side: 8 },
  { size: 2, stride: 2, pad: 0, side: 7 },
  { size: 3, stride: 1, pad: 1, side: 5 },
])('max pooling’s gradient, with ties and negative values: %o', async ({ side, ...geometry }) => {
  const g = new GraphBuilder();
  const x = g.parameter('x', [2, 3, side, side]);
  const y = g.maxPool(x, geometry);
  const loss = g.reduceSum(g.mul(y, g.input('slopes', y.shape)));
  const [dx] = gradients(g, loss, [x]);
  const graph = g.finish([['dx', dx!]]);
  const random = new RandomState(1);
  const feeds = new Map([
    ['x', Float32Array.from({ length: 2 * 3 * side * side }, () => -random.randint(1, 4))],
    [
      'slopes',
      Float32Array.from({ length: y.shape.reduce((a, b) => a * b) }, () => random.normal()),
    ],
  ]);
  expectSame(await runPortable(graph, feeds), await runOnnx(graph, feeds), 1e-5);
});

test('log-softmax of logits that would overflow', async () => {
  const g = new GraphBuilder();
  const graph = g.finish([['y', g.logSoftmax(g.input('x', [2, 3]))]]);
  const feeds = new Map([['x', Float32Array.of(1000, 999, -1000, 0, 0, 0)]]);
  expectSame(await runPortable(graph, feeds), await runOnnx(graph, feeds), 1e-5);
});

// Depth magnifies what the order of sums rounds differently.
test.each(['resnet18', 'convnet', 'fixup-resnet10'] as const)(
  'loss and gradients of %s',
  async (name) => {
    const architecture = architectureSchema.parse({ name, width: 4, image: 64 });
    const { graph } = buildLossAndGradients({ architecture, classes: 3, batch: 4 });
    const feeds = drawFeeds(graph, 3);
    expectSame(await runPortable(graph, feeds), await runOnnx(graph, feeds), 1e-3);
  },
);

test('no operator of onnxruntime’s own is in a portable graph', () => {
  for (const name of ['resnet18', 'mobilenetv2', 'densenet121', 'fixup-resnet10'] as const) {
    const architecture = architectureSchema.parse({ name, width: 4, image: 64 });
    const { graph } = buildLossAndGradients({ architecture, classes: 3, batch: 4 });
    const { model } = compileGraph(graph, { portable: true, block: 8 });
    expect(Buffer.from(model).includes('com.microsoft')).toBe(false);
  }
});
