import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import sharp from 'sharp';
import type { EpochMetrics } from '../../contract/runs.ts';
import type { ModelOptions, ParameterSpec } from '../../engine/models/model.ts';
import { buildModel } from '../../engine/models/registry.ts';
import type { TrainingOutcome, TrainingPoint } from '../../engine/train/loop.ts';
import { trainRun } from '../../engine/train/loop.ts';
import { shufflePermutation } from '../../engine/transforms/shuffle.ts';
import { RateMeter } from '../jobs/rate.ts';
import type { Journal } from './journal.ts';
import { readJournal, writeJournal, writeLogits, writeWeights } from './journal.ts';
import { CHANNELS, modelOptions, openLoader } from './open-loader.ts';
import type { TrainerJob, TrainerMessage, WrittenFile } from './protocol.ts';
import { startWeights } from './start.ts';

const TELL_EVERY_MS = 250;

type Send = (message: TrainerMessage) => void;

/** Trains a job to its end, or to a pause; reports by `send`. */
export async function train(job: TrainerJob, send: Send, pausing: () => boolean): Promise<void> {
  const loader = await openLoader(job, send);
  try {
    const session = await Session.open(job, send);
    const outcome = await trainRun({
      options: session.options,
      training: job.training,
      train: loader.source('train', job.train.labels.length),
      test: job.test && loader.source('test', job.test.labels.length),
      threads: availableParallelism(),
      from: session.journal.point,
      hooks: {
        onStep: (step) => session.step(step),
        onEpoch: (metrics, next) => session.epoch(metrics, next),
        shouldStop: pausing,
        onStop: (point) => session.pause(point),
      },
    });
    if (outcome) await session.finish(outcome);
  } finally {
    await loader.close();
  }
}

/** One run under way: its journal, and what is told about it. */
class Session {
  readonly options: ModelOptions;
  readonly journal: Journal;
  readonly #job: TrainerJob;
  readonly #send: Send;
  readonly #parameters: readonly ParameterSpec[];
  readonly #meter = new RateMeter();
  #told = 0;

  private constructor(
    job: TrainerJob,
    send: Send,
    options: ModelOptions,
    parameters: readonly ParameterSpec[],
    journal: Journal,
  ) {
    this.#job = job;
    this.#send = send;
    this.options = options;
    this.#parameters = parameters;
    this.journal = journal;
  }

  static async open(job: TrainerJob, send: Send): Promise<Session> {
    const options = modelOptions(job);
    const { parameters } = buildModel(options);
    const found = await readJournal(job.folder);
    const journal = found ?? { curve: [], files: [], point: await startPoint(job, parameters) };
    for (const metrics of journal.curve) send({ type: 'epoch', metrics, resumed: true });
    const plan = shufflePermutation(job.shuffle, job.architecture.image, CHANNELS, job.seed);
    if (plan?.identity) {
      send({
        type: 'note',
        text: `shuffle ${job.shuffle} with seed ${job.seed} is the identity: these images are not shuffled`,
      });
    }
    return new Session(job, send, options, parameters, journal);
  }

  step(step: { epoch: number; step: number; stepsPerEpoch: number; loss: number }): void {
    const { training, train } = this.#job;
    const images = train.labels.length;
    const done = (step.epoch - 1) * images + Math.min(step.step * training.batch, images);
    const { rate, secondsLeft } = this.#meter.update(done, training.epochs * images);
    const now = performance.now();
    if (now - this.#told < TELL_EVERY_MS) return;
    this.#told = now;
    this.#send({ type: 'step', ...step, imagesPerSecond: rate, secondsLeft });
  }

  async epoch(metrics: EpochMetrics, next: TrainingPoint): Promise<void> {
    const { epoch } = metrics;
    const { keepEpochs, training } = this.#job;
    if (epoch === 0 || epoch === training.epochs || keepEpochs.includes(epoch)) {
      await this.#keepWeights(epoch, next);
    }
    this.journal.curve.push(metrics);
    this.journal.point = next;
    await writeJournal(this.#job.folder, this.#parameters, this.journal);
    this.#send({ type: 'epoch', metrics, resumed: false });
  }

  async pause(point: TrainingPoint): Promise<void> {
    this.journal.point = point;
    await writeJournal(this.#job.folder, this.#parameters, this.journal);
    this.#send({ type: 'paused', epoch: point.epoch - 1 });
  }

  async finish(outcome: TrainingOutcome): Promise<void> {
    const { folder, training } = this.#job;
    const files: WrittenFile[] = [...this.journal.files];
    files.push(await writeLogits(folder, training.epochs, 'train', outcome.trainLogits));
    if (outcome.testLogits) {
      files.push(await writeLogits(folder, training.epochs, 'test', outcome.testLogits));
    }
    const last = files.find((file) => file.kind === 'weights' && file.epoch === training.epochs);
    this.#send({
      type: 'done',
      files,
      weightsHash: last?.sha256 ?? '',
      device: 'cpu',
      versions: versions(),
    });
  }

  async #keepWeights(epoch: number, { state }: TrainingPoint): Promise<void> {
    const { folder, runId, architecture, classNames } = this.#job;
    const metadata = {
      run: runId,
      architecture: JSON.stringify(architecture),
      classes: JSON.stringify(classNames),
    };
    const file = await writeWeights(folder, epoch, this.#parameters, state.weights, metadata);
    this.journal.files = [...this.journal.files.filter(({ name }) => name !== file.name), file];
  }
}

async function startPoint(
  job: TrainerJob,
  parameters: readonly ParameterSpec[],
): Promise<TrainingPoint> {
  const weights = await startWeights(job, parameters);
  const momentum = new Map(
    [...weights].map(([name, data]) => [name, new Float32Array(data.length)]),
  );
  return { state: { weights, momentum }, epoch: 0, step: 0, lossSum: 0, seconds: 0 };
}

function versions(): Record<string, string> {
  return {
    node: process.versions.node,
    'onnxruntime-node': ort.env.versions.node ?? 'unknown',
    sharp: sharp.versions.sharp ?? 'unknown',
  };
}
