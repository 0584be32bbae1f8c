import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { moveLines } from '../../engine/runtime/onnx/blocked/moved-lines.ts';
import { Emitter } from '../../engine/runtime/onnx/emitter.ts';
import { encodeModel } from '../../engine/runtime/onnx/proto.ts';

const LINE = 16;

test.each([
  ['few lines are transposed', 'Transpose', [3, 2, 5, LINE]],
  ['many are gathered', 'Gather', [30, 20, 50, LINE]],
])('%s', async (_, type, sides) => {
  const size = sides.reduce((product, side) => product * side, 1);
  const e = new Emitter({ block: LINE });
  e.output('y', moveLines(e, 'x', sides, [2, 0, 1, 3]));
  const { nodes, initializers } = e;
  expect(nodes.map((node) => node.type)).toContain(type);
  const ports = { inputs: [{ name: 'x', shape: [size] }], outputs: [] };
  const [a = 0, b = 0, c = 0] = sides;
  const outputs = [{ name: 'y', shape: type === 'Gather' ? [size / LINE, LINE] : [c, a, b, LINE] }];
  const model = encodeModel({ nodes, initializers, ...ports, outputs });
  const session = await ort.InferenceSession.create(model, { graphOptimizationLevel: 'disabled' });
  const given = Float32Array.from({ length: size }, (__, i) => i);
  const { y } = await session.run({ x: new ort.Tensor('float32', given, [size]) });
  const expected = Float32Array.from({ length: size }, (__, i) => {
    const [at, line] = [i % LINE, Math.floor(i / LINE)];
    const [i2, i0, i1] = [Math.floor(line / (a * b)), Math.floor(line / b) % a, line % b];
    return ((i0 * b + i1) * c + i2) * LINE + at;
  });
  expect(y?.data).toEqual(expected);
  await session.release();
});
