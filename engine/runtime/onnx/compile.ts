import type { Graph, Value } from '../../graph/types.ts';
import { Emitter } from './emitter.ts';
import { emitOperation } from './operations.ts';
import type { OnnxPort } from './proto.ts';
import { encodeModel } from './proto.ts';

export interface CompileOptions {
  /** Only ONNX's own operators: onnxruntime's extensions exist on the CPU, and elsewhere in part. */
  portable?: boolean;
  /** Key-value texts of the model. */
  metadata?: Readonly<Record<string, string>>;
  /** Name of the first side of every input and output, which then is open; their size is 1 in the graph. */
  batchName?: string;
}

/**
 * Compiles a graph to a serialised ONNX model. Graph inputs and parameters become model inputs of
 * the same name; parameters found in `fixed` become constants instead.
 */
export function compileToOnnx(
  graph: Graph,
  fixed: ReadonlyMap<string, Float32Array> = new Map(),
  { portable = false, metadata = {}, batchName }: CompileOptions = {},
): Uint8Array {
  const e = new Emitter(portable);
  const inputs: Value[] = [];
  for (const value of graph.values) {
    const { kind } = value.operation;
    if (kind !== 'input' && kind !== 'parameter') {
      e.bind(value, emitOperation(e, value));
      continue;
    }
    e.bind(value, value.name);
    const data = kind === 'parameter' ? fixed.get(value.name) : undefined;
    if (data) e.initializers.push({ name: value.name, shape: value.shape, data });
    else inputs.push(value);
  }
  const port = ({ shape }: Value, name: string): OnnxPort =>
    batchName === undefined ? { name, shape } : { name, shape: [batchName, ...shape.slice(1)] };
  const outputs = [...graph.outputs].map(([name, value]) => {
    e.nodes.push({
      type: 'Identity',
      inputs: [e.nameOf(value)],
      outputs: [name],
      attributes: {},
    });
    return port(value, name);
  });
  return encodeModel({
    nodes: e.nodes,
    initializers: e.initializers,
    inputs: inputs.map((value) => port(value, value.name)),
    outputs,
    metadata,
  });
}
