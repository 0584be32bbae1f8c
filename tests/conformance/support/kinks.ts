/**
 * A relu whose input is zero up to rounding, and a window whose two largest values are equal up to
 * rounding, have two right gradients. Random draws that hit one are left out of comparisons.
 */
import type { Graph, Value } from '../../../engine/graph/types.ts';
import { runOnnx } from './single.ts';

const MARGIN = 1e-5;

/** Whether some relu or maximum of the forward graph is within rounding of its kink. */
export async function onAKink(
  graph: Graph,
  feeds: ReadonlyMap<string, Float32Array>,
): Promise<boolean> {
  const kinked = graph.values.filter(({ operation: { kind } }) =>
    ['relu', 'relu6', 'maxPool'].includes(kind),
  );
  const inputs = kinked.map((value) => [value.name, value.inputs[0] as Value] as const);
  const found = await runOnnx({ ...graph, outputs: new Map(inputs) }, feeds);
  return kinked.some((value) => {
    const data = found.get(value.name) as Float32Array;
    const margin = MARGIN * data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    if (value.operation.kind === 'relu') return data.some((x) => Math.abs(x) < margin);
    if (value.operation.kind === 'relu6') {
      return data.some((x) => Math.abs(x) < margin || Math.abs(x - 6) < margin);
    }
    return hasNearTie(value, data, margin);
  });
}

/** Ties of zeros are harmless: a relu before the pool lets no gradient through there. */
function hasNearTie(pool: Value, data: Float32Array, margin: number): boolean {
  const [, , height = 0, width = 0] = (pool.inputs[0] as Value).shape;
  const size = pool.operation.kind === 'maxPool' ? pool.operation.size : 1;
  return data.some((x, i) => {
    const [row, column] = [Math.floor(i / width) % height, i % width];
    if (x === 0) return false;
    for (let r = 0; r < size && row + r < height; r++) {
      for (let c = 1 - size; c < size; c++) {
        if (column + c < 0 || column + c >= width || (r === 0 && c <= 0)) continue;
        if (Math.abs((data[i + r * width + c] as number) - x) < margin) return true;
      }
    }
    return false;
  });
}
