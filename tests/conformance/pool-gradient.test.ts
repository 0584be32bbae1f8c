import { expect, test } from 'vitest';
import { GraphBuilder } from '../../engine/graph/builder.ts';
import { gradients } from '../../engine/graph/gradients.ts';
import { blockSize } from '../../engine/runtime/onnx/block-size.ts';
import { compileGraph } from '../../engine/runtime/onnx/compile.ts';
import { OnnxSession } from '../../engine/runtime/onnx/session.ts';

const block = (await blockSize()) || 16;
const [BATCH, ROWS, COLUMNS] = [3, 6, 10];
const SIZE = BATCH * block * ROWS * COLUMNS;

/** The slope of sum(weights * maxPool(relu(x))) along x. */
function slope() {
  const g = new GraphBuilder();
  const x = g.parameter('x', [BATCH, block, ROWS, COLUMNS]);
  const pooled = g.maxPool(g.relu(x), { size: 3, stride: 2, pad: 1 });
  const weights = g.input('weights', pooled.shape);
  const [dx] = gradients(g, g.reduceSum(g.mul(pooled, weights)), [x]);
  if (!dx) throw new Error('no gradient');
  return g.finish([['dx', dx]]);
}

/** In plain loops: to the first maximum of each window, and nothing through a relu that gave 0. */
function expected(x: Float32Array, weights: Float32Array): Float32Array {
  const dx = new Float32Array(SIZE);
  weights.forEach((weight, at) => {
    const [column, rest] = [at % (COLUMNS / 2), Math.floor(at / (COLUMNS / 2))];
    const [row, plane] = [rest % (ROWS / 2), Math.floor(rest / (ROWS / 2))];
    let [best, highest] = [-1, 0];
    for (let r = Math.max(0, 2 * row - 1); r <= 2 * row + 1; r++) {
      for (let c = Math.max(0, 2 * column - 1); c <= 2 * column + 1; c++) {
        const i = (plane * ROWS + r) * COLUMNS + c;
        if ((x[i] ?? 0) > highest) [best, highest] = [i, x[i] ?? 0];
      }
    }
    if (best >= 0) dx[best] = (dx[best] ?? 0) + weight;
  });
  return dx;
}

test('of equal maxima the first one has the slope', async () => {
  // Few different numbers, so that most windows have their maximum several times.
  const x = Float32Array.from({ length: SIZE }, (_, i) => (((i * 7919) % 23) % 5) - 2);
  const weights = Float32Array.from({ length: SIZE / 4 }, (_, i) => (i % 13) - 6);
  const session = await OnnxSession.create(slope(), { threads: 2 });
  const outputs = await session.run(new Map(Object.entries({ x, weights })));
  await session.close();
  // -0 and 0 are one.
  expect(outputs.get('dx')?.map((each) => each + 0)).toEqual(
    expected(x, weights).map((each) => each + 0),
  );
});

test('numbers that differ by less than the smallest normal one differ', async () => {
  const tiny = 2 ** -149;
  const x = Float32Array.from({ length: SIZE }, (_, i) => 2 ** -127 + ((i * 31) % 97) * tiny);
  const weights = new Float32Array(SIZE / 4).fill(1);
  const session = await OnnxSession.create(slope(), { threads: 2 });
  const outputs = await session.run(new Map(Object.entries({ x, weights })));
  await session.close();
  expect(outputs.get('dx')).toEqual(expected(x, weights));
});

test('no indices are asked for where the image is blocked', () => {
  const model = new TextDecoder('latin1').decode(compileGraph(slope(), { block }).model);
  expect(model).not.toContain('ScatterElements');
});
