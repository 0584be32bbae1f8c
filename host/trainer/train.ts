import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import type { EpochMetrics } from '../../contract/runs.ts';
import { metadataOf, preprocessingOf } from '../../engine/checkpoints/export.ts';
import type { ParameterSpec } from '../../engine/models/model.ts';
import type { Weights } from '../../engine/models/registry.ts';
import { buildModel } from '../../engine/models/registry.ts';
import { startingFrom } from '../../engine/runtime/batch.ts';
import type { Placement } from '../../engine/runtime/devices/trainer.ts';
import { classWeightsOf } from '../../engine/train/class-weights.ts';
import { withCoralHead } from '../../engine/train/coral-head.ts';
import type {
  BatchSource,
  TrainingOutcome,
  TrainingPoint,
  TrainingRun,
} from '../../engine/train/loop.ts';
import { startPoint, trainRun } from '../../engine/train/loop.ts';
import type { Phase } from '../../engine/train/phases.ts';
import { recalibrate } from '../../engine/train/recalibrate.ts';
import { shufflePermutation } from '../../engine/transforms/shuffle.ts';
import { RateMeter } from '../jobs/rate.ts';
import { packageVersion } from '../packages.ts';
import type { SplitName } from './batches.ts';
import type { Journal } from './journal.ts';
import { readJournal, writeJournal, writeLogits, writeWeights } from './journal.ts';
import { withLearnt, type LearningJob } from './learnt.ts';
import { modelOptions, openLoader } from './open-loader.ts';
import type { TrainerJob, TrainerMessage, WrittenFile } from './protocol.ts';
import { startOf } from './start.ts';

const TELL_EVERY_MS = 250;

/** All but the source: what of it is learnt from is among `learn`. */
const TRAINED_ON: SplitName[] = ['train', 'learn', 'validation', 'test'];

type Send = (message: TrainerMessage) => void;

/** Trains a job to its end, or to a pause; reports by `send`. */
export async function train(given: TrainerJob, send: Send, pausing: () => boolean): Promise<void> {
  const job = await withLearnt(given, send, true);
  const loader = await openLoader(job, send, { only: TRAINED_ON });
  try {
    const run = await RunUnderWay.open(job, send);
    const train = loader.source('train');
    if (!train) throw new Error('a job has training images');
    const learn = loader.source('learn');
    const adapt = adaptation(job, { source: learn ?? train, target: train });
    const outcome = await trainRun({
      options: modelOptions(job),
      training: job.training,
      train,
      ...(learn && { learn }),
      ...(adapt && { adapt }),
      validation: loader.source('validation'),
      test: loader.source('test'),
      session: trainerSettings(job),
      from: run.journal.point,
      hooks: {
        onPhase: (epoch, phase) => run.phase(epoch, phase),
        onStep: (step) => run.step(step),
        onEpoch: (metrics, next) => run.epoch(metrics, next),
        shouldStop: pausing,
        onStop: (point) => run.pause(point),
      },
    });
    if (outcome) await run.finish(outcome);
  } finally {
    await loader.close();
  }
}

/** One run under way: its journal, and what is told about it. */
class RunUnderWay {
  readonly journal: Journal;
  readonly #job: LearningJob;
  readonly #send: Send;
  readonly #parameters: readonly ParameterSpec[];
  readonly #meter = new RateMeter();
  #told = 0;

  private constructor(
    job: LearningJob,
    send: Send,
    parameters: readonly ParameterSpec[],
    journal: Journal,
  ) {
    this.#job = job;
    this.#send = send;
    this.#parameters = parameters;
    this.journal = journal;
  }

  static async open(job: LearningJob, send: Send): Promise<RunUnderWay> {
    const { parameters } = buildModel(modelOptions(job));
    const found = await readJournal(job.folder);
    const note = (text: string): void => send({ type: 'note', text });
    const { device } = job;
    const point = found?.point ?? (await beginning(job, parameters, note));
    const journal = { curve: [], files: [], ...found, point, device };
    if (found && found.device !== device) {
      note(`begun on ${found.device}, went on with ${device}: not what either alone would give`);
    }
    for (const metrics of journal.curve) send({ type: 'epoch', metrics, resumed: true });
    const { image, channels } = job.architecture;
    const plan = shufflePermutation(job.shuffle, image, channels, job.seed);
    if (plan?.identity) {
      note(
        `shuffle ${job.shuffle} with seed ${job.seed} is the identity: these images are not shuffled`,
      );
    }
    return new RunUnderWay(job, send, parameters, journal);
  }

