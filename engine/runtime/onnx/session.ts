import * as ort from 'onnxruntime-node';
import type { Graph, Shape } from '../../graph/types.ts';
import { blockSize } from './block-size.ts';
import { compileGraph } from './compile.ts';
import type { OnnxDevice } from './devices.ts';
import { deviceOptions, keepsOnDevice } from './devices.ts';
import type { Given } from './kept.ts';
import { blockFilter, flatShape, unblockFilter } from './layout.ts';
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
  /** Beginning of the path of a file with the times of all nodes, written by `close`. */
  profile?: string;
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
  /** Of inputs and outputs, as the graph says. */
  readonly #shapes: ReadonlyMap<string, Shape>;
  readonly #keep: ReadonlySet<string>;
  /** Where the device's memory is another than ours. */
  readonly #carrier: Carrier | null;
  /** Inputs and outputs that are flat filters, in blocks of `#block` channels. */
  readonly #filters: ReadonlySet<string>;
  readonly #block: number;

  private constructor(
    session: ort.InferenceSession,
    graph: Graph,
    { device = 'cpu', keep = [] }: SessionOptions,
    options: ort.InferenceSession.SessionOptions,
    { filters, block }: { filters: ReadonlySet<string>; block: number },
  ) {
    this.#filters = filters;
    this.#block = block;
    this.device = device;
    this.#session = session;
    this.#keep = new Set(keep);
    this.#carrier = keepsOnDevice(device) ? new Carrier(options) : null;
    const inputs = [...graph.inputs, ...graph.parameters].map(
      (value) => [value.name, value] as const,
    );
    this.#shapes = new Map([...inputs, ...graph.outputs].map(([name, { shape }]) => [name, shape]));
  }

  static async create(graph: Graph, given: SessionOptions): Promise<OnnxSession> {
    const { fixed, device = 'cpu', keep = [] } = given;
    const portable = device !== 'cpu';
    // With constant filters onnxruntime blocks by itself, and does more of it ahead of the run.
    const block = portable || fixed ? 0 : await blockSize();
    const options = runtimeOptions(given, block);
    const compiled = compileGraph(graph, { portable, block, ...(fixed ? { fixed } : {}) });
    const session = await ort.InferenceSession.create(compiled.model, {
      ...options,
      ...(keepsOnDevice(device) && {
        preferredOutputLocation: Object.fromEntries(keep.map((name) => [name, 'gpu-buffer'])),
      }),
    });
    return new OnnxSession(session, graph, given, options, { ...compiled, block });
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
          .map(([name, tensor]) => [name, this.#plain(this.#kept(name, tensor, true))]),
      ),
      kept: new Map(
        results.filter(stays).map(([name, tensor]) => [name, this.#kept(name, tensor, true)]),
      ),
    };
  }

  /** Elements of kept tensors, by name. The tensors stay, and the arrays are not changed later. */
  async read(kept: ReadonlyMap<string, KeptTensor>): Promise<Map<string, Float32Array>> {
    if (this.#carrier) return this.#carrier.read(kept);
    return new Map([...kept].map(([name, tensor]) => [name, this.#plain(tensor)]));
  }

  /** Values of inputs put into the device's memory once, for many runs. */
  async place(arrays: ReadonlyMap<string, Float32Array>): Promise<Map<string, KeptTensor>> {
    const tensors = new Map([...arrays.keys()].map((name) => [name, this.#tensor(name, arrays)]));
    if (this.#carrier) return this.#carrier.place(tensors);
    return new Map([...tensors].map(([name, tensor]) => [name, this.#kept(name, tensor, false)]));
  }

  #kept(name: string, tensor: ort.Tensor, own: boolean): KeptTensor {
    const layout = this.#filters.has(name) ? 'flat' : 'plain';
    return new KeptTensor(tensor, { layout, shape: this.#shapes.get(name) ?? tensor.dims, own });
  }

  #plain(kept: KeptTensor): Float32Array {
    if (kept.layout === 'plain') return kept.share();
    return unblockFilter(kept.tensor.data as Float32Array, kept.shape, this.#block);
  }

  #tensor(name: string, feeds: Feeds): ort.Tensor {
    const given = feeds.get(name);
    const shape = this.#shapes.get(name);
    if (!given || !shape) throw new Error(`no value was given for input "${name}"`);
    const wanted = this.#filters.has(name) ? 'flat' : 'plain';
    if (given instanceof KeptTensor && given.layout === wanted) return given.tensor;
    const plain = given instanceof KeptTensor ? this.#plain(given) : given;
    if (wanted === 'plain') return new ort.Tensor('float32', plain, shape);
    const data = blockFilter(plain, shape, this.#block);
    return new ort.Tensor('float32', data, flatShape(shape, this.#block));
  }

  async close(): Promise<void> {
    await this.#carrier?.close();
    await this.#session.release();
  }
}

function runtimeOptions(
  { threads, fixed, device = 'cpu', profile }: SessionOptions,
  block: number,
): ort.InferenceSession.SessionOptions {
  // A blocked graph has been optimised by us; looking for more takes seconds in a large one.
  const level = block > 0 ? 'disabled' : 'extended';
  const common = {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // Threads that wait for the next operator spin a little, and not at all between runs: longer
    // takes the cores from the loader and from all else that runs (docs/measurements.md).
    extra: {
      session: {
        force_spinning_stop: '1',
        intra_op: { allow_spinning: '1', spin_duration_us: '3000' },
      },
    },
    logSeverityLevel: 3,
    ...(profile && { enableProfiling: true, profileFilePrefix: profile }),
  } as const;
  if (device !== 'cpu') return { ...common, ...deviceOptions(device) };
  return {
    ...common,
    executionProviders: ['cpu'],
    // A plan of the memory keeps what the first run took beside its own: a third more in all.
    enableMemPattern: fixed !== undefined,
    graphOptimizationLevel: fixed ? 'all' : level,
  };
}
