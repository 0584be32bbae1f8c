import { CarryoverError } from '../../contract/errors.ts';
import type { Conv2dGeometry, Operation, Pool2dGeometry, Shape } from './types.ts';
import { showShape, sizeOf } from './types.ts';

/** Thrown text becomes an error that names the node, the operation and every shape. */
class ShapeProblem extends Error {}

/**
 * Shape of an operation's result.
 * @param given the shape asked for by `reshape`, `broadcast`, `slice`, `pad` and those
 *   `...Gradient` operations whose inputs do not tell it
 * @throws CarryoverError `bad-input` that names the node, the operation and the shapes
 */
export function resultShape(
  node: string,
  operation: Operation,
  inputs: readonly Shape[],
  given: Shape | undefined,
): Shape {
  try {
    return infer(operation, inputs, given);
  } catch (problem) {
    if (!(problem instanceof ShapeProblem)) throw problem;
    const shapes = inputs.map(showShape).join(' and ');
    throw new CarryoverError(
      'bad-input',
      `node "${node}", ${operation.kind} of ${shapes || 'nothing'}: ${problem.message}`,
    );
  }
}

type Infer<K extends Operation['kind']> = (
  inputs: readonly Shape[],
  operation: Extract<Operation, { kind: K }>,
) => Shape;

const stretched = ([a = [], b = []]: readonly Shape[]): Shape => broadcastShapes(a, b);
const unchanged = ([a = []]: readonly Shape[]): Shape => a;

const RULES: { [K in Operation['kind']]?: Infer<K> } = {
  add: stretched,
  sub: stretched,
  mul: stretched,
  div: stretched,
  min: stretched,
  relu: unchanged,
  relu6: unchanged,
  sigmoid: unchanged,
  logSigmoid: unchanged,
  exp: unchanged,
  sqrt: unchanged,
  logSoftmax: unchanged,
  reluGradient: ([a = [], b = []]) => same(a, b),
  relu6Gradient: ([a = [], b = []]) => same(a, b),
  matMul: ([a = [], b = []], o) => matMulShape(a, b, o.transposeA, o.transposeB),
  reduceSum: ([a = []], o) => reducedShape(a, o.axes, o.keepDims),
  conv2d: conv2dShape,
  maxPool: ([a = []], o) => pooledShape(a, o),
  averagePool: ([a = []], { size }) => pooledShape(a, { size, stride: size, pad: 0 }),
  concat: (shapes, { axis }) => concatenated(shapes, axis),
  batchNorm: normalised,
  normalise: normalised,
  channelMean: ([a]) => [four(a)[1]],
  channelVariance: ([a, mean = []]) => same([four(a)[1]], mean),
  normaliseScaleGradient: ([a]) => [four(a)[1]],
  batchNormInputGradient: unchanged,
};

function infer(operation: Operation, inputs: readonly Shape[], given?: Shape): Shape {
  const rule = RULES[operation.kind] as Infer<typeof operation.kind> | undefined;
  return rule ? rule(inputs, operation as never) : givenShape(operation, inputs[0] ?? [], given);
}

function givenShape(operation: Operation, input: Shape, given: Shape | undefined): Shape {
  if (!given) throw new ShapeProblem('a shape must be given');
  if (given.some((side) => !Number.isInteger(side) || side < 1)) {
    throw new ShapeProblem(`${showShape(given)} has a side that is not a positive whole number`);
  }
  if (operation.kind === 'reshape' && sizeOf(input) !== sizeOf(given)) {
    throw new ShapeProblem(
      `${showShape(given)} has ${sizeOf(given)} elements, not ${sizeOf(input)}`,
    );
  }
  if (operation.kind === 'broadcast') {
    const joint = broadcastShapes(input, given);
    if (showShape(joint) !== showShape(given)) {
      throw new ShapeProblem(`cannot be stretched to ${showShape(given)}`);
    }
  }
  if (operation.kind === 'slice') within(given, input, operation.starts);
  if (operation.kind === 'pad') within(input, given, operation.starts);
  return given;
}

function same(a: Shape, b: Shape): Shape {
  if (showShape(a) !== showShape(b)) throw new ShapeProblem('the shapes must be equal');
  return a;
}

/** NumPy's rule: right-aligned, a side of 1 stretches. */
function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new ShapeProblem(`sides ${left} and ${right} do not match`);
    }
    return Math.max(left, right);
  });
}

