/** Random tensors for tests, drawn from a seed that a failing test prints. */
import { RandomState } from '../../../engine/random/random-state.ts';
import type { Graph, Value } from '../../../engine/graph/types.ts';
import { sizeOf } from '../../../engine/graph/types.ts';

/**
 * Distinct values in (-1, 1), at least 1/n apart, in random order: no two tie, and of an even
 * number none is near 0, so that no maximum and no relu sits on its kink.
 */
export function spread(random: RandomState, n: number): Float32Array {
  const order = random.permutation(n);
  return Float32Array.from(order, (k) => ((k + random.uniform(0.25, 0.75)) / n) * 2 - 1);
}

/** A value for each input and parameter; those named `positive…` lie in (0.5, 2). */
export function drawFeeds(graph: Graph, seed: number): Map<string, Float32Array> {
  const random = new RandomState(seed);
  const draw = ({ name, shape }: Value): Float32Array => {
    const values = spread(random, sizeOf(shape));
    return name.startsWith('positive') ? values.map((v) => 1.25 + 0.75 * v) : values;
  };
  return new Map([...graph.inputs, ...graph.parameters].map((value) => [value.name, draw(value)]));
}
