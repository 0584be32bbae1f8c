import type { Training } from '../../../contract/study.ts';
import type { ModelOptions, ParameterSpec } from '../../models/model.ts';
import type { Weights } from '../../models/registry.ts';
import {
  MOMENTUM,
  UPDATED,
  UPDATED_MOMENTUM,
  buildForwardLoss,
  buildTrainingStep,
} from '../../train/step.ts';
import type { Batch, StepResult, TrainingState } from '../batch.ts';
import { targetsOf } from '../batch.ts';
import { OnnxSession } from './session.ts';

export type { Batch, StepResult, TrainingState };

/** Executes compiled training steps and keeps the state between them. */
export class OnnxTrainer {
  readonly options: ModelOptions;
  readonly parameters: readonly ParameterSpec[];
  readonly #session: OnnxSession;
  readonly #feeds = new Map<string, Float32Array>();

  private constructor(
    session: OnnxSession,
    parameters: readonly ParameterSpec[],
    options: ModelOptions,
  ) {
    this.#session = session;
    this.parameters = parameters;
    this.options = options;
  }

  /** Compiles the step and starts from `state`. */
  static async create(
    options: ModelOptions,
    training: Training,
    state: TrainingState,
    threads: number,
  ): Promise<OnnxTrainer> {
    const { graph, parameters } = buildTrainingStep(options, training);
    const trainer = new OnnxTrainer(
      await OnnxSession.create(graph, { threads }),
      parameters,
      options,
    );
    for (const { name } of parameters) {
      trainer.#feeds.set(name, required(state.weights, name));
      trainer.#feeds.set(MOMENTUM + name, required(state.momentum, name));
    }
    return trainer;
  }

  async step(batch: Batch, learningRate: number): Promise<StepResult> {
    const { targets, exampleWeights } = targetsOf(batch, this.options);
    this.#feeds.set('images', batch.images);
    this.#feeds.set('targets', targets);
    this.#feeds.set('exampleWeights', exampleWeights);
    this.#feeds.set('learningRate', Float32Array.of(learningRate));
    const outputs = await this.#session.run(this.#feeds);
    for (const { name } of this.parameters) {
      this.#feeds.set(name, required(outputs, UPDATED + name));
      this.#feeds.set(MOMENTUM + name, required(outputs, UPDATED_MOMENTUM + name));
    }
    return {
      loss: required(outputs, 'loss')[0] ?? NaN,
      logits: required(outputs, 'logits'),
      gradientNorm: required(outputs, 'gradientNorm')[0] ?? NaN,
    };
  }

  /** The current state; the arrays are not changed by later steps. */
  state(): TrainingState {
    const pick = (prefix: string): Weights =>
      new Map(this.parameters.map(({ name }) => [name, required(this.#feeds, prefix + name)]));
    return { weights: pick(''), momentum: pick(MOMENTUM) };
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}

/** Evaluates a network whose weights are given per call. */
export class OnnxEvaluator {
  readonly options: ModelOptions;
  readonly #session: OnnxSession;

  private constructor(session: OnnxSession, options: ModelOptions) {
    this.#session = session;
    this.options = options;
  }

  static async create(options: ModelOptions, threads: number): Promise<OnnxEvaluator> {
    const { graph } = buildForwardLoss(options);
    return new OnnxEvaluator(await OnnxSession.create(graph, { threads }), options);
  }

  /** Mean loss and logits of one batch. */
  async run(weights: Weights, batch: Batch): Promise<{ loss: number; logits: Float32Array }> {
    const { targets, exampleWeights } = targetsOf(batch, this.options);
    const feeds = new Map(weights);
    feeds.set('images', batch.images).set('targets', targets);
    feeds.set('exampleWeights', exampleWeights);
    const outputs = await this.#session.run(feeds);
    return { loss: required(outputs, 'loss')[0] ?? NaN, logits: required(outputs, 'logits') };
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}

function required(map: ReadonlyMap<string, Float32Array>, name: string): Float32Array {
  const found = map.get(name);
  if (!found) throw new Error(`"${name}" is missing`);
  return found;
}