function matMulShape(a: Shape, b: Shape, transposeA: boolean, transposeB: boolean): Shape {
  if (a.length !== 2 || b.length !== 2) throw new ShapeProblem('both must be matrices');
  const [rows = 0, innerA = 0] = transposeA ? [a[1], a[0]] : a;
  const [innerB = 0, columns = 0] = transposeB ? [b[1], b[0]] : b;
  if (innerA !== innerB) throw new ShapeProblem(`inner sides ${innerA} and ${innerB} differ`);
  return [rows, columns];
}

function reducedShape(a: Shape, axes: readonly number[], keepDims: boolean): Shape {
  for (const axis of axes) {
    if (axis < 0 || axis >= a.length) throw new ShapeProblem(`there is no axis ${axis}`);
  }
  const kept = a.map((side, axis) => (axes.includes(axis) ? 1 : side));
  return keepDims ? kept : kept.filter((_, axis) => !axes.includes(axis));
}

/** Refuses a window that reaches out of the whole. */
function within(window: Shape, whole: Shape, starts: readonly number[]): void {
  const fits = (start: number, axis: number): boolean =>
    Number.isInteger(start) && start >= 0 && start + (window[axis] ?? 0) <= (whole[axis] ?? 0);
  const ranks = new Set([window.length, whole.length, starts.length]);
  if (ranks.size === 1 && starts.every(fits)) return;
  throw new ShapeProblem(
    `${showShape(window)} at ${showShape(starts)} does not lie within ${showShape(whole)}`,
  );
}

function concatenated(shapes: readonly Shape[], axis: number): Shape {
  const [first = []] = shapes;
  if (axis < 0 || axis >= first.length) throw new ShapeProblem(`there is no axis ${axis}`);
  const others = (shape: Shape): string => showShape(shape.filter((_, i) => i !== axis));
  if (shapes.some((shape) => others(shape) !== others(first) || shape.length !== first.length)) {
    throw new ShapeProblem(`the shapes must be equal but for axis ${axis}`);
  }
  const length = shapes.reduce((sum, shape) => sum + (shape[axis] ?? 0), 0);
  return first.map((side, i) => (i === axis ? length : side));
}

function normalised([x, ...perChannel]: readonly Shape[]): Shape {
  const shape = four(x);
  if (perChannel.some((other) => showShape(other) !== showShape([shape[1]]))) {
    throw new ShapeProblem(`scale, shift and moments must be ${showShape([shape[1]])}`);
  }
  return shape;
}

type Four = readonly [number, number, number, number];

function four(shape: Shape | undefined): Four {
  if (shape?.length !== 4) throw new ShapeProblem('four axes are needed');
  return shape as Four;
}

function conv2dShape(inputs: readonly Shape[], geometry: Conv2dGeometry): Shape {
  const [batch, channels, height, width] = four(inputs[0]);
  const [filters, depth, rows, columns] = four(inputs[1]);
  const { groups = 1 } = geometry;
  if (groups !== 1 && (groups !== channels || groups !== filters)) {
    throw new ShapeProblem(`${groups} groups: there must be 1, or as many as channels and filters`);
  }
  if (channels !== depth * groups) {
    throw new ShapeProblem(
      `the input has ${channels} channels, the filter takes ${depth * groups}`,
    );
  }
  const bias = inputs[2];
  if (bias && sizeOf(bias) !== 1 && (bias.length !== 1 || bias[0] !== filters)) {
    throw new ShapeProblem(`the bias must have 1 or ${filters} elements`);
  }
  return [batch, filters, ...windows([height, width], [rows, columns], geometry)];
}

function pooledShape(x: Shape, geometry: Pool2dGeometry): Shape {
  const [batch, channels, height, width] = four(x);
  const window = [geometry.size, geometry.size];
  return [batch, channels, ...windows([height, width], window, geometry)];
}

function windows(
  sides: Shape,
  window: Shape,
  { stride, pad, padEnd = pad }: Conv2dGeometry,
): number[] {
  return sides.map((side, axis) => {
    const count = Math.floor((side + pad + padEnd - (window[axis] ?? 1)) / stride) + 1;
    if (count < 1) {
      const padding = pad === padEnd ? pad : `${pad} and ${padEnd}`;
      throw new ShapeProblem(
        `a window of ${window[axis]} does not fit ${side} padded by ${padding}`,
      );
    }
    return count;
  });
}
