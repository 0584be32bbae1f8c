import type { Value } from '../../graph/types.ts';
import type { Layout } from './layout.ts';
import { convert } from './layout.ts';
import type { AttributeValue, OnnxNode, OnnxTensor } from './proto.ts';

export const int = (value: number): AttributeValue => ({ int: value });
export const ints = (...values: number[]): AttributeValue => ({ ints: values });

/** Collects ONNX nodes and constants under fresh names. */
export class Emitter {
  readonly #nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  /** Names by layout; the first one is the layout that the value was computed in. */
  readonly #names = new Map<Value, Map<Layout, string>>();
  readonly #shared = new Map<string, unknown>();
  /** Names that nodes gave. */
  readonly #made = new Set<string>();
  /** Names of outputs, by the names that nodes gave. */
  readonly #outputs = new Map<string, string>();
  readonly #integers = new Map<string, string>();
  #count = 0;
  /** Nodes of ONNX's own domain only, so that any device has them. */
  readonly portable: boolean;
  /** Channels in a block of the CPU's convolutions; 0: everything stays plain. */
  readonly block: number;

  constructor({ portable = false, block = 0 }: { portable?: boolean; block?: number }) {
    this.portable = portable;
    this.block = portable ? 0 : block;
  }

  /** The ONNX name of a graph value that has been emitted, in the layout asked for. */
  nameOf(value: Value, layout: Layout = 'plain'): string {
    const names = this.#namesOf(value);
    const known = names.get(layout);
    if (known !== undefined) return known;
    const [[from, name] = ['plain', ''] as const] = names;
    const converted = convert(this, name, value, from, layout);
    names.set(layout, converted);
    return converted;
  }

  /** The layout that a value was computed in. */
  layoutOf(value: Value): Layout {
    return this.#namesOf(value).keys().next().value ?? 'plain';
  }

  #namesOf(value: Value): Map<Layout, string> {
    const names = this.#names.get(value);
    if (!names) throw new Error(`"${value.name}" is used before it is emitted`);
    return names;
  }

  bind(value: Value, name: string, layout: Layout = 'plain'): void {
    this.#names.set(value, new Map([[layout, name]]));
  }

  /** What `make` gives, made once for a key. */
  once<T>(key: string, make: () => T): T {
    if (!this.#shared.has(key)) this.#shared.set(key, make());
    return this.#shared.get(key) as T;
  }

  /** All nodes, with the outputs under their final names. */
  get nodes(): OnnxNode[] {
    const final = (name: string): string => this.#outputs.get(name) ?? name;
    return this.#nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(final),
      outputs: node.outputs.map(final),
    }));
  }

  /** Gives what a node made the name of an output; what is not a node's, or has one, is copied. */
  output(name: string, made: string): void {
    if (this.#made.has(made) && !this.#outputs.has(made)) this.#outputs.set(made, name);
    else this.#nodes.push({ type: 'Identity', inputs: [made], outputs: [name], attributes: {} });
  }

  /** Adds a node with one output and returns that output's name. */
  node(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    domain?: string,
  ): string {
    return this.nodeWithOutputs(type, inputs, 1, attributes, domain)[0] ?? '';
  }

  nodeWithOutputs(
    type: string,
    inputs: readonly string[],
    count: number,
    attributes: Readonly<Record<string, AttributeValue>> = {},
    domain?: string,
  ): string[] {
    const outputs = Array.from({ length: count }, () => `t${this.#count++}`);
    this.#nodes.push({ type, inputs, outputs, attributes, ...(domain ? { domain } : {}) });
    outputs.forEach((name) => this.#made.add(name));
    return outputs;
  }

  /** target[indices[i]] += updates[i], all one-dimensional. */
  scatterAdd(target: string, indices: string, updates: string): string {
    const attributes = { axis: int(0), reduction: { string: 'add' } };
    return this.node('ScatterElements', [target, indices, updates], attributes);
  }

  /** A one-dimensional int64 constant (axes, shapes, starts), shared when equal. */
  integers(...values: number[]): string {
    const key = values.join(',');
    const known = this.#integers.get(key);
    if (known !== undefined) return known;
    const name = `i${this.#count++}`;
    const data = BigInt64Array.from(values, BigInt);
    this.initializers.push({ name, shape: [values.length], data });
    this.#integers.set(key, name);
    return name;
  }

  /** A one-dimensional int32 constant: which rows to gather. */
  rows(data: Int32Array): string {
    const name = `r${this.#count++}`;
    this.initializers.push({ name, shape: [data.length], data });
    return name;
  }

  floats(data: Float32Array, shape: readonly number[]): string {
    const name = `c${this.#count++}`;
    this.initializers.push({ name, shape, data });
    return name;
  }
}
