import type { Value } from '../../graph/types.ts';
import type { AttributeValue, OnnxNode, OnnxTensor } from './proto.ts';

export const int = (value: number): AttributeValue => ({ int: value });
export const ints = (...values: number[]): AttributeValue => ({ ints: values });

/** Collects ONNX nodes and constants under fresh names. */
export class Emitter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #names = new Map<Value, string>();
  readonly #integers = new Map<string, string>();
  #count = 0;
  /** Nodes of ONNX's own domain only, so that any device has them. */
  readonly portable: boolean;

  constructor(portable: boolean) {
    this.portable = portable;
  }

  /** The ONNX name of a graph value that has been emitted. */
  nameOf(value: Value): string {
    const name = this.#names.get(value);
    if (name === undefined) throw new Error(`"${value.name}" is used before it is emitted`);
    return name;
  }

  bind(value: Value, name: string): void {
    this.#names.set(value, name);
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
    this.nodes.push({ type, inputs, outputs, attributes, ...(domain ? { domain } : {}) });
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

  floats(data: Float32Array, shape: readonly number[]): string {
    const name = `c${this.#count++}`;
    this.initializers.push({ name, shape, data });
    return name;
  }
}
