import type { Graph, Value } from '../../graph/types.ts';
import { planFusions } from './blocked/fusion.ts';
import { emitBlocked, emitFused, emitSumOfSquares, fusible } from './blocked/operations.ts';
import { Emitter } from './emitter.ts';
import type { Layout } from './layout.ts';
import { fitsFilterBlocks } from './layout.ts';
import { emitOperation } from './operations.ts';
import { encodeModel } from './proto.ts';

export interface CompileOptions {
  /** Parameters by name that become constants instead of inputs. */
  fixed?: ReadonlyMap<string, Float32Array>;
  /** Only ONNX's own operators: onnxruntime's extensions exist on the CPU, and elsewhere in part. */
  portable?: boolean;
  /** Channels in a block of this CPU's convolutions; 0 (the default): everything stays plain. */
  block?: number;
}

export interface CompiledGraph {
  model: Uint8Array;
  /** Inputs and outputs that are exchanged in the blocked layout of filters. */
  filters: ReadonlySet<string>;
}

/** Compiles a graph to a serialised ONNX model in which every tensor has its plain layout. */
export function compileToOnnx(
  graph: Graph,
  fixed: ReadonlyMap<string, Float32Array> = new Map(),
  options: Omit<CompileOptions, 'block' | 'fixed'> = {},
): Uint8Array {
  return compileGraph(graph, { ...options, fixed }).model;
}

/**
 * Compiles a graph to a serialised ONNX model. Graph inputs and parameters become model inputs of
 * the same name.
 */
export function compileGraph(graph: Graph, options: CompileOptions = {}): CompiledGraph {
  const { fixed = new Map<string, Float32Array>() } = options;
  const e = new Emitter(options);
  const inputs = bindInputs(e, graph, fixed);
  emitValues(e, graph);
  const layoutOf = (value: Value): Layout => (e.layoutOf(value) === 'filter' ? 'filter' : 'plain');
  const ports = [...inputs.map((value) => [value.name, value] as const), ...graph.outputs];
  const filters = ports.filter(([, value]) => layoutOf(value) === 'filter').map(([name]) => name);
  for (const [name, value] of graph.outputs) e.output(name, e.nameOf(value, layoutOf(value)));
  const outputs = [...graph.outputs].map(([name, { shape }]) => ({ name, shape }));
  const model = encodeModel({ nodes: e.nodes, initializers: e.initializers, inputs, outputs });
  return { model, filters: new Set(filters) };
}

/** Names inputs and parameters; gives back those that are not constants. */
function bindInputs(
  e: Emitter,
  { values }: Graph,
  fixed: ReadonlyMap<string, Float32Array>,
): Value[] {
  return values.filter((value) => {
    const { name, shape, operation } = value;
    if (operation.kind !== 'input' && operation.kind !== 'parameter') return false;
    const data = operation.kind === 'parameter' ? fixed.get(name) : undefined;
    // What could be a filter is given as one: state that never leaves its layout costs nothing.
    e.bind(value, name, !data && fitsFilterBlocks(shape, e.block) ? 'filter' : 'plain');
    if (data) e.initializers.push({ name, shape, data });
    return !data;
  });
}

function emitValues(e: Emitter, graph: Graph): void {
  const { fusions, squares, absorbed } = planFusions(graph, (value) => fusible(value, e.block));
  for (const value of graph.values) {
    const { kind } = value.operation;
    if (kind === 'input' || kind === 'parameter' || absorbed.has(value)) continue;
    const [fusion, squared] = [fusions.get(value), squares.get(value)];
    if (fusion || squared) {
      const { name, layout } = fusion
        ? emitFused(e, fusion)
        : emitSumOfSquares(e, squared as Value);
      e.bind(value, name, layout);
    } else {
      const blocked = emitBlocked(e, value);
      e.bind(value, blocked?.name ?? emitOperation(e, value), blocked?.layout ?? 'plain');
    }
  }
}
