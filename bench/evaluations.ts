/**
 * Evaluations per minute of many weight sets on the same real images, as the line between two
 * networks needs them: one session, one decoded cache; with the batches kept in memory, and with
 * batches made anew for each evaluation.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { interpolate } from '../engine/analysis/interpolation.ts';
import type { Weights } from '../engine/models/registry.ts';
import { buildModel, initialise } from '../engine/models/registry.ts';
import { OnnxEvaluator } from '../engine/runtime/onnx/trainer.ts';
import { evaluate } from '../engine/train/evaluate.ts';
import type { BatchSource } from '../engine/train/loop.ts';
import { keepEvaluation } from '../host/trainer/cached-source.ts';
import { modelOptions, openLoader } from '../host/trainer/open-loader.ts';
import type { Bench, Choice, Setting } from './bench.ts';
import { SMALL, STANDARD, chosen, median, timed, titleOf } from './bench.ts';
import { jobOn, sampleImages, trainSource } from './images.ts';

const IMAGES = 256;

const SETTINGS: readonly Setting[] = [
  { ...SMALL, rounds: 20 },
  ...STANDARD.filter(({ architecture }) => architecture.image === 64),
];

interface Timing {
  name: string;
  /** One entry per weight set. */
  seconds: number[];
  perMinute: number;
}

interface Result extends Setting {
  batch: number;
  images: number;
  timings: Timing[];
}

async function measure(setting: Setting, choice: Choice): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'carryover-evaluations-'));
  const images = await sampleImages(choice.sample, IMAGES);
  const plain = { augment: 'none', shuffle: 'none' } as const;
  const job = jobOn(images, setting.architecture, choice.batch, folder, plain);
  const options = modelOptions(job);
  const { parameters } = buildModel(options);
  const ends = [initialise(parameters, 0), initialise(parameters, 1)] as const;
  const session = { threads: choice.threads, device: choice.device };
  const evaluator = await OnnxEvaluator.create(options, session);
  const loader = await openLoader(job, () => undefined);
  try {
    const source = trainSource(loader);
    const sources = { 'batches in memory': keepEvaluation(source), 'batches made anew': source };
    const evaluateOn = (weights: Weights, each: BatchSource) =>
      evaluate(evaluator, weights, each, options);
    const timings = await inTurn(Object.entries(sources), setting.rounds, ends, evaluateOn);
    return { ...setting, batch: choice.batch, images: IMAGES, timings };
  } finally {
    await loader.close();
    await evaluator.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Walks the line once, on every source at each of its points; the first point is not counted. */
async function inTurn(
  sources: readonly [string, BatchSource][],
  rounds: number,
  [a, b]: readonly [Weights, Weights],
  evaluateOn: (weights: Weights, source: BatchSource) => Promise<object>,
): Promise<Timing[]> {
  const seconds = sources.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, [, source]] of sources.entries()) {
      const one = await timed(() => evaluateOn(interpolate(a, b, round / rounds), source));
      if (round > 0) seconds[i]?.push(one.seconds);
    }
  }
  return sources.map(([name], i) => ({
    name,
    seconds: seconds[i] ?? [],
    perMinute: 60 / median(seconds[i] ?? []),
  }));
}

export const evaluations: Bench = {
  name: 'evaluations',
  about: 'evaluations per minute of many weight sets on the same images',
  async run(choice) {
    const results: Result[] = [];
    for (const setting of chosen(choice, SETTINGS)) results.push(await measure(setting, choice));
    const lines = results.flatMap(({ architecture, images, rounds, timings }) => [
      '',
      `${titleOf(architecture)}, ${images} images, ${rounds} weight sets`,
      ...timings.map(
        ({ name, perMinute }) =>
          `  ${name.padEnd(20)}${perMinute.toFixed(1).padStart(9)} evaluations/min`,
      ),
    ]);
    return { results, lines };
  },
};
