import { CarryoverError } from '../../contract/errors.ts';
import type { EpochMetrics } from '../../contract/runs.ts';
import type { Training } from '../../contract/study.ts';
import type { ModelOptions } from '../models/model.ts';
import { buildModel } from '../models/registry.ts';
import type { Weights } from '../models/registry.ts';
import type { Batch, TrainingState } from '../runtime/batch.ts';
import type { Evaluator, Placement, Trainer } from '../runtime/devices/trainer.ts';
import { createEvaluator, createTrainer } from '../runtime/devices/trainer.ts';
import type { Best } from './early-stopping.ts';
import { betterOf, isExhausted } from './early-stopping.ts';
import type { Evaluation } from './evaluate.ts';
import { evaluate } from './evaluate.ts';
import type { Moment } from './finite.ts';
import { checkFinite, checkWeights, momentOf } from './finite.ts';
import type { Phase } from './phases.ts';
import { phaseAt, samePhase, trainedSince } from './phases.ts';
import { learningRateAt } from './schedule.ts';

/** Where batches come from. The same arguments always give the same batches. */
export interface BatchSource {
  readonly count: number;
  /**
   * Batches of a training epoch (1-based) from batch `first` on: shuffled order, augmented, with
   * images of side `image`.
   */
  training(epoch: number, first: number, image: number): AsyncIterable<Batch>;
  /** All images in order, not augmented, of the architecture's side. */
  evaluation(): AsyncIterable<Batch>;
  /**
   * Says that nobody looks at a batch's images any more: later batches may be written into their
   * memory. Left out by a source that keeps its batches.
   */
  giveBack?(batch: Batch): void;
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
  /** With early stopping, once an epoch has been validated: the best so far. */
  best: Best | null;
}

/** The point before anything was done. */
export function startPoint(state: TrainingState): TrainingPoint {
  return { state, epoch: 0, step: 0, lossSum: 0, seconds: 0, best: null };
}

export interface TrainingHooks {
  /** Before an epoch (1-based) whose step is another than that of the epoch before. */
  onPhase?(epoch: number, phase: Phase): void;
  onStep(step: { epoch: number; step: number; stepsPerEpoch: number; loss: number }): void;
  /** After each epoch, and after the start was evaluated (epoch 0), with what a resume needs. */
  onEpoch(metrics: EpochMetrics, next: TrainingPoint): Promise<void>;
  /** Asked after every step; true stops there, after `onStop`. */
  shouldStop(): boolean;
  onStop(point: TrainingPoint): Promise<void>;
}

export interface TrainingRun {
  /** `frozen` and the training images' side follow from `training`, epoch by epoch. */
  options: ModelOptions;
  training: Training;
  train: BatchSource;
  /** What steps are taken on where that is not `train`, which is evaluated all the same. */
  learn?: BatchSource;
  /** What becomes of the weights after the last epoch, before they are evaluated. */
  adapt?: (weights: Weights) => Promise<Weights>;
  /** Looked at after every epoch; early stopping needs it. */
  validation: BatchSource | null;
  test: BatchSource | null;
  session: Placement;
  /** Where to start: `startPoint` for a new run. */
  from: TrainingPoint;
  hooks: TrainingHooks;
}

/** What a training came to. */
export interface TrainingOutcome {
  /** Those of the last epoch; with early stopping, of the epoch with the least validation loss. */
  weights: Weights;
  /** The epoch that they are of. */
  epoch: number;
  /** The last epoch that was trained: less than planned when stopped early. */
  lastEpoch: number;
  /** Of `weights`, on the clean training images. */
  train: Evaluation;
  validation: Evaluation | null;
  test: Evaluation | null;
}

/**
 * Trains to the end, or until it is stopped early, or until `shouldStop`.
 * @returns null when `shouldStop` stopped it
 * @throws CarryoverError `bad-input` when the loss is not finite, or the weights or an evaluation
 *   after a step (names epoch, step, rate and images), when early stopping has nothing to look at, or when `fine-tuning` names no stage
 */
export async function trainRun(run: TrainingRun): Promise<TrainingOutcome | null> {
  if (run.training['early-stopping'] && !run.validation) {
    throw new CarryoverError('bad-input', 'early stopping needs a validation split', {
      wayOut: 'set data.split.validation, or leave training.early-stopping out',
    });
  }
  const evaluator = await createEvaluator(run.options, run.session);
  const loop = new Loop(run, evaluator);
  try {
    return await loop.run();
  } finally {
    await loop.close();
    await evaluator.close();
  }
}

