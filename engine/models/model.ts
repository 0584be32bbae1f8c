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

/**
 * Which learning-rate multiplier a parameter gets. Those of biases and scales are Fixup's rule, so
 * that all that is trained in other networks is a `weight`. A `statistic` (BatchNorm's running mean and
 * variance) is not trained: it has no gradient, and its new value is among `Model.statistics`.
 */
export type ParameterRole = 'weight' | 'bias' | 'scale' | 'statistic';

export interface ParameterSpec {
  /** As PyTorch would name it: `layer1.0.conv1.weight`. */
  name: string;
  shape: Shape;
  initialiser: Initialiser;
  role: ParameterRole;
  /** Named part of the network for rewinding: `conv1`, `layer1.0`, `fc`. */
  module: string;
  /** The part of the network that is frozen, or slowed down, as one: `stem`, ..., `head`. */
  stage: string;
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
  /** From the images to the logits: the first is `stem`, the last `head`. */
  stages: readonly string[];
  /**
   * New values of the running statistics after this batch, by parameter name. Empty in evaluation
   * mode, and without those of frozen stages.
   */
  statistics: ReadonlyMap<string, Value>;
  /** The batch's own means and (unbiased) variances, under the same names. */
  moments: ReadonlyMap<string, Value>;
}

export interface ModelOptions {
  architecture: ArchitectureSpec;
  /** Outputs of the head: classes, or findings. */
  classes: number;
  batch: number;
  /** softmax (the default): one class an image; sigmoid: any number of findings. */
  loss?: 'softmax' | 'sigmoid';
  /** training (the default): BatchNorm normalises with the batch's own moments. */
  mode?: 'training' | 'evaluation';
  /** Names of stages whose BatchNorm runs as in evaluation whatever the mode. */
  frozen?: ReadonlySet<string>;
}

/** Share of the batch in a running statistic's new value. */
const MOMENTUM = 0.1;

/** What an architecture's text is written with: the graph plus declared parameters and taps. */
export class ModelBuilder {
  readonly g = new GraphBuilder();
  readonly options: ModelOptions;
  readonly taps = new Map<string, Value>();
  readonly parameters: ParameterSpec[] = [];
  readonly stages: string[] = [];
  readonly statistics = new Map<string, Value>();
  readonly moments = new Map<string, Value>();
  #module = '';
  #stage = '';

  constructor(options: ModelOptions) {
    this.options = options;
  }

  /** The network's input, named `images`. */
  images(): Value {
    const { architecture, batch } = this.options;
    const { channels, image } = architecture;
    return this.g.input('images', [batch, channels, image, image]);
  }

  /** Parameters made inside `body` belong to the stage `name`; it may be entered again. */
  stage<T>(name: string, body: () => T): T {
    if (!this.stages.includes(name)) this.stages.push(name);
    this.#stage = name;
    try {
      return body();
    } finally {
      this.#stage = '';
    }
  }

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
    const { name: full } = value;
    const [module, stage] = [this.#module, this.#stage];
    this.parameters.push({ name: full, shape, initialiser, role, module, stage });
    return value;
  }

  /** Whether BatchNorm made here runs as in evaluation. */
  get isFixed(): boolean {
    const { mode = 'training', frozen } = this.options;
    return mode === 'evaluation' || frozen?.has(this.#stage) === true;
  }

  /** Moves a running statistic by a tenth towards the batch's own, as PyTorch does by default. */
  moveStatistic(running: Value, moment: Value): void {
    const { g } = this;
    const [kept, moved] = [g.constant(1 - MOMENTUM), g.constant(MOMENTUM)];
    this.moments.set(running.name, moment);
    this.statistics.set(running.name, g.add(g.mul(running, kept), g.mul(moment, moved)));
  }

  tap(name: string, value: Value): Value {
    this.taps.set(name, value);
    return value;
  }

  finish(images: Value, logits: Value): Model {
    const { g, taps, parameters, stages, statistics, moments } = this;
    this.tap('logits', logits);
    return { g, images, logits, taps, parameters, stages, statistics, moments };
  }
}
