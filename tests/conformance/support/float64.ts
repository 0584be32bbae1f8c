/**
 * A third, slow evaluator of graphs: plain loops in double precision, written without looking at
 * the runtimes. It knows the forward operations only; gradients are taken by central differences.
 */
import type { Graph, Operation, Shape, Value } from '../../../engine/graph/types.ts';
import { sizeOf } from '../../../engine/graph/types.ts';

interface Dense {
  shape: Shape;
  data: Float64Array;
}

/** Outputs of a forward graph by name. */
export function evaluate64(
  graph: Graph,
  feeds: ReadonlyMap<string, ArrayLike<number>>,
): Map<string, Float64Array> {
  const done = new Map<Value, Dense>();
  for (const value of graph.values) {
    const inputs = value.inputs.map((input) => done.get(input) as Dense);
    const data =
      value.operation.kind === 'input' || value.operation.kind === 'parameter'
        ? Float64Array.from(feeds.get(value.name) as ArrayLike<number>)
        : compute(value, value.operation, inputs as [Dense, Dense, Dense?]);
    done.set(value, { shape: value.shape, data });
  }
  return new Map(
    [...graph.outputs].map(([name, value]) => [name, (done.get(value) as Dense).data]),
  );
}

/** d loss / d parameter by central differences, element by element. */
export function centralDifferences(
  graph: Graph,
  feeds: ReadonlyMap<string, Float32Array>,
  parameter: string,
  step = 1e-5,
): Float64Array {
  const moved = Float64Array.from(feeds.get(parameter) as Float32Array);
  const given = new Map<string, ArrayLike<number>>([...feeds, [parameter, moved]]);
  const loss = () => evaluate64(graph, given).get('loss')?.[0] as number;
  return moved.map((middle, i) => {
    moved[i] = middle + step;
    const above = loss();
    moved[i] = middle - step;
    const below = loss();
    moved[i] = middle;
    return (above - below) / (2 * step);
  });
}

const BINARY: Record<string, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
};
const UNARY: Record<string, (x: number) => number> = {
  relu: (x) => Math.max(x, 0),
  exp: Math.exp,
  sqrt: Math.sqrt,
};

function compute(value: Value, op: Operation, inputs: [Dense, Dense, Dense?]): Float64Array {
  const [a, b] = inputs;
  const { shape } = value;
  const unary = UNARY[op.kind];
  if (unary) return a.data.map(unary);
  const binary = BINARY[op.kind];
  if (binary) return build(shape, (at) => binary(read(a, at), read(b, at)));
  switch (op.kind) {
    case 'constant':
      return Float64Array.from(op.data);
    case 'reshape':
      return a.data;
    case 'broadcast':
      return build(shape, (at) => read(a, at));
    case 'logSoftmax':
      return logSoftmax(a);
    case 'matMul':
      return matMul(shape, a, b, op);
    case 'reduceSum':
      return reduceSum(value, a, op.axes);
    case 'conv2d':
      return conv2d(shape, inputs, op);
    case 'maxPool':
      return maxPool(shape, a, op);
    default:
      throw new Error(`${op.kind} is not a forward operation`);
  }
}

function build(shape: Shape, at: (index: number[]) => number): Float64Array {
  const data = new Float64Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = at(index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]! += 1;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return data;
}

/** Right-aligned, sides of 1 stretched. */
function read({ shape, data }: Dense, at: readonly number[]): number {
  let offset = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    const side = shape[axis]!;
    offset = offset * side + (side === 1 ? 0 : at[axis + at.length - shape.length]!);
  }
  return data[offset]!;
}

function logSoftmax({ shape, data }: Dense): Float64Array {
  const side = shape.at(-1)!;
  return data.map((x, i) => {
    const row = data.subarray(i - (i % side), i - (i % side) + side);
    return x - Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0));
  });
}

function matMul(
  shape: Shape,
  a: Dense,
  b: Dense,
  { transposeA, transposeB }: Extract<Operation, { kind: 'matMul' }>,
): Float64Array {
  const inner = a.shape[transposeA ? 0 : 1]!;
  return build(shape, ([row, column]) => {
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      const left = transposeA ? [k, row!] : [row!, k];
      const right = transposeB ? [column!, k] : [k, column!];
      sum += read(a, left) * read(b, right);
    }
    return sum;
  });
}

function reduceSum(value: Value, a: Dense, axes: readonly number[]): Float64Array {
  const kept: Shape = a.shape.map((side, axis) => (axes.includes(axis) ? 1 : side));
  const data = new Float64Array(sizeOf(value.shape));
  build(a.shape, (at) => {
    const offset = kept.reduce((sum, side, axis) => sum * side + (side === 1 ? 0 : at[axis]!), 0);
    return (data[offset]! += read(a, at));
  });
  return data;
}

function conv2d(
  shape: Shape,
  [x, filter, bias]: [Dense, Dense, Dense?],
  { stride, pad }: Extract<Operation, { kind: 'conv2d' }>,
): Float64Array {
  const [, depth, height, width] = x.shape as [number, number, number, number];
  const [, , rows, columns] = filter.shape as [number, number, number, number];
  return build(shape, ([n, o, y, z]) => {
    let sum = bias ? bias.data[bias.data.length === 1 ? 0 : o!]! : 0;
    for (let i = 0; i < depth; i++) {
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          const [row, column] = [y! * stride + r - pad, z! * stride + c - pad];
          if (row < 0 || row >= height || column < 0 || column >= width) continue;
          sum += read(x, [n!, i, row, column]) * read(filter, [o!, i, r, c]);
        }
      }
    }
    return sum;
  });
}

function maxPool(
  shape: Shape,
  x: Dense,
  { size, stride, pad }: Extract<Operation, { kind: 'maxPool' }>,
): Float64Array {
  const [, , height, width] = x.shape as [number, number, number, number];
  return build(shape, ([n, i, y, z]) => {
    let best = -Infinity;
    for (let tap = 0; tap < size * size; tap++) {
      const row = y! * stride + Math.floor(tap / size) - pad;
      const column = z! * stride + (tap % size) - pad;
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      best = Math.max(best, read(x, [n!, i!, row, column]));
    }
    return best;
  });
}
