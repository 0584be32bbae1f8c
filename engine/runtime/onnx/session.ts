import * as ort from 'onnxruntime-node';
import type { Graph } from '../../graph/types.ts';
import { compileToOnnx } from './compile.ts';

export type Feeds = ReadonlyMap<string, Float32Array>;

export interface SessionOptions {
  /** Threads inside one operator; results do not depend on it. */
  threads: number;
  /** Parameters that never change, compiled in as constants. */
  fixed?: ReadonlyMap<string, Float32Array>;
}

/** A compiled graph that onnxruntime executes on the CPU. */
export class OnnxSession {
  readonly #session: ort.InferenceSession;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;

  private constructor(session: ort.InferenceSession, graph: Graph) {
    this.#session = session;
    this.#shapes = new Map(
      [...graph.inputs, ...graph.parameters].map((value) => [value.name, value.shape]),
    );
  }

  static async create(graph: Graph, { threads, fixed }: SessionOptions): Promise<OnnxSession> {
    const session = await ort.InferenceSession.create(compileToOnnx(graph, fixed), {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // The blocked layout of 'all' pays with constant filters only.
      graphOptimizationLevel: fixed ? 'all' : 'extended',
      // Waiting threads that spin take the cores from the loader and from all else that runs.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
      logSeverityLevel: 3,
    });
    return new OnnxSession(session, graph);
  }

  /** Runs the graph; outputs by name, each a fresh array. */
  async run(feeds: Feeds): Promise<Map<string, Float32Array>> {
    const tensors: Record<string, ort.Tensor> = {};
    for (const name of this.#session.inputNames) {
      const data = feeds.get(name);
      const shape = this.#shapes.get(name);
      if (!data || !shape) throw new Error(`no value was given for input "${name}"`);
      tensors[name] = new ort.Tensor('float32', data, shape);
    }
    const results = await this.#session.run(tensors);
    return new Map(
      Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]),
    );
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}
