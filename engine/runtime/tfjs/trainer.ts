import * as tf from '@tensorflow/tfjs-core';
import type { Training } from '../../../contract/study.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph } from '../../graph/types.ts';
import type { ModelOptions, ParameterSpec } from '../../models/model.ts';
import type { Weights } from '../../models/registry.ts';
import { gradientNorm, sgdUpdates } from '../../train/sgd.ts';
import {
  GRADIENT,
  MOMENTUM,
  UPDATED,
  UPDATED_MOMENTUM,
  buildForwardLoss,
} from '../../train/step.ts';
import type { Batch, StepResult, TrainingState } from '../batch.ts';
import { targetsOf } from '../batch.ts';
import { interpret } from './interpret.ts';
import { differentiate, toTensors } from './runtime.ts';

/**
 * The update rule alone. Inputs: every parameter, its `momentum/…` and `gradient/…`, and
 * learningRate; outputs: gradientNorm, `updated/…` and `updated-momentum/…`.
 */
function buildUpdate(specs: readonly ParameterSpec[], training: Training): Graph {
  const g = new GraphBuilder();
  const learningRate = g.input('learningRate', []);
  const state = specs.map(({ name, shape, role }) => ({
    role,
    value: g.parameter(name, shape),
    momentum: g.input(MOMENTUM + name, shape),
    gradient: g.input(GRADIENT + name, shape),
  }));
  const norm = gradientNorm(
    g,
    state.map(({ gradient }) => gradient),
  );
  const updates = sgdUpdates(g, state, learningRate, norm, training);
  return g.finish([
    ['gradientNorm', norm],
    ...updates.flatMap(({ parameter, momentum }, i) => {
      const { name } = specs[i] as ParameterSpec;
      return [[UPDATED + name, parameter] as const, [UPDATED_MOMENTUM + name, momentum] as const];
    }),
  ]);
}

/** Trains with TensorFlow.js; the state stays on its backend between steps. */
export class TfjsTrainer {
  readonly options: ModelOptions;
  readonly parameters: readonly ParameterSpec[];
  readonly #forward: Graph;
  readonly #update: Graph;
  readonly #weights = new Map<string, tf.Tensor>();
  readonly #momentum = new Map<string, tf.Tensor>();

  private constructor(options: ModelOptions, training: Training, state: TrainingState) {
    const { graph, parameters } = buildForwardLoss(options);
    this.options = options;
    this.parameters = parameters;
    this.#forward = graph;
    this.#update = buildUpdate(parameters, training);
    for (const { name, shape } of parameters) {
      this.#weights.set(name, tensorOf(state.weights, name, shape));
      this.#momentum.set(name, tensorOf(state.momentum, name, shape));
    }
  }

  /** Starts from `state` on TensorFlow.js's current backend. */
  static async create(
    options: ModelOptions,
    training: Training,
    state: TrainingState,
  ): Promise<TfjsTrainer> {
    await tf.ready();
    return new TfjsTrainer(options, training, state);
  }

  async step(batch: Batch, learningRate: number): Promise<StepResult> {
    const feeds = new Map([
      ['images', batch.images] as const,
      ...Object.entries(targetsOf(batch, this.options)),
    ]);
    const inputs = toTensors(this.#forward.inputs, feeds);
    const { outputs, gradients } = differentiate(this.#forward, inputs, this.#weights);
    const norm = this.#apply(gradients, learningRate);
    const [loss, logits] = [outputs.get('loss') as tf.Tensor, outputs.get('logits') as tf.Tensor];
    const result = {
      loss: (await loss.data())[0] ?? NaN,
      logits: Float32Array.from(await logits.data()),
      gradientNorm: (await norm.data())[0] ?? NaN,
    };
    tf.dispose([norm, ...inputs.values(), ...outputs.values(), ...gradients.values()]);
    return result;
  }

  /** Puts the updated state in the place of the old; returns the gradients' norm. */
  #apply(gradients: ReadonlyMap<string, tf.Tensor>, learningRate: number): tf.Tensor {
    const updated = tf.tidy(() => {
      const given = new Map([...this.#weights, ['learningRate', tf.scalar(learningRate)]]);
      this.#momentum.forEach((tensor, name) => given.set(MOMENTUM + name, tensor));
      gradients.forEach((tensor, name) => given.set(GRADIENT + name, tensor));
      return Object.fromEntries(interpret(this.#update, given));
    });
    for (const { name } of this.parameters) {
      replace(this.#weights, name, updated[UPDATED + name] as tf.Tensor);
      replace(this.#momentum, name, updated[UPDATED_MOMENTUM + name] as tf.Tensor);
    }
    return updated['gradientNorm'] as tf.Tensor;
  }

  /** The current state, downloaded. */
  async state(): Promise<TrainingState> {
    return { weights: await arrays(this.#weights), momentum: await arrays(this.#momentum) };
  }

  async close(): Promise<void> {
    tf.dispose([...this.#weights.values(), ...this.#momentum.values()]);
  }
}

function tensorOf(weights: Weights, name: string, shape: readonly number[]): tf.Tensor {
  const data = weights.get(name);
  if (!data) throw new Error(`"${name}" is missing`);
  return tf.tensor(data, [...shape], 'float32');
}

function replace(tensors: Map<string, tf.Tensor>, name: string, fresh: tf.Tensor): void {
  tensors.get(name)?.dispose();
  tensors.set(name, fresh);
}

async function arrays(tensors: ReadonlyMap<string, tf.Tensor>): Promise<Weights> {
  const found: Weights = new Map();
  for (const [name, tensor] of tensors) found.set(name, Float32Array.from(await tensor.data()));
  return found;
}
