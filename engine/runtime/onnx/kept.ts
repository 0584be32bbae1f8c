/** Tensors that stay where the device computes, from one run to the next. */
import * as ort from 'onnxruntime-node';
import { GraphBuilder } from '../../graph/builder.ts';
import type { Shape } from '../../graph/types.ts';
import { compileToOnnx } from './compile.ts';
import type { Layout } from './layout.ts';

/** A result that was not brought back. Whoever holds it disposes of it. */
export class KeptTensor {
  readonly tensor: ort.Tensor;
  /** How its elements lie. */
  readonly layout: Layout;
  /** The shape of the value that it holds. */
  readonly shape: Shape;
  /** Whether nobody else has its elements. */
  #own: boolean;

  /** @param own false where somebody else looks at the tensor's elements as well */
  constructor(
    tensor: ort.Tensor,
    { layout, shape, own }: { layout: Layout; shape?: Shape; own: boolean },
  ) {
    this.tensor = tensor;
    this.layout = layout;
    this.shape = shape ?? tensor.dims;
    this.#own = own;
  }

  /** The elements of a tensor in our own memory as they lie; they outlive `dispose`. */
  share(): Float32Array {
    this.#own = false;
    return this.tensor.data as Float32Array;
  }

  /**
   * Frees the memory, the device's or ours. Ours would go by itself, but JavaScript's collector
   * counts it: some 64 MB of old weights set it off, every few steps, on the cores that compute.
   */
  dispose(): void {
    if (this.tensor.location !== 'cpu') this.tensor.dispose();
    else if (this.#own) free(this.tensor.data as Float32Array);
  }
}

function free({ buffer }: Float32Array): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}

/** What an input may be given as. */
export type Given = Float32Array | KeptTensor;

/**
 * Copies tensors between the device and JavaScript by sessions of Identity nodes, one session per
 * set of names and shapes and direction: reading a device tensor itself (`getData`) aborts the
 * process in onnxruntime-node 1.30.
 */
export class Carrier {
  readonly #options: ort.InferenceSession.SessionOptions;
  readonly #sessions = new Map<string, ort.InferenceSession>();

  /** @param options of the session whose tensors are carried */
  constructor(options: ort.InferenceSession.SessionOptions) {
    this.#options = options;
  }

  /** The tensors' elements by name; the tensors stay as they are. */
  async read(kept: ReadonlyMap<string, KeptTensor>): Promise<Map<string, Float32Array>> {
    const tensors = new Map([...kept].map(([name, { tensor }]) => [name, tensor]));
    const results = await this.#carry(tensors, 'cpu');
    return new Map(results.map(([name, tensor]) => [name, tensor.data as Float32Array]));
  }

  /** Copies of CPU tensors in the device's memory. */
  async place(tensors: ReadonlyMap<string, ort.Tensor>): Promise<Map<string, KeptTensor>> {
    const results = await this.#carry(tensors, 'gpu-buffer');
    return new Map(
      results.map(([name, tensor]) => [
        name,
        new KeptTensor(tensor, { layout: 'plain', own: true }),
      ]),
    );
  }

  async #carry(
    tensors: ReadonlyMap<string, ort.Tensor>,
    to: 'cpu' | 'gpu-buffer',
  ): Promise<(readonly [string, ort.Tensor])[]> {
    if (tensors.size === 0) return [];
    const session = await this.#session(tensors, to);
    const names = [...tensors.keys()];
    const results = await session.run(Object.fromEntries(tensors));
    return names.map((name) => [name, results[COPY + name] as ort.Tensor]);
  }

  async #session(
    tensors: ReadonlyMap<string, ort.Tensor>,
    to: 'cpu' | 'gpu-buffer',
  ): Promise<ort.InferenceSession> {
    const key = JSON.stringify([to, ...[...tensors].map(([name, { dims }]) => [name, dims])]);
    const known = this.#sessions.get(key);
    if (known) return known;
    const g = new GraphBuilder();
    const copies = [...tensors].map(
      ([name, { dims }]) => [COPY + name, g.input(name, dims)] as const,
    );
    const session = await ort.InferenceSession.create(compileToOnnx(g.finish(copies)), {
      ...this.#options,
      preferredOutputLocation: to,
    });
    this.#sessions.set(key, session);
    return session;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.release()));
    this.#sessions.clear();
  }
}

const COPY = 'copy/';
