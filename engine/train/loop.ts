import { CarryoverError } from '../../contract/errors.ts';
import type { EpochMetrics } from '../../contract/runs.ts';
import type { Training } from '../../contract/study.ts';
import type { ModelOptions } from '../models/model.ts';
import type { Batch, TrainingState } from '../runtime/onnx/trainer.ts';
import { OnnxEvaluator, OnnxTrainer } from '../runtime/onnx/trainer.ts';
import type { Evaluation } from './evaluate.ts';
import { evaluate } from './evaluate.ts';
import { learningRateAt } from './schedule.ts';

/** Where batches come from. The same arguments always give the same batches. */
export interface BatchSource {
  readonly count: number;
  /** Batches of a training epoch (1-based) from batch `first` on: shuffled order, augmented. */
  training(epoch: number, first: number): AsyncIterable<Batch>;
  /** All images in order, not augmented. */
  evaluation(): AsyncIterable<Batch>;
}

/** A point of a training from which it goes on bit for bit. */
export interface TrainingPoint {
  state: TrainingState;
  /** The epoch under way (1-based; 0: not even the start is evaluated), and its steps done. */
  epoch: number;
  step: number;
  /** Sum of the losses of those steps. */
  lossSum: number;
  /** Seconds spent on the epoch so far. */
  seconds: number;
}

export interface TrainingHooks {
  onStep(step: { epoch: number; step: number; stepsPerEpoch: number; loss: number }): void;
  /** After each epoch, and after the start was evaluated (epoch 0), with what a resume needs. */
  onEpoch(metrics: EpochMetrics, next: TrainingPoint): Promise<void>;
  /** Asked after every step; true stops there, after `onStop`. */
  shouldStop(): boolean;
  onStop(point: TrainingPoint): Promise<void>;
}

export interface TrainingRun {
  options: ModelOptions;
  training: Training;
  train: BatchSource;
  test: BatchSource | null;
  threads: number;
  /** Where to start: epoch 0, step 0 for a new run. */
  from: TrainingPoint;
  hooks: TrainingHooks;
}

/** What the last epoch left. */
export interface TrainingOutcome {
  state: TrainingState;
  trainLogits: Float32Array;
  testLogits: Float32Array | null;
}

/**
 * Trains to the end, or until `shouldStop`.
 * @returns null when stopped
 * @throws CarryoverError `bad-input` when the loss is not finite (names epoch, step, rate)
 */
export async function trainRun(run: TrainingRun): Promise<TrainingOutcome | null> {
  const { options, training, threads, from } = run;
  const trainer = await OnnxTrainer.create(options, training, from.state, threads);
  const evaluator = await OnnxEvaluator.create(options, threads);
  try {
    const loop = new Loop(run, trainer, evaluator);
    if (from.epoch === 0) await loop.recordStart();
    for (let epoch = Math.max(1, from.epoch); epoch <= training.epochs; epoch++) {
      if (!(await loop.epoch(epoch))) return null;
    }
    return await loop.outcome();
  } finally {
    await trainer.close();
    await evaluator.close();
  }
}

class Loop {
  readonly #run: TrainingRun;
  readonly #trainer: OnnxTrainer;
  readonly #evaluator: OnnxEvaluator;
  readonly #stepsPerEpoch: number;
  /** Of the current weights; stale, and therefore dropped, once a step is taken. */
  #evaluated: Evaluated | null = null;

  constructor(run: TrainingRun, trainer: OnnxTrainer, evaluator: OnnxEvaluator) {
    this.#run = run;
    this.#trainer = trainer;
    this.#evaluator = evaluator;
    this.#stepsPerEpoch = Math.ceil(run.train.count / run.options.batch);
  }

