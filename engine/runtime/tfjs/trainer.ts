import * as tf from '@tensorflow/tfjs-core';
import type { Training } from '../../../contract/study.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph } from '../../graph/types.ts';
import { sizeOf } from '../../graph/types.ts';
import type { ModelOptions, ParameterSpec } from '../../models/model.ts';
import type { Weights } from '../../models/registry.ts';
import { buildModel } from '../../models/registry.ts';
import {
  gradientNorm,
  optimiserUpdates,
  slotName,
  slotsOf,
  stepScalars,
} from '../../train/optimiser.ts';
import { GRADIENT, UPDATED, buildForwardLoss, trainedParameters } from '../../train/step.ts';
import type { Batch, StepResult, StepsOf, TargetSettings, TrainingState } from '../batch.ts';
import { targetsOf } from '../batch.ts';
import { interpret } from './interpret.ts';
import { differentiate, toTensors } from './runtime.ts';

/**
 * The update rule alone. Inputs: every trained parameter, its slots, its `gradient/…`, and the
 * scalars of `stepScalars`; outputs: `updated/…`, and gradientNorm where it is clipped.
 */
function buildUpdate(
  specs: readonly ParameterSpec[],
  stages: readonly string[],
  training: Training,
): Graph {
  const g = new GraphBuilder();
  const trained = specs.map((spec) => ({
    spec,
    value: g.parameter(spec.name, spec.shape),
    gradient: g.input(GRADIENT + spec.name, spec.shape),
  }));
  const norm = training['clip-norm'] === undefined ? null : gradientNorm(g, trained);
  const updates = optimiserUpdates(g, trained, norm, training, stages).map(
    ([name, value]) => [UPDATED + name, value] as const,
  );
  return g.finish([...(norm ? [['gradientNorm', norm] as const] : []), ...updates]);
}

/** Trains with TensorFlow.js; the state stays on its backend between steps. */
export class TfjsTrainer {
  readonly options: ModelOptions;
  readonly parameters: readonly ParameterSpec[];
  readonly #training: Training;
  readonly #targets: TargetSettings;
  readonly #trained: readonly ParameterSpec[];
  readonly #forward = new Map<number, Graph>();
  readonly #update: Graph;
  readonly #state = new Map<string, tf.Tensor>();

  private constructor(
    options: ModelOptions,
    training: Training,
    { weights, optimiser }: TrainingState,
    classWeights: Float32Array | null,
  ) {
    const { parameters, stages } = buildModel(options);
    this.options = options;
    this.parameters = parameters;
    this.#training = training;
    this.#targets = { smoothing: training.loss['label-smoothing'], classWeights };
    this.#trained = trainedParameters(parameters, options.frozen);
    this.#update = buildUpdate(this.#trained, stages, training);
    for (const { name, shape } of parameters) this.#set(name, shape, weights.get(name));
    for (const { slot, shape } of this.#slots()) {
      this.#set(slot, shape, optimiser.get(slot) ?? new Float32Array(sizeOf(shape)));
    }
  }

  /**
   * Starts from `state` on TensorFlow.js's current backend.
   * @param options `frozen` names the stages that are not trained
   */
  static async create(
    options: ModelOptions,
    training: Training,
    state: TrainingState,
    { classWeights = null }: { classWeights?: Float32Array | null } = {},
  ): Promise<TfjsTrainer> {
    await tf.ready();
    return new TfjsTrainer(options, training, state, classWeights);
  }

  async step(batch: Batch, learningRate: number, stepsOf: StepsOf): Promise<StepResult> {
    const forward = this.#forwardOf(batch.size);
    const targets = targetsOf(batch, this.options, this.#targets);
    const feeds = new Map([['images', batch.images] as const, ...Object.entries(targets)]);
    const inputs = toTensors(forward.inputs, feeds);
    const trained = new Map(this.#trained.map(({ name }) => [name, this.#get(name)]));
    const given = new Map([...this.#state, ...inputs]);
    const { outputs, gradients } = differentiate(forward, given, trained);
    const norm = this.#apply(gradients, learningRate, stepsOf);
    this.#keepUpdated(outputs);
    const [loss, logits] = [outputs.get('loss') as tf.Tensor, outputs.get('logits') as tf.Tensor];
    const result = {
      loss: (await loss.data())[0] ?? NaN,
      logits: Float32Array.from(await logits.data()),
      gradientNorm: norm && ((await norm.data())[0] ?? NaN),
    };
    tf.dispose([...(norm ? [norm] : []), loss, logits, ...inputs.values(), ...gradients.values()]);
    return result;
  }

  /** The current state, downloaded. */
  async state(): Promise<TrainingState> {
    const [weights, optimiser]: [Weights, Weights] = [new Map(), new Map()];
    for (const { name } of this.parameters) weights.set(name, await this.#read(name));
    for (const { slot } of this.#slots()) optimiser.set(slot, await this.#read(slot));
    return { weights, optimiser };
  }

  async close(): Promise<void> {
    tf.dispose([...this.#state.values()]);
  }

  /** Puts the updated state in the place of the old; returns the gradients' norm where it is clipped. */
  #apply(
    gradients: ReadonlyMap<string, tf.Tensor>,
    learningRate: number,
    stepsOf: StepsOf,
  ): tf.Tensor | null {
    const stages = new Set(this.#trained.map(({ stage }) => stage));
    const scalars = stepScalars(this.#training, stages, learningRate, stepsOf);
    const updated = tf.tidy(() => {
      const given = new Map([...this.#state, ...toTensors(this.#update.inputs, scalars)]);
      gradients.forEach((tensor, name) => given.set(GRADIENT + name, tensor));
      return Object.fromEntries(interpret(this.#update, given));
    });
    this.#keepUpdated(new Map(Object.entries(updated)));
    return updated['gradientNorm'] ?? null;
  }

  #keepUpdated(outputs: ReadonlyMap<string, tf.Tensor>): void {
    for (const [output, tensor] of outputs) {
      if (!output.startsWith(UPDATED)) continue;
      const name = output.slice(UPDATED.length);
      this.#get(name).dispose();
      this.#state.set(name, tensor);
    }
  }

  #forwardOf(batch: number): Graph {
    const known = this.#forward.get(batch);
    if (known) return known;
    const { graph } = buildForwardLoss({ ...this.options, batch, mode: 'training' });
    this.#forward.set(batch, graph);
    return graph;
  }

  #slots(): { slot: string; shape: readonly number[] }[] {
    const slots = slotsOf(this.#training.optimiser);
    return this.#trained.flatMap(({ name, shape }) =>
      slots.map((slot) => ({ slot: slotName(slot, name), shape })),
    );
  }

  #set(name: string, shape: readonly number[], data: Float32Array | undefined): void {
    if (!data) throw new Error(`"${name}" is missing`);
    this.#state.set(name, tf.tensor(data, [...shape], 'float32'));
  }

  #get(name: string): tf.Tensor {
    const tensor = this.#state.get(name);
    if (!tensor) throw new Error(`"${name}" is missing`);
    return tensor;
  }

  async #read(name: string): Promise<Float32Array> {
    return Float32Array.from(await this.#get(name).data());
  }
}
