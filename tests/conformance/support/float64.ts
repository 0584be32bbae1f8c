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
        : compute(value, value.operation, inputs);
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

/**
 * Slope of `loss` along a direction to which every parameter adds about the same: its gradient over
 * the gradient's square norm. Expected is the slope that the given gradients make, found is that of
 * central differences.
 */
export function slopeAlong(
  graph: Graph,
  feeds: ReadonlyMap<string, Float32Array>,
  gradients: ReadonlyMap<string, Float32Array>,
): { expected: number; found: number } {
  const squares = [...gradients].map(
    ([name, g]) => [name, g.reduce((s, v) => s + v * v, 0)] as const,
  );
  const most = Math.max(...squares.map(([, square]) => square));
  const least = 1e-4 * most;
  // No weight moves by more than 1e-6, less than a draw is away from a kink.
  const step = 2e-8 * Math.sqrt(most);
  const at = (distance: number): number => {
    const moved = new Map<string, ArrayLike<number>>(feeds);
    for (const [name, square] of squares) {
      const factor = distance / (square + least);
      const gradient = gradients.get(name) ?? new Float32Array();
      const start = Float64Array.from(feeds.get(name) ?? []);
      moved.set(
        name,
        start.map((w, i) => w + factor * gradient[i]!),
      );
    }
    return evaluate64(graph, moved).get('loss')?.[0] as number;
  };
  const expected = squares.reduce((sum, [, square]) => sum + square / (square + least), 0);
  return { expected, found: (at(step) - at(-step)) / (2 * step) };
}

type Rule<K extends Operation['kind']> = (
  inputs: readonly [Dense, Dense, ...Dense[]],
  operation: Extract<Operation, { kind: K }>,
  shape: Shape,
) => Float64Array;

const binary =
  (compute: (a: number, b: number) => number) =>
  ([a, b]: readonly [Dense, Dense, ...unknown[]], _: unknown, shape: Shape): Float64Array =>
    build(shape, (at) => compute(read(a, at), read(b, at)));

const unary =
  (compute: (x: number) => number) =>
  ([x]: readonly [Dense, ...unknown[]]): Float64Array =>
    x.data.map(compute);

const RULES: { [K in Operation['kind']]?: Rule<K> } = {
  constant: (_, { data }) => Float64Array.from(data),
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b),
  min: binary(Math.min),
  relu: unary((x) => Math.max(x, 0)),
  relu6: unary((x) => Math.min(Math.max(x, 0), 6)),
  exp: unary(Math.exp),
  sqrt: unary(Math.sqrt),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  logSigmoid: unary((x) => -Math.log1p(Math.exp(-x))),
  logSoftmax: ([x]) => logSoftmax(x),
  reshape: ([x]) => x.data,
  broadcast: ([x], _, shape) => build(shape, (at) => read(x, at)),
  matMul,
  reduceSum,
  conv2d,
  maxPool,
  averagePool,
  concat,
  slice: ([x], { starts }, shape) => build(shape, (at) => read(x, displaced(at, starts, 1))),
  pad: ([x], { starts }, shape) => build(shape, (at) => readInside(x, displaced(at, starts, -1))),
  batchNorm: normalised,
  normalise: normalised,
  channelMean: ([x]) => channelMean(x),
  channelVariance: ([x, mean]) => {
    const squares = build(x.shape, (at) => (read(x, at) - read(mean, [at[1]!])) ** 2);
    return channelMean({ shape: x.shape, data: squares });
  },
};

