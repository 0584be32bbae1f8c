import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../engine/graph/builder.ts';
import type { Value } from '../../engine/graph/types.ts';
import { sizeOf } from '../../engine/graph/types.ts';
import { blockSize } from '../../engine/runtime/onnx/block-size.ts';
import { compileGraph } from '../../engine/runtime/onnx/compile.ts';
import { blockFilter, unblockFilter } from '../../engine/runtime/onnx/layout.ts';
import { OnnxSession } from '../../engine/runtime/onnx/session.ts';
import { BLOCKED_CASES } from './support/blocked-cases.ts';
import { expectAgreement } from './support/compared.ts';

const block = await blockSize();

describe('on blocked images', () => {
  // TensorFlow.js's processor backend is slow on whole blocks.
  test.each(BLOCKED_CASES)(
    '%s: onnxruntime and TensorFlow.js agree',
    async (_, builds) => {
      await fc.assert(fc.asyncProperty(builds, fc.nat(), expectAgreement), { numRuns: 5 });
    },
    300_000,
  );

  test.runIf(block > 0)('a convolution with its sum and relu is one node', () => {
    const g = new GraphBuilder();
    const x = g.parameter('x', [block, block, 8, 8]);
    const filter = g.parameter('filter', [block, block, 3, 3]);
    const out = g.relu(g.add(g.conv2d(x, filter, { stride: 1, pad: 1 }), x));
    const model = new TextDecoder('latin1').decode(
      compileGraph(g.finish([['y', out]]), { block }).model,
    );
    expect(model.match(/Conv/g)).toHaveLength(1);
    expect(model).toContain('com.microsoft.nchwc');
    expect(model).not.toContain('Add');
  });
});

test('a filter by blocks and back is the same filter', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(4, 8, 16),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
      (size, out, depth, side) => {
        const shape = [out * size, depth * size, side, side];
        const filter = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i);
        expect(unblockFilter(blockFilter(filter, shape, size), shape, size)).toEqual(filter);
      },
    ),
  );
});

test('filter channels lie innermost in blocks, inputs before outputs', () => {
  // [out, in] = [2, 2] in blocks of 2: in memory [in][out].
  expect([...blockFilter(Float32Array.of(1, 2, 3, 4), [2, 2, 1, 1], 2)]).toEqual([1, 3, 2, 4]);
});

test.runIf(block > 0)('state in blocks comes back as it was placed', async () => {
  const g = new GraphBuilder();
  const filter = g.parameter('filter', [block, 2 * block, 3, 3]);
  const graph = g.finish([['doubled', g.mul(filter, g.constant(2))]]);
  const session = await OnnxSession.create(graph, { threads: 1, keep: ['doubled'] });
  const given = Float32Array.from({ length: 18 * block * block }, (_, i) => i);
  const placed = await session.place(new Map([['filter', given]]));
  expect((await session.read(placed)).get('filter')).toEqual(given);
  const { kept } = await session.runKeeping(placed);
  expect((await session.read(kept)).get('doubled')).toEqual(given.map((value) => 2 * value));
  await session.close();
});

test.runIf(block > 0)(
  'the update of a filter rounds as multiplication and addition do',
  async () => {
    const shape = [block, 3 * block, 3, 3];
    const g = new GraphBuilder();
    const [w, v, d] = ['w', 'v', 'd'].map((name) => g.parameter(name, shape)) as [
      Value,
      Value,
      Value,
    ];
    const velocity = g.add(g.mul(v, g.constant(0.9)), g.add(d, g.mul(w, g.constant(1e-4))));
    const updated = g.sub(w, g.mul(velocity, g.input('rate', [])));
    const session = await OnnxSession.create(g.finish([['updated', updated]]), { threads: 2 });
    const drawn = (seed: number): Float32Array =>
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(seed + 1.7 * i));
    const [ws, vs, ds] = [drawn(1), drawn(2), drawn(3)];
    const rate = Float32Array.of(0.1);
    const feeds = { w: ws, v: vs, d: ds, rate };
    const outputs = await session.run(new Map(Object.entries(feeds)));
    const f = Math.fround;
    const expected = ws.map((each, i) => {
      const pull = f((ds[i] ?? 0) + f(each * f(1e-4)));
      return f(each - f(f(f((vs[i] ?? 0) * f(0.9)) + pull) * f(0.1)));
    });
    expect(outputs.get('updated')).toEqual(expected);
    await session.close();
  },
);
