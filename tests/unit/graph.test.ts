import { describe, expect, test } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import { GraphBuilder } from '../../engine/graph/builder.ts';
import type { Value } from '../../engine/graph/types.ts';
import { runOnnx } from '../conformance/support/single.ts';

/** The failure's message; the code must be `bad-input`. */
function refusal(build: (g: GraphBuilder) => unknown): string {
  try {
    build(new GraphBuilder());
  } catch (error) {
    expect(error).toBeInstanceOf(CarryoverError);
    expect((error as CarryoverError).code).toBe('bad-input');
    return (error as CarryoverError).message;
  }
  throw new Error('it was accepted');
}

describe('shape errors name the node, the operation and both shapes', () => {
  const given = (g: GraphBuilder, a: number[], b: number[]): [Value, Value] => [
    g.parameter('a', a),
    g.parameter('b', b),
  ];
  const geometry = { stride: 1, pad: 0 };

  test.each<[string, (g: GraphBuilder) => unknown, string]>([
    [
      'add',
      (g) => g.add(...given(g, [2, 3], [4])),
      'node "add#2", add of [2, 3] and [4]: sides 3 and 4 do not match',
    ],
    [
      'matMul, inner sides',
      (g) => g.matMul(...given(g, [2, 3], [2, 3])),
      'node "matMul#2", matMul of [2, 3] and [2, 3]: inner sides 3 and 2 differ',
    ],
    [
      'matMul, rank',
      (g) => g.matMul(...given(g, [2, 3, 1], [1, 3])),
      'node "matMul#2", matMul of [2, 3, 1] and [1, 3]: both must be matrices',
    ],
    [
      'conv2d, channels',
      (g) => g.conv2d(...given(g, [1, 3, 8, 8], [4, 2, 3, 3]), geometry),
      'node "conv2d#2", conv2d of [1, 3, 8, 8] and [4, 2, 3, 3]: the input has 3 channels, the filter takes 2',
    ],
    [
      'conv2d, window',
      (g) => g.conv2d(...given(g, [1, 3, 4, 8], [4, 3, 7, 7]), { stride: 2, pad: 1 }),
      'node "conv2d#2", conv2d of [1, 3, 4, 8] and [4, 3, 7, 7]: a window of 7 does not fit 4 padded by 1',
    ],
    [
      'conv2d, bias',
      (g) => {
        const [x, filter] = given(g, [1, 3, 8, 8], [4, 3, 3, 3]);
        return g.conv2d(x, filter, geometry, g.parameter('bias', [3]));
      },
      'node "conv2d#3", conv2d of [1, 3, 8, 8] and [4, 3, 3, 3] and [3]: the bias must have 1 or 4 elements',
    ],
    [
      'conv2d, groups',
      (g) => g.conv2d(...given(g, [1, 4, 8, 8], [8, 1, 3, 3]), { ...geometry, groups: 4 }),
      'node "conv2d#2", conv2d of [1, 4, 8, 8] and [8, 1, 3, 3]: 4 groups: there must be 1, or as many as channels and filters',
    ],
    [
      'conv2d, far sides',
      (g) => g.conv2d(...given(g, [1, 3, 1, 8], [4, 3, 3, 3]), { stride: 1, pad: 0, padEnd: 1 }),
      'node "conv2d#2", conv2d of [1, 3, 1, 8] and [4, 3, 3, 3]: a window of 3 does not fit 1 padded by 0 and 1',
    ],
    [
      'averagePool',
      (g) => g.averagePool(g.parameter('x', [1, 2, 8, 1]), 2),
      'node "averagePool#1", averagePool of [1, 2, 8, 1]: a window of 2 does not fit 1 padded by 0',
    ],
    [
      'concat',
      (g) => g.concat(given(g, [1, 3, 8, 8], [1, 3, 4, 8]), 1),
      'node "concat#2", concat of [1, 3, 8, 8] and [1, 3, 4, 8]: the shapes must be equal but for axis 1',
    ],
    [
      'concat, axis',
      (g) => g.concat(given(g, [1, 3], [1, 3]), 2),
      'node "concat#2", concat of [1, 3] and [1, 3]: there is no axis 2',
    ],
    [
      'slice',
      (g) => g.slice(g.parameter('x', [4, 4]), [0, 3], [4, 2]),
      'node "slice#1", slice of [4, 4]: [4, 2] at [0, 3] does not lie within [4, 4]',
    ],
    [
      'pad',
      (g) => g.pad(g.parameter('x', [4, 4]), [0, -1], [4, 5]),
      'node "pad#1", pad of [4, 4]: [4, 4] at [0, -1] does not lie within [4, 5]',
    ],
    [
      'batchNorm',
      (g) => g.batchNorm(g.parameter('x', [2, 3, 4, 4]), ...given(g, [3], [4]), 1e-5),
      'node "batchNorm#5", batchNorm of [2, 3, 4, 4] and [3] and [4] and [3] and [3]: scale, shift and moments must be [3]',
    ],
    [
      'maxPool',
      (g) => g.maxPool(g.parameter('x', [8, 8]), { size: 2, ...geometry }),
      'node "maxPool#1", maxPool of [8, 8]: four axes are needed',
    ],
    [
      'reshape',
      (g) => g.reshape(g.parameter('x', [2, 3]), [4]),
      'node "reshape#1", reshape of [2, 3]: [4] has 4 elements, not 6',
    ],
    [
      'broadcast',
      (g) => g.broadcast(g.parameter('x', [2, 3]), [1, 3]),
      'node "broadcast#1", broadcast of [2, 3]: cannot be stretched to [1, 3]',
    ],
    [
      'reduceSum',
      (g) => g.reduceSum(g.parameter('x', [2, 3]), [2]),
      'node "reduceSum#1", reduceSum of [2, 3]: there is no axis 2',
    ],
  ])('%s', (_, build, message) => {
    expect(refusal(build)).toBe(message);
  });

  test('the node is named inside its scopes', () => {
    const message = refusal((g) =>
      g.scope('layer3.1', () => g.scope('branch', () => g.add(...given(g, [2], [3])))),
    );
    expect(message).toContain('node "layer3.1.branch.add#2", add of [2] and [3]');
  });
});

