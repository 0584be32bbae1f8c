import { describe, expect, onTestFinished, test } from 'vitest';
import { GraphBuilder } from '../../engine/graph/builder.ts';
import type { KeptTensor } from '../../engine/runtime/onnx/session.ts';
import { OnnxSession } from '../../engine/runtime/onnx/session.ts';

const VALUES = Float32Array.of(1, -2, 3.5);

async function doubling(): Promise<OnnxSession> {
  const g = new GraphBuilder();
  const x = g.parameter('x', [3]);
  const graph = g.finish([['doubled', g.add(x, x)]]);
  const session = await OnnxSession.create(graph, { threads: 1, keep: ['doubled'] });
  onTestFinished(() => session.close());
  return session;
}

const elementsOf = ({ tensor }: KeptTensor) => tensor.data as Float32Array;

describe('kept results', () => {
  test('free their memory when they are disposed of, once or twice', async () => {
    const session = await doubling();
    const kept = (await session.runKeeping(new Map([['x', VALUES]]))).kept.get('doubled')!;
    expect([...elementsOf(kept)]).toEqual([2, -4, 7]);
    kept.dispose();
    expect(elementsOf(kept).buffer.byteLength).toBe(0);
    kept.dispose();
  });

  test('that were read leave the arrays to the reader', async () => {
    const session = await doubling();
    const { kept } = await session.runKeeping(new Map([['x', VALUES]]));
    const read = (await session.read(kept)).get('doubled')!;
    kept.forEach((tensor) => tensor.dispose());
    expect([...read]).toEqual([2, -4, 7]);
    expect([...(await session.run(new Map([['x', VALUES]]))).get('doubled')!]).toEqual([2, -4, 7]);
  });

  test('never take the arrays that were given', async () => {
    const session = await doubling();
    const given = VALUES.slice();
    const placed = await session.place(new Map([['x', given]]));
    const { kept } = await session.runKeeping(placed);
    [...placed.values(), ...kept.values()].forEach((tensor) => tensor.dispose());
    expect(given).toEqual(VALUES);
  });
});