  async recordStart(): Promise<void> {
    const began = performance.now();
    const accuracies = await this.#accuracies();
    const metrics = { epoch: 0, trainLoss: null, ...accuracies, learningRate: 0 };
    await this.#run.hooks.onEpoch(
      { ...metrics, seconds: secondsSince(began) },
      this.#point(1, 0, 0, 0),
    );
  }

  /** False when stopped on the way. */
  async epoch(epoch: number): Promise<boolean> {
    const { from, hooks, training } = this.#run;
    const resumed = epoch === from.epoch;
    let step = resumed ? from.step : 0;
    let lossSum = resumed ? from.lossSum : 0;
    const before = resumed ? from.seconds : 0;
    const began = performance.now();
    for await (const batch of this.#run.train.training(epoch, step)) {
      lossSum += await this.#step(batch, epoch, step);
      step += 1;
      if (step < this.#stepsPerEpoch && hooks.shouldStop()) {
        await hooks.onStop(this.#point(epoch, step, lossSum, before + secondsSince(began)));
        return false;
      }
    }
    const due = epoch % training['evaluate-every'] === 0 || epoch === training.epochs;
    const accuracies = due ? await this.#accuracies() : NOT_EVALUATED;
    const metrics: EpochMetrics = {
      epoch,
      trainLoss: lossSum / step,
      ...accuracies,
      learningRate: this.#rate(epoch, step - 1),
      seconds: before + secondsSince(began),
    };
    const next = this.#point(epoch + 1, 0, 0, 0);
    await hooks.onEpoch(metrics, next);
    if (epoch < training.epochs && hooks.shouldStop()) {
      await hooks.onStop(next);
      return false;
    }
    return true;
  }

  async outcome(): Promise<TrainingOutcome> {
    const { onTrain, onTest } = this.#evaluated ?? (await this.#evaluate());
    const state = this.#trainer.state();
    return { state, trainLogits: onTrain.logits, testLogits: onTest?.logits ?? null };
  }

  async #step(batch: Batch, epoch: number, step: number): Promise<number> {
    this.#evaluated = null;
    const rate = this.#rate(epoch, step);
    const { loss } = await this.#trainer.step(batch, rate);
    if (!Number.isFinite(loss)) {
      throw new CarryoverError(
        'bad-input',
        `the loss is ${loss} in epoch ${epoch}, step ${step + 1}, at learning rate ${rate}`,
        { value: String(loss), wayOut: 'lower training.lr.peak, or set training.clip-norm' },
      );
    }
    this.#run.hooks.onStep({ epoch, step: step + 1, stepsPerEpoch: this.#stepsPerEpoch, loss });
    return loss;
  }

  #rate(epoch: number, step: number): number {
    const global = (epoch - 1) * this.#stepsPerEpoch + step;
    return learningRateAt(this.#run.training, global, this.#stepsPerEpoch);
  }

  #point(epoch: number, step: number, lossSum: number, seconds: number): TrainingPoint {
    return { state: this.#trainer.state(), epoch, step, lossSum, seconds };
  }

  async #accuracies(): Promise<typeof NOT_EVALUATED> {
    const { onTrain, onTest } = await this.#evaluate();
    return {
      trainAccuracy: onTrain.accuracy,
      testLoss: onTest?.loss ?? null,
      testAccuracy: onTest?.accuracy ?? null,
    };
  }

  async #evaluate(): Promise<Evaluated> {
    const { weights } = this.#trainer.state();
    const { train, test, options } = this.#run;
    const onTrain = await evaluate(this.#evaluator, weights, train, options);
    const onTest = test && (await evaluate(this.#evaluator, weights, test, options));
    this.#evaluated = { onTrain, onTest };
    return this.#evaluated;
  }
}

interface Evaluated {
  onTrain: Evaluation;
  onTest: Evaluation | null;
}

const NOT_EVALUATED: Pick<EpochMetrics, 'trainAccuracy' | 'testLoss' | 'testAccuracy'> = {
  trainAccuracy: null,
  testLoss: null,
  testAccuracy: null,
};

function secondsSince(began: number): number {
  return (performance.now() - began) / 1000;
}
