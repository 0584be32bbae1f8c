import type { Graph, Value } from '../../graph/types.ts';
import type { FusionPlan } from './blocked/fusion.ts';
import { planFusions } from './blocked/fusion.ts';
import type { Emitted } from './blocked/operations.ts';
import { emitBlocked, emitFused, emitSumOfSquares, fusible } from './blocked/operations.ts';
import { emitScaledSum } from './blocked/scaled-sum.ts';
import { Emitter } from './emitter.ts';
import type { Layout } from './layout.ts';
import { fitsFilterBlocks, flatShape } from './layout.ts';
import { emitOperation } from './operations.ts';
import { encodeModel } from './proto.ts';
import { emitBundles, planBundles } from './together.ts';

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
  /** Inputs and outputs that are exchanged as flat filters. */
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
  const layoutOf = (value: Value): Layout =>
    ['filter', 'flat'].includes(e.layoutOf(value)) ? 'flat' : 'plain';
  for (const [name, value] of graph.outputs) e.output(name, e.nameOf(value, layoutOf(value)));
  const portOf = (name: string, value: Value) => {
    const flat = layoutOf(value) === 'flat';
    return { name, flat, shape: flat ? flatShape(value.shape, e.block) : value.shape };
  };
  const given = inputs.map((value) => portOf(value.name, value));
  const outputs = [...graph.outputs].map(([name, value]) => portOf(name, value));
  const { nodes, initializers } = e;
  const model = encodeModel({ nodes, initializers, inputs: given, outputs });
  const filters = [...given, ...outputs].filter(({ flat }) => flat).map(({ name }) => name);
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
    e.bind(value, name, !data && fitsFilterBlocks(shape, e.block) ? 'flat' : 'plain');
    if (data) e.initializers.push({ name, shape, data });
    return !data;
  });
}

/**
 * onnxruntime computes what the last node without successors needs first. So what nothing else is
 * computed of, the new filters, comes last: else the bundles would ask for the gradients of all
 * biases before those of the filters, and keep what both need in memory.
 */
function emitValues(e: Emitter, graph: Graph): void {
  const plan = planFusions(graph, (value) => fusible(value, e.block), e.block);
  const bundles = e.portable ? [] : planBundles(graph);
  const bundled = new Set(bundles.flat());
  const used = new Set(graph.values.flatMap(({ inputs }) => inputs));
  const emit = (value: Value): void => {
    const emitted = emitPlanned(e, plan, value) ??
      emitBlocked(e, value) ?? { name: emitOperation(e, value), layout: 'plain' };
    e.bind(value, emitted.name, emitted.layout);
  };
  const own = graph.values.filter((value) => {
    const { kind } = value.operation;
    const given = kind === 'input' || kind === 'parameter';
    return !given && !plan.absorbed.has(value) && !bundled.has(value);
  });
  own.filter((value) => used.has(value)).forEach(emit);
  emitBundles(e, bundles, graph.outputs.values(), emit);
  own.filter((value) => !used.has(value)).forEach(emit);
}

/** What the plan makes one node of, with what it absorbs. */
function emitPlanned(e: Emitter, plan: FusionPlan, value: Value): Emitted | null {
  const [fusion, squared] = [plan.fusions.get(value), plan.squares.get(value)];
  if (fusion) return emitFused(e, fusion);
  if (squared) return emitSumOfSquares(e, squared);
  const scaled = plan.scaledSums.get(value);
  return scaled ? { name: emitScaledSum(e, scaled), layout: 'flat' } : null;
}
