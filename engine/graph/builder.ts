import { CarryoverError } from '../../contract/errors.ts';
import { resultShape } from './shapes.ts';
import type { Conv2dGeometry, Graph, Operation, Pool2dGeometry, Shape, Value } from './types.ts';
import { showShape, sizeOf } from './types.ts';

/** What `normalise` normalises with. */
export interface Moments {
  mean: Value;
  variance: Value;
  /** Added to the variance. */
  epsilon: number;
}

/** A value normalised by its own moments, and these. */
export interface Normalised {
  result: Value;
  mean: Value;
  variance: Value;
}

/** Builds a graph operation by operation; every shape is checked as it is added. */
export class GraphBuilder {
  readonly #values: Value[] = [];
  readonly #names = new Set<string>();
  #scope = '';

  /** Names made inside `body` start with `name` and a dot. */
  scope<T>(name: string, body: () => T): T {
    const outer = this.#scope;
    this.#scope = this.qualified(name);
    try {
      return body();
    } finally {
      this.#scope = outer;
    }
  }

  /** The full name that `name` has inside the current scopes. */
  qualified(name: string): string {
    return this.#scope === '' ? name : `${this.#scope}.${name}`;
  }

  /** Something given anew at every call: images, targets, a learning rate. */
  input(name: string, shape: Shape): Value {
    return this.#declare({ kind: 'input' }, name, shape);
  }

  /** A learned tensor, named inside the current scopes. */
  parameter(name: string, shape: Shape): Value {
    return this.#declare({ kind: 'parameter' }, this.qualified(name), shape);
  }

  constant(data: Float32Array | number, shape: Shape = []): Value {
    const array = typeof data === 'number' ? Float32Array.of(data) : data;
    if (array.length !== sizeOf(shape)) {
      throw new CarryoverError(
        'bad-input',
        `a constant of ${array.length} elements cannot have shape ${showShape(shape)}`,
      );
    }
    return this.#add({ kind: 'constant', data: array }, [], shape);
  }

  add = (a: Value, b: Value): Value => this.#add({ kind: 'add' }, [a, b]);
  sub = (a: Value, b: Value): Value => this.#add({ kind: 'sub' }, [a, b]);
  mul = (a: Value, b: Value): Value => this.#add({ kind: 'mul' }, [a, b]);
  div = (a: Value, b: Value): Value => this.#add({ kind: 'div' }, [a, b]);
  /** The smaller of two, for updates only: it has no gradient. */
  min = (a: Value, b: Value): Value => this.#add({ kind: 'min' }, [a, b]);
  relu = (x: Value): Value => this.#add({ kind: 'relu' }, [x]);
  /** Between 0 and 6. */
  relu6 = (x: Value): Value => this.#add({ kind: 'relu6' }, [x]);
  sigmoid = (x: Value): Value => this.#add({ kind: 'sigmoid' }, [x]);
  /** log(1 / (1 + exp(-x))), exact for large |x| too. */
  logSigmoid = (x: Value): Value => this.#add({ kind: 'logSigmoid' }, [x]);
  exp = (x: Value): Value => this.#add({ kind: 'exp' }, [x]);
  sqrt = (x: Value): Value => this.#add({ kind: 'sqrt' }, [x]);
  /** Along the last axis. */
  logSoftmax = (x: Value): Value => this.#add({ kind: 'logSoftmax' }, [x]);

  /** Matrix product; each side may be read transposed. */
  matMul(a: Value, b: Value, { transposeA = false, transposeB = false } = {}): Value {
    return this.#add({ kind: 'matMul', transposeA, transposeB }, [a, b]);
  }

  /** Sum over `axes` (all when left out). */
  reduceSum(x: Value, axes?: readonly number[], keepDims = false): Value {
    return this.#add({ kind: 'reduceSum', axes: axes ?? x.shape.map((_, i) => i), keepDims }, [x]);
  }

  reduceMean(x: Value, axes?: readonly number[], keepDims = false): Value {
    const sum = this.reduceSum(x, axes, keepDims);
    return this.mul(sum, this.constant(sizeOf(sum.shape) / sizeOf(x.shape)));
  }

  reshape = (x: Value, shape: Shape): Value => this.#add({ kind: 'reshape' }, [x], shape);
  broadcast = (x: Value, shape: Shape): Value => this.#add({ kind: 'broadcast' }, [x], shape);

