/**
 * Graphs of one operation, with loss = sum of its result times a random direction; a positive one,
 * so that the gradient of what is added everywhere is not a sum that cancels.
 */
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { gradients } from '../../../engine/graph/gradients.ts';
import type { Graph, Value } from '../../../engine/graph/types.ts';
import { OnnxSession } from '../../../engine/runtime/onnx/session.ts';

export interface Single {
  /** Outputs: loss, result. */
  forward: Graph;
  /** Outputs: the gradient of each parameter, under the parameter's name. */
  backward: Graph;
}

/** `build` declares parameters and returns the operation's result. */
export function single(build: (g: GraphBuilder) => Value): Single {
  const { g, loss, forward } = alone(build);
  const { parameters } = forward;
  const found = gradients(g, loss, parameters);
  const backward = g.finish(parameters.map(({ name }, i) => [`d/${name}`, found[i] as Value]));
  return { forward, backward };
}

/** The forward graph of one operation: outputs loss and result. */
export function alone(build: (g: GraphBuilder) => Value) {
  const g = new GraphBuilder();
  const result = build(g);
  const loss = g.reduceSum(g.mul(result, g.input('positiveDirection', result.shape)));
  const forward: Graph = g.finish([
    ['loss', loss],
    ['result', result],
  ]);
  return { g, loss, forward };
}

/** Runs a graph once with onnxruntime. */
export async function runOnnx(
  graph: Graph,
  feeds: ReadonlyMap<string, Float32Array>,
): Promise<Map<string, Float32Array>> {
  const session = await OnnxSession.create(graph, { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

/** A single graph's gradients by parameter name, as our own differentiation gives them. */
export async function onnxGradients(
  { backward }: Single,
  feeds: ReadonlyMap<string, Float32Array>,
): Promise<Map<string, Float32Array>> {
  const outputs = await runOnnx(backward, feeds);
  return new Map([...outputs].map(([name, data]) => [name.slice('d/'.length), data]));
}
