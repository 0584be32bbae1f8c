import type { ArchitectureSpec } from '../../contract/architecture.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Shape, Value } from '../graph/types.ts';

/** How a parameter is drawn at the start. */
export type Initialiser =
  | { kind: 'constant'; value: number }
  /** Normal with mean 0. */
  | { kind: 'normal'; std: number }
  /** Uniform in [-bound, bound]. */
  | { kind: 'uniform'; bound: number };

/** Which learning-rate multiplier a parameter gets. */
export type ParameterRole = 'weight' | 'bias' | 'scale';

export interface ParameterSpec {
  /** As PyTorch would name it: `layer1.0.conv1.weight`. */
  name: string;
  shape: Shape;
  initialiser: Initialiser;
  role: ParameterRole;
  /** Named part of the network for rewinding: `conv1`, `layer1.0`, `fc`. */
  module: string;
}

/** A network on a graph under construction, before anything is asked of it. */
export interface Model {
  g: GraphBuilder;
  /** [batch, channel, row, column], normalised. */
  images: Value;
  /** [batch, class]. */
  logits: Value;
  /** Named activations, from the input to the output. */
  taps: Map<string, Value>;
  parameters: ParameterSpec[];
}

export interface ModelOptions {
  architecture: ArchitectureSpec;
  channels: number;
  classes: number;
  batch: number;
}

/** What an architecture's text is written with: the graph plus declared parameters and taps. */
export class ModelBuilder {
  readonly g = new GraphBuilder();
  readonly taps = new Map<string, Value>();
  readonly parameters: ParameterSpec[] = [];
  #module = '';

  /** Parameters made inside `body` belong to the module `name`. */
  module<T>(name: string, body: () => T): T {
    this.#module = name;
    try {
      return body();
    } finally {
      this.#module = '';
    }
  }

  /** A module whose parameters' names start with its own. */
  namedModule<T>(name: string, body: () => T): T {
    return this.module(name, () => this.g.scope(name, body));
  }

  parameter(
    name: string,
    shape: Shape,
    initialiser: Initialiser,
    role: ParameterRole = 'weight',
  ): Value {
    const value = this.g.parameter(name, shape);
    this.parameters.push({ name: value.name, shape, initialiser, role, module: this.#module });
    return value;
  }

  tap(name: string, value: Value): Value {
    this.taps.set(name, value);
    return value;
  }
}