  /**
   * Cross-correlation of x [batch, channel, row, column] with filter [out, in, row, column], or
   * [channel, 1, row, column] when depthwise; `bias` has one element, or one per filter.
   */
  conv2d(x: Value, filter: Value, geometry: Conv2dGeometry, bias?: Value): Value {
    return this.#add({ kind: 'conv2d', ...geometry }, bias ? [x, filter, bias] : [x, filter]);
  }

  /** Maximum over square windows; padding never wins. */
  maxPool(x: Value, geometry: Pool2dGeometry): Value {
    return this.#add({ kind: 'maxPool', ...geometry }, [x]);
  }

  /** Mean over square windows that lie side by side; what is left of the far sides is dropped. */
  averagePool = (x: Value, size: number): Value => this.#add({ kind: 'averagePool', size }, [x]);

  /** Lays values of equal shape but for `axis` one after another along it. */
  concat = (values: readonly Value[], axis: number): Value =>
    this.#add({ kind: 'concat', axis }, values);

  /** The part of x of the given shape that starts at `starts`. */
  slice = (x: Value, starts: readonly number[], shape: Shape): Value =>
    this.#add({ kind: 'slice', starts }, [x], shape);

  /** Zeros of the given shape with x laid at `starts`. */
  pad = (x: Value, starts: readonly number[], shape: Shape): Value =>
    this.#add({ kind: 'pad', starts }, [x], shape);

  /**
   * Batch normalisation by the batch's own moments: for each channel of x
   * [batch, channel, row, column], (x - mean) / sqrt(variance + epsilon) * scale + shift.
   * @param scale [channel], as is `shift`
   */
  batchNorm(x: Value, scale: Value, shift: Value, epsilon: number): Normalised {
    const mean = this.channelMean(x);
    const variance = this.channelVariance(x, mean);
    const inputs = [x, scale, shift, mean, variance];
    return { result: this.#add({ kind: 'batchNorm', epsilon }, inputs), mean, variance };
  }

  /**
   * The same by given moments, both [channel]. They are taken as fixed: no gradient reaches them.
   */
  normalise(x: Value, scale: Value, shift: Value, { mean, variance, epsilon }: Moments): Value {
    return this.#add({ kind: 'normalise', epsilon }, [x, scale, shift, mean, variance]);
  }

  /** Mean over all but the channels of x [batch, channel, row, column]. */
  channelMean = (x: Value): Value => this.#add({ kind: 'channelMean' }, [x]);
  /** Mean squared distance from `mean` (divided by the number of values, not one less). */
  channelVariance = (x: Value, mean: Value): Value =>
    this.#add({ kind: 'channelVariance' }, [x, mean]);

  /** An operation of the backward pass, whose result has a shape known from the forward pass. */
  backward(operation: Operation, inputs: readonly Value[], shape: Shape): Value {
    return this.#add(operation, inputs, shape);
  }

  /** Closes the graph over named outputs, dropping what they do not need. */
  finish(outputs: Iterable<readonly [string, Value]>): Graph {
    const named = new Map(outputs);
    const needed = new Set<Value>();
    const visit = (value: Value): void => {
      if (needed.has(value)) return;
      needed.add(value);
      value.inputs.forEach(visit);
    };
    named.forEach(visit);
    const values = this.#values.filter((value) => needed.has(value));
    return {
      values,
      outputs: named,
      inputs: values.filter((value) => value.operation.kind === 'input'),
      parameters: values.filter((value) => value.operation.kind === 'parameter'),
    };
  }

  #declare(operation: Operation, name: string, shape: Shape): Value {
    if (this.#names.has(name)) {
      throw new CarryoverError('bad-input', `the graph has two ${operation.kind}s named "${name}"`);
    }
    if (shape.some((side) => !Number.isInteger(side) || side < 1)) {
      throw new CarryoverError(
        'bad-input',
        `${operation.kind} "${name}": ${showShape(shape)} has a side that is not a positive whole number`,
      );
    }
    return this.#push(operation, name, [], shape);
  }

  #add(operation: Operation, inputs: readonly Value[], given?: Shape): Value {
    const name = this.qualified(`${operation.kind}#${this.#values.length}`);
    const shape =
      operation.kind === 'constant'
        ? (given ?? [])
        : resultShape(
            name,
            operation,
            inputs.map((value) => value.shape),
            given,
          );
    return this.#push(operation, name, inputs, shape);
  }

  #push(operation: Operation, name: string, inputs: readonly Value[], shape: Shape): Value {
    const value: Value = { id: this.#values.length, name, shape, operation, inputs };
    this.#values.push(value);
    this.#names.add(name);
    return value;
  }
}
