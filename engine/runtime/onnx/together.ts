/**
 * Small state (biases, BatchNorm's scales, shifts and running statistics, with their momenta) is
 * dozens of vectors that are updated by the same few operations, and a node on a few hundred numbers
 * is all overhead. So the vectors are computed as one: laid one after another, updated, taken apart.
 */
import type { Graph, OperationKind, Value } from '../../graph/types.ts';
import { showShape, sizeOf } from '../../graph/types.ts';
import type { Emitter } from './emitter.ts';
import { int } from './emitter.ts';
import { emitOperation } from './operations.ts';

const JOINED: ReadonlySet<OperationKind> = new Set<OperationKind>([
  ...(['add', 'sub', 'mul', 'div', 'sqrt'] as const),
]);

/** Fewer vectors are not worth laying together. */
const FEWEST = 4;
/** More elements than this are work, not overhead. */
const MOST_ELEMENTS = 4096;

/** Vectors that are computed by the same operation from operands that are alike. */
export type Bundle = readonly Value[];

/**
 * Bundles in an order in which they can be computed, after all other values: nothing but members of
 * bundles is computed of their members.
 */
export function planBundles(graph: Graph): Bundle[] {
  const last = lastValues(graph);
  const keys = new Map<Value, string>();
  const bundles = new Map<string, Value[]>();
  for (const value of graph.values) {
    if (!last.has(value)) continue;
    const key = [value.operation.kind, ...value.inputs.map((x) => keys.get(x) ?? keyOf(x))];
    const joined = `(${key.join(' ')})`;
    keys.set(value, joined);
    bundles.set(joined, [...(bundles.get(joined) ?? []), value]);
  }
  return [...bundles.values()];
}

/** What two operands outside of all bundles must share to be laid together. */
function keyOf({ id, shape, operation }: Value): string {
  if (shape.length > 0) return 'vector';
  return operation.kind === 'constant' ? String(operation.data[0]) : `value ${id}`;
}

/** Vectors that nothing is computed of but other such vectors, and that nothing waits for. */
function lastValues({ values }: Graph): Set<Value> {
  const users = usersOf(values);
  const last = new Set(values.filter(isVector));
  const backwards = [...values].reverse();
  const keep = (order: readonly Value[], holds: (value: Value) => boolean): void =>
    order.forEach((value) => {
      if (last.has(value) && !holds(value)) last.delete(value);
    });
  const usedByLast = (value: Value): boolean =>
    users.get(value)?.every((user) => last.has(user)) ?? true;
  keep(backwards, usedByLast);
  // What is only needed here would be computed here: the sum of an image, which waited until then.
  const waits = (x: Value): boolean =>
    x.inputs.length > 0 && x.shape.length > 0 && !last.has(x) && usedByLast(x);
  keep(values, ({ inputs }) => !inputs.some(waits));
  keep(backwards, usedByLast);
  return last;
}

function usersOf(values: readonly Value[]): Map<Value, Value[]> {
  const users = new Map<Value, Value[]>();
  for (const value of values) {
    for (const input of value.inputs) {
      const known = users.get(input);
      if (known) known.push(value);
      else users.set(input, [value]);
    }
  }
  return users;
}

/** A vector that is computed element by element of vectors and single numbers. */
function isVector({ operation, shape, inputs }: Value): boolean {
  if (!JOINED.has(operation.kind) || shape.length !== 1) return false;
  if (sizeOf(shape) > MOST_ELEMENTS) return false;
  return inputs.every(
    (input) => input.shape.length === 0 || showShape(input.shape) === showShape(shape),
  );
}

/** @param alone emits a value by itself */
export function emitBundles(
  e: Emitter,
  bundles: readonly Bundle[],
  outputs: Iterable<Value>,
  alone: (value: Value) => void,
): void {
  const joined = new Set(bundles.filter(({ length }) => length >= FEWEST).map(idsOf));
  const apart = new Set([...outputs, ...bundles.flatMap((bundle) => takenApart(bundle, joined))]);
  const vectors = new Map<string, string>();
  for (const bundle of bundles) {
    if (!joined.has(idsOf(bundle))) {
      bundle.forEach(alone);
      continue;
    }
    const made = emitJoined(e, bundle, vectors);
    vectors.set(idsOf(bundle), made);
    if (bundle.some((value) => apart.has(value))) split(e, bundle, made);
  }
}

/** Operands of a bundle that are not given to it in one vector with the others. */
function takenApart(bundle: Bundle, joined: ReadonlySet<string>): Value[] {
  const alone = !joined.has(idsOf(bundle));
  return operandsOf(bundle).flatMap((operands) =>
    alone || !joined.has(idsOf(operands)) ? operands : [],
  );
}

/** For each position, the operands of all members. */
function operandsOf(bundle: Bundle): Value[][] {
  const positions = bundle[0]?.inputs ?? [];
  return positions.map((_, position) => bundle.map(({ inputs }) => inputs[position] as Value));
}

/** @param vectors names of what has been laid together, by ids */
function emitJoined(e: Emitter, bundle: Bundle, vectors: Map<string, string>): string {
  const [first] = bundle as [Value];
  const names = operandsOf(bundle).map((operands) => {
    const [one] = operands as [Value];
    if (one.shape.length === 0) return e.nameOf(one);
    const key = idsOf(operands);
    const known = vectors.get(key);
    if (known !== undefined) return known;
    const parts = operands.map((operand) => e.nameOf(operand));
    const vector = e.node('Concat', parts, { axis: int(0) });
    vectors.set(key, vector);
    return vector;
  });
  return emitOperation(e, first, names);
}

function split(e: Emitter, bundle: Bundle, vector: string): void {
  const sizes = e.integers(...bundle.map(({ shape }) => sizeOf(shape)));
  const parts = e.nodeWithOutputs('Split', [vector, sizes], bundle.length);
  bundle.forEach((value, i) => e.bind(value, parts[i] ?? ''));
}

const idsOf = (values: readonly Value[]): string => values.map(({ id }) => id).join();
