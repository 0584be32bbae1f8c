import type { Training } from '../../../contract/study.ts';
import { sizeOf } from '../../graph/types.ts';
import type { ModelOptions, ParameterSpec } from '../../models/model.ts';
import type { Weights } from '../../models/registry.ts';
import { buildModel } from '../../models/registry.ts';
import { slotName, slotsOf, stepScalars } from '../../train/optimiser.ts';
import {
  UPDATED,
  buildForwardLoss,
  buildInference,
  buildTrainingStep,
  trainedParameters,
} from '../../train/step.ts';
import type { Batch, StepResult, StepsOf, TargetSettings, TrainingState } from '../batch.ts';
import { targetsOf } from '../batch.ts';
import type { SessionSettings } from './by-size.ts';
import { SessionsBySize } from './by-size.ts';
import type { Given, KeptTensor, OnnxSession } from './session.ts';

export interface TrainerSettings extends SessionSettings {
  /** By class (`classWeightsOf`); absent: all 1. */
  classWeights?: Float32Array | null;
}

/** Executes compiled training steps; the state stays on the device between them. */
export class OnnxTrainer {
  readonly options: ModelOptions;
  /** Of the whole network, frozen stages and running statistics included. */
  readonly parameters: readonly ParameterSpec[];
  readonly #training: Training;
  readonly #targets: TargetSettings;
  readonly #trained: readonly ParameterSpec[];
  readonly #trainedStages: ReadonlySet<string>;
  readonly #sessions: SessionsBySize;
  /** Weights and the optimiser's slots by name. */
  readonly #state = new Map<string, KeptTensor>();