class Loop {
  readonly #run: TrainingRun;
  readonly #evaluator: Evaluator;
  readonly #stages: readonly string[];
  /** What steps are taken on. */
  readonly #learn: BatchSource;
  readonly #stepsPerEpoch: number;
  #best: Best | null;
  /** What weights and evaluations that are not finite are put down to: the last step. */
  #moment = BEFORE_STEPS;
  /** The compiled step, and what it was compiled for. */
  #current: { trainer: Trainer; phase: Phase } | null = null;
  /** Of now; dropped once a step is taken. */
  #known: { state?: TrainingState; validation?: Evaluation | null; sides?: Sides } = {};

  constructor(run: TrainingRun, evaluator: Evaluator) {
    this.#run = run;
    this.#evaluator = evaluator;
    this.#stages = buildModel(run.options).stages;
    this.#learn = run.learn ?? run.train;
    this.#stepsPerEpoch = Math.ceil(this.#learn.count / run.options.batch);
    this.#best = run.from.best;
  }

  async run(): Promise<TrainingOutcome | null> {
    const { training, from } = this.#run;
    if (from.epoch === 0) await this.#recordStart();
    let epoch = Math.max(1, from.epoch);
    while (epoch <= training.epochs && !isExhausted(training, this.#best, epoch - 1)) {
      if (!(await this.#epoch(epoch))) return null;
      epoch += 1;
    }
    return this.#outcome(epoch - 1);
  }

  async close(): Promise<void> {
    await this.#current?.trainer.close();
  }

  async #recordStart(): Promise<void> {
    const began = performance.now();
    const metrics = { epoch: 0, trainLoss: null, learningRate: 0 };
    const found = { ...(await this.#validated()), ...(await this.#accuracies()) };
    await this.#run.hooks.onEpoch(
      { ...metrics, ...found, seconds: secondsSince(began) },
      await this.#point(1, 0, 0, 0),
    );
  }

  /** False when stopped on the way. */
  async #epoch(epoch: number): Promise<boolean> {
    const { from, hooks } = this.#run;
    const { trainer, phase } = await this.#enter(epoch);
    const resumed = epoch === from.epoch;
    let step = resumed ? from.step : 0;
    let lossSum = resumed ? from.lossSum : 0;
    const before = resumed ? from.seconds : 0;
    const began = performance.now();
    for await (const batch of this.#learn.training(epoch, step, phase.image)) {
      lossSum += await this.#step(trainer, batch, epoch, step);
      this.#learn.giveBack?.(batch);
      step += 1;
      if (step < this.#stepsPerEpoch && hooks.shouldStop()) {
        await hooks.onStop(await this.#point(epoch, step, lossSum, before + secondsSince(began)));
        return false;
      }
    }
    const found = await this.#afterEpoch(epoch);
    const metrics: EpochMetrics = {
      epoch,
      trainLoss: lossSum / step,
      ...found,
      learningRate: this.#rate(epoch, step - 1),
      seconds: before + secondsSince(began),
    };
    const next = await this.#point(epoch + 1, 0, 0, 0);
    await hooks.onEpoch(metrics, next);
    if (!this.#isLast(epoch) && hooks.shouldStop()) {
      await hooks.onStop(next);
      return false;
    }
    return true;
  }

  /** The compiled step of an epoch; compiled anew, with the state carried over, in a new phase. */
  async #enter(epoch: number): Promise<{ trainer: Trainer; phase: Phase }> {
    const { options, training, session, hooks } = this.#run;
    const phase = phaseAt(training, options.architecture, this.#stages, epoch);
    if (this.#current && samePhase(this.#current.phase, phase)) return this.#current;
    const state = await this.#state();
    await this.#current?.trainer.close();
    this.#current = null;
    hooks.onPhase?.(epoch, phase);
    const trainer = await createTrainer(
      {
        ...options,
        architecture: { ...options.architecture, image: phase.image },
        frozen: phase.frozen,
      },
      training,
      state,
      session,
    );
    this.#current = { trainer, phase };
    return this.#current;
  }

  async #step(trainer: Trainer, batch: Batch, epoch: number, step: number): Promise<number> {
    const { training, hooks } = this.#run;
    this.#known = {};
    const rate = this.#rate(epoch, step);
    const { loss } = await trainer.step(batch, rate, (stage) => {
      const epochsBefore = epoch - trainedSince(training, this.#stages, stage);
      return epochsBefore * this.#stepsPerEpoch + step + 1;
    });
    const place = { epoch, step: step + 1, rate, ids: batch.ids ?? [] };
    checkFinite('the loss', [loss], momentOf('in', place));
    this.#moment = momentOf('after', place);
    hooks.onStep({ epoch, step: step + 1, stepsPerEpoch: this.#stepsPerEpoch, loss });
    return loss;
  }

  /** What is known after an epoch; takes note when it is the best so far. */
  async #afterEpoch(epoch: number): Promise<AfterEpoch> {
    const { training } = this.#run;
    const weights = await this.#settled(epoch);
    const validated = await this.#validated();
    if (training['early-stopping'] && validated.validationLoss !== null) {
      this.#best = betterOf(this.#best, { epoch, loss: validated.validationLoss, weights });
    }
    const due = epoch % training['evaluate-every'] === 0 || this.#isLast(epoch);
    return { ...validated, ...(due ? await this.#accuracies() : NOT_EVALUATED) };
  }

  /** The weights that an epoch came to. */
  async #settled(epoch: number): Promise<Weights> {
    const { adapt } = this.#run;
    const { weights, optimiser } = await this.#state();
    checkWeights(weights, this.#moment);
    if (!adapt || !this.#isLast(epoch)) return weights;
    const adapted = await adapt(weights);
    this.#known = { state: { weights: adapted, optimiser } };
    return adapted;
  }

  async #validated(): Promise<Validated> {
    const { loss = null, accuracy = null, auc = null } = (await this.#validation()) ?? {};
    return { validationLoss: loss, validationAccuracy: accuracy, validationAuc: auc };
  }

  async #accuracies(): Promise<typeof NOT_EVALUATED> {
    const { train, test } = await this.#sides();
    return {
      trainAccuracy: train.accuracy,
      testLoss: test?.loss ?? null,
      testAccuracy: test?.accuracy ?? null,
      trainAuc: train.auc,
      testAuc: test?.auc ?? null,
    };
  }

  async #outcome(lastEpoch: number): Promise<TrainingOutcome> {
    const best = this.#best;
    if (best && best.epoch !== lastEpoch) {
      this.#known = { state: { weights: best.weights, optimiser: new Map() } };
    }
    const { weights } = await this.#state();
    const validation = await this.#validation();
    return {
      weights,
      epoch: best?.epoch ?? lastEpoch,
      lastEpoch,
      ...(await this.#sides()),
      validation,
    };
  }

  async #state(): Promise<TrainingState> {
    return (this.#known.state ??= (await this.#current?.trainer.state()) ?? this.#run.from.state);
  }

  async #validation(): Promise<Evaluation | null> {
    const { validation } = this.#run;
    this.#known.validation ??= validation && (await this.#evaluate(validation));
    return this.#known.validation;
  }

  async #sides(): Promise<Sides> {
    const { train, test } = this.#run;
    return (this.#known.sides ??= {
      train: await this.#evaluate(train),
      test: test && (await this.#evaluate(test)),
    });
  }

  async #evaluate(source: BatchSource): Promise<Evaluation> {
    const { weights } = await this.#state();
    return evaluate(this.#evaluator, weights, source, this.#run.options, this.#moment);
  }

  async #point(
    epoch: number,
    step: number,
    lossSum: number,
    seconds: number,
  ): Promise<TrainingPoint> {
    return { state: await this.#state(), epoch, step, lossSum, seconds, best: this.#best };
  }

  #rate(epoch: number, step: number): number {
    const global = (epoch - 1) * this.#stepsPerEpoch + step;
    return learningRateAt(this.#run.training, global, this.#stepsPerEpoch);
  }

  #isLast(epoch: number): boolean {
    const { training } = this.#run;
    return epoch === training.epochs || isExhausted(training, this.#best, epoch);
  }
}

const BEFORE_STEPS: Moment = {
  when: 'where this training begins',
  images: [],
  wayOut: 'start from weights that are finite',
};

type Sides = Pick<TrainingOutcome, 'train' | 'test'>;

type AfterEpoch = Omit<EpochMetrics, 'epoch' | 'trainLoss' | 'learningRate' | 'seconds'>;

type Validated = Pick<EpochMetrics, 'validationLoss' | 'validationAccuracy' | 'validationAuc'>;

const NOT_EVALUATED: Omit<AfterEpoch, keyof Validated> = {
  trainAccuracy: null,
  testLoss: null,
  testAccuracy: null,
  trainAuc: null,
  testAuc: null,
};

function secondsSince(began: number): number {
  return (performance.now() - began) / 1000;
}
