/**
 * Which values are not computed by nodes of their own: a convolution writes its result once, with
 * what is added to it and the relu after it already done.
 */
import type { Graph, OperationKind, Value } from '../../../graph/types.ts';
import { showShape } from '../../../graph/types.ts';
import type { ScaledSum } from './scaled-sum.ts';
import { scaledSumIn } from './scaled-sum.ts';

/** A convolution whose result is only needed as `relu(convolution + sum)`. */
export interface Fusion {
  convolution: Value;
  sum: Value | null;
  relu: boolean;
}

export interface FusionPlan {
  /** By the value that the fused node computes. */
  fusions: ReadonlyMap<Value, Fusion>;
  /** Sums over all elements of something times itself: what that is, by the sum. */
  squares: ReadonlyMap<Value, Value>;
  /** By the value that the sum is. */
  scaledSums: ReadonlyMap<Value, ScaledSum>;
  /** Values that no node computes. */
  absorbed: ReadonlySet<Value>;
}

/** What can cut its result off at zero on the way out. */
const CUTTING: ReadonlySet<OperationKind> = new Set<OperationKind>([
  'conv2d',
  'batchNorm',
  'normalise',
]);

/**
 * @param fusible whether a value becomes a blocked convolution that can add and cut off
 * @param block channels in a block
 */
export function planFusions(
  graph: Graph,
  fusible: (value: Value) => boolean,
  block: number,
): FusionPlan {
  const uses = countUses(graph);
  const fusions = new Map<Value, Fusion>();
  const squares = new Map<Value, Value>();
  const scaledSums = new Map<Value, ScaledSum>();
  const absorbed = new Set<Value>();
  const once = (value: Value): boolean => uses.get(value) === 1 && !absorbed.has(value);
  for (const value of [...graph.values].reverse()) {
    if (absorbed.has(value)) continue;
    const squared = squaredIn(value, once);
    if (squared) {
      squares.set(value, squared);
      value.inputs.forEach((product) => absorbed.add(product));
    }
    const fusion = fusionOf(value, once, fusible);
    if (!fusion) {
      const scaled = scaledSumIn(value, once, block);
      if (scaled) scaledSums.set(value, scaled);
      if (scaled) absorbed.add(scaled.product);
      continue;
    }
    fusions.set(value, fusion);
    absorbed.add(fusion.convolution);
    const [before] = value.inputs;
    if (fusion.relu && fusion.sum && before) absorbed.add(before);
  }
  return { fusions, squares, scaledSums, absorbed };
}

function fusionOf(
  value: Value,
  once: (value: Value) => boolean,
  fusible: (value: Value) => boolean,
): Fusion | null {
  const [before] = value.inputs;
  if (value.operation.kind === 'add') return sumOf(value, once, fusible);
  if (value.operation.kind !== 'relu' || !before || !once(before)) return null;
  const sum = before.operation.kind === 'add' ? sumOf(before, once, fusible) : null;
  const { convolution } = sum ?? { convolution: before };
  if (!fusible(convolution) || !CUTTING.has(convolution.operation.kind)) return null;
  return { convolution, sum: sum?.sum ?? null, relu: true };
}

function squaredIn({ operation, inputs }: Value, once: (value: Value) => boolean): Value | null {
  const [product] = inputs;
  if (operation.kind !== 'reduceSum' || product?.operation.kind !== 'mul') return null;
  const [a, b] = product.inputs;
  const all = operation.axes.length === product.shape.length && !operation.keepDims;
  return a && a === b && all && once(product) ? a : null;
}

function sumOf(
  { inputs }: Value,
  once: (value: Value) => boolean,
  fusible: (value: Value) => boolean,
): Fusion | null {
  const [a, b] = inputs;
  if (!a || !b || a === b || showShape(a.shape) !== showShape(b.shape)) return null;
  // The later one: by then the other is there.
  const [other, last] = a.id < b.id ? [a, b] : [b, a];
  if (fusible(last) && once(last)) return { convolution: last, sum: other, relu: false };
  return null;
}

function countUses({ values, outputs }: Graph): Map<Value, number> {
  const uses = new Map<Value, number>();
  const use = (value: Value): void => void uses.set(value, (uses.get(value) ?? 0) + 1);
  values.forEach(({ inputs }) => inputs.forEach(use));
  outputs.forEach(use);
  return uses;
}