  private constructor(options: ModelOptions, training: Training, settings: TrainerSettings) {
    const { classWeights = null, ...session } = settings;
    this.options = options;
    this.#training = training;
    this.#targets = { smoothing: training.loss['label-smoothing'], classWeights };
    this.parameters = buildModel(options).parameters;
    this.#trained = trainedParameters(this.parameters, options.frozen);
    this.#trainedStages = new Set(this.#trained.map(({ stage }) => stage));
    this.#sessions = new SessionsBySize(
      (batch) => buildTrainingStep({ ...options, batch }, training),
      ({ graph }) => ({
        ...session,
        keep: [...graph.outputs.keys()].filter((name) => name.startsWith(UPDATED)),
      }),
    );
  }

  /**
   * Compiles the step for full batches and starts from `state`.
   * @param options `frozen` names the stages that are not trained
   */
  static async create(
    options: ModelOptions,
    training: Training,
    state: TrainingState,
    settings: TrainerSettings,
  ): Promise<OnnxTrainer> {
    const trainer = new OnnxTrainer(options, training, settings);
    const arrays = trainer.#startOf(state);
    const session = await trainer.#sessions.at(options.batch);
    for (const [name, tensor] of await session.place(arrays)) trainer.#state.set(name, tensor);
    return trainer;
  }

  /** One step on a batch. @param stepsOf matters to AdamW */
  async step(batch: Batch, learningRate: number, stepsOf: StepsOf): Promise<StepResult> {
    const { targets, exampleWeights } = targetsOf(batch, this.options, this.#targets);
    const scalars = stepScalars(this.#training, this.#trainedStages, learningRate, stepsOf);
    const feeds = new Map<string, Given>([...this.#state, ...scalars]);
    feeds.set('images', batch.images).set('targets', targets);
    feeds.set('exampleWeights', exampleWeights);
    const session = await this.#sessions.at(batch.size);
    const { outputs, kept } = await session.runKeeping(feeds);
    for (const [name, tensor] of kept) this.#replace(name.slice(UPDATED.length), tensor);
    return {
      loss: required(outputs, 'loss')[0] ?? NaN,
      logits: required(outputs, 'logits'),
      gradientNorm: outputs.get('gradientNorm')?.[0] ?? null,
    };
  }

  /** The current state; the arrays are not changed by later steps. */
  async state(): Promise<TrainingState> {
    const session = await this.#sessions.at(this.options.batch);
    const arrays = await session.read(this.#state);
    const pick = (names: string[]): Weights =>
      new Map(names.map((name) => [name, required(arrays, name)]));
    return {
      weights: pick(this.parameters.map(({ name }) => name)),
      optimiser: pick(this.#slots()),
    };
  }

  async close(): Promise<void> {
    this.#state.forEach((tensor) => tensor.dispose());
    await this.#sessions.close();
  }

  #slots(): string[] {
    const slots = slotsOf(this.#training.optimiser);
    return this.#trained.flatMap(({ name }) => slots.map((slot) => slotName(slot, name)));
  }

  #startOf({ weights, optimiser }: TrainingState): Map<string, Float32Array> {
    const arrays = new Map<string, Float32Array>();
    for (const { name } of this.parameters) arrays.set(name, required(weights, name));
    for (const { name, shape } of this.#trained) {
      for (const slot of slotsOf(this.#training.optimiser)) {
        const key = slotName(slot, name);
        arrays.set(key, optimiser.get(key) ?? new Float32Array(sizeOf(shape)));
      }
    }
    return arrays;
  }

  #replace(name: string, tensor: KeptTensor): void {
    this.#state.get(name)?.dispose();
    this.#state.set(name, tensor);
  }
}

/** Evaluates a network whose weights are given per call. */
export class OnnxEvaluator {
  readonly options: ModelOptions;
  readonly #parameters: readonly string[];
  readonly #sessions: SessionsBySize;
  /** The weights of the last call, on the device. */
  #placed: { weights: Weights; tensors: Map<string, KeptTensor> } | null = null;

  private constructor(options: ModelOptions, settings: SessionSettings) {
    this.options = options;
    this.#parameters = buildModel(options).parameters.map(({ name }) => name);
    this.#sessions = new SessionsBySize(
      (batch) => buildForwardLoss({ ...options, batch, mode: 'evaluation' }),
      () => settings,
    );
  }

  /** Compiles the network for full batches. */
  static async create(options: ModelOptions, settings: SessionSettings): Promise<OnnxEvaluator> {
    const evaluator = new OnnxEvaluator(options, settings);
    await evaluator.#sessions.at(options.batch);
    return evaluator;
  }

  /**
   * Mean cross-entropy and logits [size, class] of one batch.
   * @param weights not changed between calls while it is the same map
   */
  async run(weights: Weights, batch: Batch): Promise<{ loss: number; logits: Float32Array }> {
    const { targets, exampleWeights } = targetsOf(batch, this.options);
    const session = await this.#sessions.at(batch.size);
    const feeds = new Map<string, Given>(await this.#place(weights, session));
    feeds.set('images', batch.images).set('targets', targets);
    feeds.set('exampleWeights', exampleWeights);
    const outputs = await session.run(feeds);
    return { loss: required(outputs, 'loss')[0] ?? NaN, logits: required(outputs, 'logits') };
  }

  async close(): Promise<void> {
    this.#forget();
    await this.#sessions.close();
  }

  async #place(weights: Weights, session: OnnxSession): Promise<Map<string, KeptTensor>> {
    if (this.#placed?.weights === weights) return this.#placed.tensors;
    this.#forget();
    const arrays = this.#parameters.map((name) => [name, required(weights, name)] as const);
    const tensors = await session.place(new Map(arrays));
    this.#placed = { weights, tensors };
    return tensors;
  }

  #forget(): void {
    this.#placed?.tensors.forEach((tensor) => tensor.dispose());
    this.#placed = null;
  }
}

/** What inference gives for some images. */
export interface Inferred {
  /** [image, class]. */
  logits: Float32Array;
  /** The requested activations by name, each [image, ...]. */
  taps: Map<string, Float32Array>;
}

/** A network whose weights are compiled in: the fastest way to its logits. */
export class OnnxInference {
  readonly #sessions: SessionsBySize;

  private constructor(sessions: SessionsBySize) {
    this.#sessions = sessions;
  }

  /** @param taps names of the model's activations to give back */
  static async create(
    options: ModelOptions,
    weights: Weights,
    settings: SessionSettings,
    taps: readonly string[] = [],
  ): Promise<OnnxInference> {
    const sessions = new SessionsBySize(
      (batch) => buildInference({ ...options, batch }, taps),
      () => ({ ...settings, fixed: weights }),
    );
    await sessions.at(options.batch);
    return new OnnxInference(sessions);
  }

  /** @param images [size, channel, row, column], normalised; a new size is compiled for first */
  async run(images: Float32Array, size: number): Promise<Inferred> {
    const session = await this.#sessions.at(size);
    const { logits, ...taps } = Object.fromEntries(
      await session.run(new Map([['images', images]])),
    );
    if (!logits) throw new Error('the network gave no logits');
    return { logits, taps: new Map(Object.entries(taps)) };
  }

  close(): Promise<void> {
    return this.#sessions.close();
  }
}

function required(map: ReadonlyMap<string, Float32Array>, name: string): Float32Array {
  const found = map.get(name);
  if (!found) throw new Error(`"${name}" is missing`);
  return found;
}
