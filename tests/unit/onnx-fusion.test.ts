import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../engine/graph/builder.ts';
import type { Value } from '../../engine/graph/types.ts';
import { planFusions } from '../../engine/runtime/onnx/blocked/fusion.ts';
import { fusible } from '../../engine/runtime/onnx/blocked/operations.ts';

const BLOCK = 16;
const IMAGE = [2, BLOCK, 8, 8];

function plan(build: (g: GraphBuilder, x: Value) => Value) {
  const g = new GraphBuilder();
  const out = build(g, g.parameter('x', IMAGE));
  const { fusions } = planFusions(g.finish([['y', out]]), (value) => fusible(value, BLOCK), BLOCK);
  return [...fusions].map(([value, { convolution, sum, relu }]) => ({
    at: value.operation.kind,
    of: convolution.operation.kind,
    adds: sum?.operation.kind ?? null,
    relu,
  }));
}

const normalised = (g: GraphBuilder, x: Value): Value =>
  g.batchNorm(x, g.parameter('scale', [BLOCK]), g.parameter('shift', [BLOCK]), 1e-5).result;

function inputGradient(g: GraphBuilder, dy: Value): Value {
  const filter = g.parameter('filter', [BLOCK, BLOCK, 3, 3]);
  return g.backward({ kind: 'conv2dInputGradient', stride: 1, pad: 1 }, [dy, filter], IMAGE);
}

test('the relu after batchNorm, and what passes both by, are one with it', () => {
  expect(plan((g, x) => g.relu(normalised(g, x)))).toEqual([
    { at: 'relu', of: 'batchNorm', adds: null, relu: true },
  ]);
  expect(plan((g, x) => g.relu(g.add(normalised(g, x), x)))).toEqual([
    { at: 'relu', of: 'batchNorm', adds: 'parameter', relu: true },
  ]);
});

test('an input gradient adds but does not cut off', () => {
  expect(plan((g, x) => g.relu(g.add(inputGradient(g, x), x)))).toEqual([
    { at: 'add', of: 'conv2dInputGradient', adds: 'parameter', relu: false },
  ]);
  expect(plan((g, x) => g.relu(inputGradient(g, x)))).toEqual([]);
});

test('a value that is used twice keeps a node of its own', () => {
  const twice = plan((g, x) => {
    const out = normalised(g, x);
    return g.mul(g.relu(out), out);
  });
  expect(twice).toEqual([]);
});

describe('a multiple of one tensor added to another', () => {
  const FILTER = [BLOCK, 2 * BLOCK, 3, 3];

  function scaledSums(build: (g: GraphBuilder, a: Value, b: Value) => Value) {
    const g = new GraphBuilder();
    const out = build(g, g.parameter('a', FILTER), g.parameter('b', FILTER));
    const { scaledSums: found } = planFusions(g.finish([['y', out]]), () => false, BLOCK);
    return [...found.values()].map(({ base, scaled, sign }) => [base.name, sign, scaled.name]);
  }

  test('is one node where they are filters', () => {
    const two = (g: GraphBuilder) => g.constant(2);
    expect(scaledSums((g, a, b) => g.add(a, g.mul(b, two(g))))).toEqual([['a', 1, 'b']]);
    expect(scaledSums((g, a, b) => g.add(g.mul(two(g), b), a))).toEqual([['a', 1, 'b']]);
    expect(scaledSums((g, a, b) => g.sub(a, g.mul(b, two(g))))).toEqual([['a', -1, 'b']]);
  });

  test('is not where the multiple is taken from, or needed besides, or not by one number', () => {
    const two = (g: GraphBuilder) => g.constant(2);
    expect(scaledSums((g, a, b) => g.sub(g.mul(b, two(g)), a))).toEqual([]);
    expect(scaledSums((g, a, b) => g.add(a, g.mul(b, a)))).toEqual([]);
    const twice = scaledSums((g, a, b) => {
      const product = g.mul(b, two(g));
      return g.sqrt(g.div(g.add(a, product), product));
    });
    expect(twice).toEqual([]);
  });
});