  /** Said of runs that have more than one. */
  phase(epoch: number, { image, frozen }: Phase): void {
    const { training, architecture } = this.#job;
    const usual = frozen.size === 0 && image === architecture.image;
    if (usual && epoch === 1) return;
    const sized = training['image-sizes'].length > 0 ? [`images of ${image} px`] : [];
    const held = frozen.size > 0 ? `frozen: ${[...frozen].join(', ')}` : 'nothing frozen';
    this.#send({ type: 'note', text: `from epoch ${epoch} on: ${[...sized, held].join('; ')}` });
  }

  step(step: { epoch: number; step: number; stepsPerEpoch: number; loss: number }): void {
    const { training, train, learn = train } = this.#job;
    const images = learn.imageIds.length;
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
      await this.#keepWeights(epoch, next.state.weights);
    }
    this.journal.curve.push(metrics);
    this.journal.point = next;
    await writeJournal(this.#job.folder, this.journal);
    this.#send({ type: 'epoch', metrics, resumed: false });
  }

  async pause(point: TrainingPoint): Promise<void> {
    this.journal.point = point;
    await writeJournal(this.#job.folder, this.journal);
    this.#send({ type: 'paused', epoch: point.epoch - 1 });
  }

  async finish({ epoch, lastEpoch, weights, train, test }: TrainingOutcome): Promise<void> {
    const { folder, training } = this.#job;
    await this.#keepWeights(epoch, weights);
    const files: WrittenFile[] = [...this.journal.files];
    files.push(await writeLogits(folder, epoch, 'train', train.logits));
    if (test) files.push(await writeLogits(folder, epoch, 'test', test.logits));
    const result = files.find((file) => file.kind === 'weights' && file.epoch === epoch);
    const stopping = training['early-stopping'];
    if (stopping) this.#send({ type: 'note', text: stopText(epoch, lastEpoch, training.epochs) });
    this.#send({
      type: 'done',
      files,
      bestEpoch: stopping ? epoch : null,
      weightsHash: result?.sha256 ?? '',
      device: this.#job.device,
      versions: versions(this.#job),
    });
  }

  async #keepWeights(epoch: number, weights: Weights): Promise<void> {
    const { folder, runId, architecture, classNames, recipe } = this.#job;
    const preprocessing = preprocessingOf(recipe, architecture.image);
    const metadata = { run: runId, ...metadataOf({ architecture, classNames, preprocessing }) };
    const file = await writeWeights(folder, epoch, this.#parameters, weights, metadata);
    this.journal.files = [...this.journal.files.filter(({ name }) => name !== file.name), file];
  }
}

function stopText(best: number, last: number, planned: number): string {
  const ended =
    last < planned
      ? `stopped early, after epoch ${last} of ${planned}`
      : `trained all ${planned} epochs`;
  return `${ended}; the result is epoch ${best}, which has the least validation loss`;
}

async function beginning(
  job: TrainerJob,
  parameters: readonly ParameterSpec[],
  note: (text: string) => void,
): Promise<TrainingPoint> {
  const { weights, notes } = await startOf(job, parameters);
  notes.forEach(note);
  return startPoint(startingFrom(weights));
}

/** What becomes of a network after its last epoch; it sees no label of the target. */
function adaptation(
  job: TrainerJob,
  images: { source: BatchSource; target: BatchSource },
): TrainingRun['adapt'] {
  const settings = { threads: availableParallelism() };
  const options = modelOptions(job);
  switch (job.source?.way) {
    case 'coral':
      return (weights) => withCoralHead(options, weights, images, settings);
    case 'adabn':
      return (weights) => recalibrate(options, weights, images.target, settings);
    default:
      return undefined;
  }
}

/** Where and how a job computes. Class weights are over what is learnt from. */
export function trainerSettings(job: LearningJob): Placement {
  const { loss } = job.training;
  return {
    device: job.device,
    threads: availableParallelism(),
    classWeights: job.train.findings
      ? null
      : classWeightsOf(loss['class-weights'], job.classNames, (job.learn ?? job.train).labels),
  };
}

function versions({ adapter }: TrainerJob): Record<string, string> {
  return {
    ...(adapter === '' ? {} : { adapter }),
    node: process.versions.node,
    'onnxruntime-node': ort.env.versions.node ?? 'unknown',
    sharp: packageVersion('sharp') ?? 'unknown',
  };
}
