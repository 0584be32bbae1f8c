import * as ort from 'onnxruntime-node';
import type { Graph } from '../../graph/types.ts';
import { compileToOnnx } from './compile.ts';
import type { OnnxDevice } from './devices.ts';
import { deviceOptions, keepsOnDevice } from './devices.ts';
import type { Given } from './kept.ts';
import { Carrier, KeptTensor } from './kept.ts';

export type { Given, KeptTensor, OnnxDevice };

export type Feeds = ReadonlyMap<string, Given>;

export interface SessionOptions {
  /** Threads inside one operator; results do not depend on it. */
  threads: number;
  /** Parameters that never change, compiled in as constants. */
  fixed?: ReadonlyMap<string, Float32Array>;
  /** Default `cpu`. Creating a session on another may end the process where libraries are missing. */
  device?: OnnxDevice;
  /** Outputs that are not brought back from the device, for `runKeeping`. */
  keep?: readonly string[];
}

/** Results of a run: what came back, and what stayed. */
export interface Kept {
  outputs: Map<string, Float32Array>;
  kept: Map<string, KeptTensor>;
}

/** A compiled graph that onnxruntime executes. */
export class OnnxSession {
  readonly device: OnnxDevice;
  readonly #session: ort.InferenceSession;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  readonly #keep: ReadonlySet<string>;
  /** Where the device's memory is another than ours. */
  readonly #carrier: Carrier | null;

  private constructor(
    session: ort.InferenceSession,
    graph: Graph,
    { device = 'cpu', keep = [] }: SessionOptions,
    options: ort.InferenceSession.SessionOptions,
  ) {
    this.device = device;
    this.#session = session;
    this.#keep = new Set(keep);
    this.#carrier = keepsOnDevice(device) ? new Carrier(options) : null;
    this.#shapes = new Map(
      [...graph.inputs, ...graph.parameters].map((value) => [value.name, value.shape]),
    );
  }

  static async create(graph: Graph, given: SessionOptions): Promise<OnnxSession> {
    const { fixed, device = 'cpu', keep = [] } = given;
    const options = runtimeOptions(given);
    const portable = device !== 'cpu';
    const session = await ort.InferenceSession.create(compileToOnnx(graph, fixed, { portable }), {
      ...options,
      ...(keepsOnDevice(device) && {
        preferredOutputLocation: Object.fromEntries(keep.map((name) => [name, 'gpu-buffer'])),
      }),
    });
    return new OnnxSession(session, graph, given, options);
  }

  /** Runs the graph; outputs by name, each a fresh array. */
  async run(feeds: Feeds): Promise<Map<string, Float32Array>> {
    const { outputs, kept } = await this.runKeeping(feeds);
    for (const [name, array] of await this.read(kept)) outputs.set(name, array);
    kept.forEach((tensor) => tensor.dispose());
    return outputs;
  }

  /** Runs the graph; outputs named in `keep` stay on the device and may be fed to the next run. */
  async runKeeping(feeds: Feeds): Promise<Kept> {
    const tensors: Record<string, ort.Tensor> = {};
    for (const name of this.#session.inputNames) tensors[name] = this.#tensor(name, feeds);
    const results = Object.entries(await this.#session.run(tensors));
    const stays = ([name]: [string, ort.Tensor]): boolean => this.#keep.has(name);
    return {
      outputs: new Map(
        results
          .filter((each) => !stays(each))
          .map(([name, { data }]) => [name, data as Float32Array]),
      ),
      kept: new Map(results.filter(stays).map(([name, tensor]) => [name, new KeptTensor(tensor)])),
    };
  }

  /** Elements of kept tensors, by name. The tensors stay, and the arrays are not changed later. */
  async read(kept: ReadonlyMap<string, KeptTensor>): Promise<Map<string, Float32Array>> {
    if (this.#carrier) return this.#carrier.read(kept);
    return new Map([...kept].map(([name, { tensor }]) => [name, tensor.data as Float32Array]));
  }

  /** Values of inputs put into the device's memory once, for many runs. */
  async place(arrays: ReadonlyMap<string, Float32Array>): Promise<Map<string, KeptTensor>> {
    const tensors = new Map([...arrays.keys()].map((name) => [name, this.#tensor(name, arrays)]));
    if (this.#carrier) return this.#carrier.place(tensors);
    return new Map([...tensors].map(([name, tensor]) => [name, new KeptTensor(tensor)]));
  }

  #tensor(name: string, feeds: Feeds): ort.Tensor {
    const given = feeds.get(name);
    if (given instanceof KeptTensor) return given.tensor;
    const shape = this.#shapes.get(name);
    if (!given || !shape) throw new Error(`no value was given for input "${name}"`);
    return new ort.Tensor('float32', given, shape);
  }

  async close(): Promise<void> {
    await this.#carrier?.close();
    await this.#session.release();
  }
}

function runtimeOptions({
  threads,
  fixed,
  device = 'cpu',
}: SessionOptions): ort.InferenceSession.SessionOptions {
  const common = {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // Waiting threads that spin take the cores from the loader and from all else that runs.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    logSeverityLevel: 3,
  } as const;
  if (device !== 'cpu') return { ...common, ...deviceOptions(device) };
  return {
    ...common,
    executionProviders: ['cpu'],
    // The blocked layout of 'all' pays with constant filters only.
    graphOptimizationLevel: fixed ? 'all' : 'extended',
  };
}