describe('the builder refuses', () => {
  test.each<[string, (g: GraphBuilder) => unknown, RegExp]>([
    [
      'two parameters of one name',
      (g) => [g.parameter('conv1.weight', [1]), g.parameter('conv1.weight', [1])],
      /two parameters named "conv1.weight"/,
    ],
    ['a side of zero', (g) => g.input('images', [0, 3]), /input "images": \[0, 3\]/],
    ['half a pixel', (g) => g.parameter('w', [1.5]), /parameter "w": \[1.5\]/],
    [
      'a constant of the wrong size',
      (g) => g.constant(Float32Array.of(1, 2), [3]),
      /2 elements cannot have shape \[3\]/,
    ],
  ])('%s', (_, build, message) => {
    expect(refusal(build)).toMatch(message);
  });
});

test('a finished graph keeps only what its outputs need, in a computable order', async () => {
  const g = new GraphBuilder();
  const [x, unused] = [g.input('x', [2]), g.input('unused', [2])];
  const idle = g.exp(unused);
  const y = g.scope('block', () => g.mul(x, g.parameter('scale', [1])));
  const graph = g.finish([['y', y]]);
  expect(graph.inputs.map(({ name }) => name)).toEqual(['x']);
  expect(graph.parameters.map(({ name }) => name)).toEqual(['block.scale']);
  expect(graph.values).not.toContain(idle);
  for (const value of graph.values) {
    for (const input of value.inputs) {
      expect(graph.values.indexOf(input)).toBeLessThan(graph.values.indexOf(value));
    }
  }
  const feeds = new Map([
    ['x', Float32Array.of(3, -4)],
    ['block.scale', Float32Array.of(0.5)],
  ]);
  expect([...((await runOnnx(graph, feeds)).get('y') ?? [])]).toEqual([1.5, -2]);
});
