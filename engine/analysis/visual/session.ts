import { availableParallelism } from 'node:os';
import type { Graph } from '../../graph/types.ts';
import { sizeOf } from '../../graph/types.ts';
import type { Weights } from '../../models/registry.ts';
import type { Given } from '../../runtime/onnx/session.ts';
import { OnnxSession } from '../../runtime/onnx/session.ts';

/** Arrays by input name, each [item, ...]. */
export type PerItem = Readonly<Record<string, Float32Array>>;

/** Runs a graph of a fixed batch on any number of items, with any weights. Close it after use. */
export class VisualSession {
  readonly #session: OnnxSession;
  readonly #graph: Graph;
  readonly #batch: number;

  private constructor(session: OnnxSession, graph: Graph, batch: number) {
    this.#session = session;
    this.#graph = graph;
    this.#batch = batch;
  }

  /** @param graph whose inputs and outputs all have the batch as their first axis */
  static async create(graph: Graph): Promise<VisualSession> {
    const [batch = 1] = graph.inputs[0]?.shape ?? [];
    const session = await OnnxSession.create(graph, { threads: availableParallelism() });
    return new VisualSession(session, graph, batch);
  }

  /** What the graph needs of the weights, laid out once for many runs. */
  place(weights: Weights): Promise<ReadonlyMap<string, Given>> {
    const needed = this.#graph.parameters.map(({ name }) => {
      const found = weights.get(name);
      if (!found) throw new Error(`the weights lack ${name}`);
      return [name, found] as const;
    });
    return this.#session.place(new Map(needed));
  }

  /**
   * @param count of the items in `given`; the last batch is filled up with zeros
   * @returns outputs by name, [item, ...]
   */
  async run(
    placed: ReadonlyMap<string, Given>,
    given: PerItem,
    count: number,
  ): Promise<Map<string, Float32Array>> {
    const results = this.#empty(count);
    for (let first = 0; first < count; first += this.#batch) {
      const size = Math.min(this.#batch, count - first);
      const feeds = new Map(placed);
      for (const { name, shape } of this.#graph.inputs) {
        const width = sizeOf(shape) / this.#batch;
        const array = new Float32Array(sizeOf(shape));
        array.set(given[name]!.subarray(first * width, (first + size) * width));
        feeds.set(name, array);
      }
      for (const [name, values] of await this.#session.run(feeds)) {
        const width = values.length / this.#batch;
        results.get(name)?.set(values.subarray(0, size * width), first * width);
      }
    }
    return results;
  }

  #empty(count: number): Map<string, Float32Array> {
    const outputs = [...this.#graph.outputs];
    const size = (shape: readonly number[]) => (count * sizeOf(shape)) / this.#batch;
    return new Map(outputs.map(([name, { shape }]) => [name, new Float32Array(size(shape))]));
  }

  async close(): Promise<void> {
    await this.#session.close();
  }
}
