import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../engine/graph/builder.ts';
import type { Value } from '../../engine/graph/types.ts';
import { compileGraph } from '../../engine/runtime/onnx/compile.ts';
import { OnnxSession } from '../../engine/runtime/onnx/session.ts';
import { planBundles } from '../../engine/runtime/onnx/together.ts';

const SIZES = [3, 16, 1, 7];

/** v <- 0.9 v + g and w <- w - rate v for vectors of several sizes, with one of `rates` each. */
function updates(rates: readonly string[]) {
  const g = new GraphBuilder();
  const named = rates.map((name) => g.input(name, []));
  const outputs = SIZES.flatMap((size, i): [string, Value][] => {
    const [w, v, d] = ['w', 'v', 'd'].map((name) => g.parameter(`${name}${i}`, [size])) as [
      ...[Value, Value, Value],
    ];
    const velocity = g.add(g.mul(v, g.constant(0.9)), d);
    const rate = named[i % named.length] as Value;
    return [
      [`v${i}'`, velocity],
      [`w${i}'`, g.sub(w, g.mul(velocity, rate))],
    ];
  });
  return g.finish(outputs);
}

const kindsOf = (graph: ReturnType<typeof updates>) =>
  planBundles(graph).map((bundle) => `${bundle.length} ${bundle[0]?.operation.kind}`);

describe('small state', () => {
  test('is updated by one node for all vectors', () => {
    expect(kindsOf(updates(['rate']))).toEqual(['4 mul', '4 add', '4 mul', '4 sub']);
  });

  test('of different rates is together up to where they matter', () => {
    const kinds = ['4 mul', '4 add', '2 mul', '2 sub', '2 mul', '2 sub'];
    expect(kindsOf(updates(['rate', 'other']))).toEqual(kinds);
  });

  test('that something else is computed of is not bundled', () => {
    const g = new GraphBuilder();
    const sums = SIZES.map((size, i) => {
      const doubled = g.add(g.parameter(`x${i}`, [size]), g.parameter(`y${i}`, [size]));
      return [`sum${i}`, g.reduceSum(doubled)] as const;
    });
    expect(planBundles(g.finish(sums))).toEqual([]);
  });

  test('that would keep an image waiting for its sum is not bundled', () => {
    const bundlesOf = (needed: boolean) => {
      const g = new GraphBuilder();
      const outputs = SIZES.flatMap((size, i) => {
        const sum = g.reduceSum(g.parameter(`x${i}`, [2, size, 3, 3]), [0, 2, 3]);
        const updated = g.sub(g.parameter(`w${i}`, [size]), sum);
        return [
          [`w${i}'`, updated] as const,
          ...(needed ? [[`norm${i}`, g.reduceSum(sum)] as const] : []),
        ];
      });
      return planBundles(g.finish(outputs)).length;
    };
    expect([bundlesOf(false), bundlesOf(true)]).toEqual([0, 1]);
  });

  test.each([[['rate']], [['rate', 'other']]])('comes out as by itself, with %j', async (rates) => {
    const graph = updates(rates);
    const feeds = new Map(rates.map((name, i) => [name, Float32Array.of(0.1 + i)]));
    for (const { name, shape } of graph.parameters) {
      feeds.set(
        name,
        Float32Array.from({ length: shape[0] ?? 0 }, (_, i) => Math.sin(i + feeds.size)),
      );
    }
    const session = await OnnxSession.create(graph, { threads: 1 });
    const outputs = await session.run(feeds);
    await session.close();
    const f = Math.fround;
    const given = (name: string): Float32Array => feeds.get(name) ?? new Float32Array();
    for (const i of SIZES.keys()) {
      const velocity = given(`v${i}`).map((v, at) => f(f(v * f(0.9)) + (given(`d${i}`)[at] ?? 0)));
      const [rate = 0] = given(rates[i % rates.length] ?? '');
      const updated = given(`w${i}`).map((w, at) => f(w - f((velocity[at] ?? 0) * rate)));
      expect(outputs.get(`v${i}'`)).toEqual(velocity);
      expect(outputs.get(`w${i}'`)).toEqual(updated);
    }
  });

  test('stays apart in portable graphs', () => {
    const text = (portable: boolean) =>
      new TextDecoder('latin1').decode(compileGraph(updates(['rate']), { portable }).model);
    expect(text(true)).not.toContain('Split');
    expect(text(false)).toContain('Split');
  });
});