function compute(value: Value, operation: Operation, inputs: readonly Dense[]): Float64Array {
  const rule = RULES[operation.kind] as Rule<typeof operation.kind> | undefined;
  if (!rule) throw new Error(`${operation.kind} is not a forward operation`);
  return rule(inputs as [Dense, Dense, ...Dense[]], operation as never, value.shape);
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

const displaced = (at: readonly number[], starts: readonly number[], sign: number): number[] =>
  at.map((index, axis) => index + sign * starts[axis]!);

/** 0 outside. */
function readInside(x: Dense, at: readonly number[]): number {
  const inside = at.every((index, axis) => index >= 0 && index < x.shape[axis]!);
  return inside ? read(x, at) : 0;
}

function normalised(
  [x, ...perChannel]: readonly [Dense, ...Dense[]],
  { epsilon }: Extract<Operation, { kind: 'batchNorm' | 'normalise' }>,
  shape: Shape,
): Float64Array {
  const [scale, shift, mean, variance] = perChannel as [Dense, Dense, Dense, Dense];
  return build(shape, (at) => {
    const channel = [at[1]!];
    const deviation = Math.sqrt(read(variance, channel) + epsilon);
    const normal = (read(x, at) - read(mean, channel)) / deviation;
    return normal * read(scale, channel) + read(shift, channel);
  });
}

function channelMean(x: Dense): Float64Array {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const sums = new Float64Array(channels);
  build(x.shape, (at) => (sums[at[1]!]! += read(x, at)));
  return sums.map((sum) => sum / (batch * height * width));
}

function concat(
  inputs: readonly Dense[],
  { axis }: Extract<Operation, { kind: 'concat' }>,
  shape: Shape,
): Float64Array {
  return build(shape, (at) => {
    let index = at[axis]!;
    for (const each of inputs) {
      const side = each.shape[axis]!;
      if (index < side) return read(each, at.with(axis, index));
      index -= side;
    }
    return NaN;
  });
}

function averagePool(
  [x]: readonly [Dense, ...Dense[]],
  { size }: Extract<Operation, { kind: 'averagePool' }>,
  shape: Shape,
): Float64Array {
  return build(shape, ([n, c, y, z]) => {
    let sum = 0;
    for (let tap = 0; tap < size * size; tap++) {
      sum += read(x, [n!, c!, y! * size + Math.floor(tap / size), z! * size + (tap % size)]);
    }
    return sum / size ** 2;
  });
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
  [a, b]: readonly [Dense, Dense, ...Dense[]],
  { transposeA, transposeB }: Extract<Operation, { kind: 'matMul' }>,
  shape: Shape,
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

function reduceSum(
  [a]: readonly [Dense, ...Dense[]],
  { axes }: Extract<Operation, { kind: 'reduceSum' }>,
  shape: Shape,
): Float64Array {
  const kept: Shape = a.shape.map((side, axis) => (axes.includes(axis) ? 1 : side));
  const data = new Float64Array(sizeOf(shape));
  build(a.shape, (at) => {
    const offset = kept.reduce((sum, side, axis) => sum * side + (side === 1 ? 0 : at[axis]!), 0);
    return (data[offset]! += read(a, at));
  });
  return data;
}

function conv2d(
  inputs: readonly Dense[],
  { stride, pad, groups = 1 }: Extract<Operation, { kind: 'conv2d' }>,
  shape: Shape,
): Float64Array {
  const [x, filter, bias] = inputs as [Dense, Dense, Dense?];
  const [, , height, width] = x.shape as [number, number, number, number];
  const [filters, depth, rows, columns] = filter.shape as [number, number, number, number];
  return build(shape, ([n, o, y, z]) => {
    let sum = bias ? bias.data[bias.data.length === 1 ? 0 : o!]! : 0;
    const first = Math.floor((o! * groups) / filters) * depth;
    for (let i = 0; i < depth; i++) {
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          const [row, column] = [y! * stride + r - pad, z! * stride + c - pad];
          if (row < 0 || row >= height || column < 0 || column >= width) continue;
          sum += read(x, [n!, first + i, row, column]) * read(filter, [o!, i, r, c]);
        }
      }
    }
    return sum;
  });
}

function maxPool(
  [x]: readonly [Dense, ...Dense[]],
  { size, stride, pad }: Extract<Operation, { kind: 'maxPool' }>,
  shape: Shape,
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
