/**
 * What real images cost a training step: batches from the loader (decoded cache, augmentation,
 * shuffle, on its own thread) beside batches that are in memory already. Blocks of steps of each
 * take turns; a block begins with no batch made ahead, and its seconds are per step.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Recipe, Shuffle } from '../contract/study.ts';
import { buildModel, initialise } from '../engine/models/registry.ts';
import type { Batch } from '../engine/runtime/batch.ts';
import { startingFrom } from '../engine/runtime/batch.ts';
import { OnnxTrainer } from '../engine/runtime/onnx/trainer.ts';
import type { Loader } from '../host/trainer/loader.ts';
import { modelOptions, openLoader } from '../host/trainer/open-loader.ts';
import type { Bench, Choice, Setting } from './bench.ts';
import { SMALL, STANDARD, chosen, median, timed, titleOf } from './bench.ts';
import type { BenchJob } from './images.ts';
import { jobOn, sampleImages, trainSource } from './images.ts';
import { RATE } from './network.ts';

interface Blocks extends Setting {
  /** Steps of a block. */
  steps: number;
}

const SETTINGS: readonly Blocks[] = [
  { ...SMALL, rounds: 9, steps: 40 },
  ...STANDARD.filter(({ architecture }) => architecture.image === 64).map((setting) => ({
    ...setting,
    rounds: 5,
    steps: 8,
  })),
];

interface Variant {
  name: string;
  augment: Recipe['augment'];
  shuffle: Shuffle;
}

const PLAIN = { flip: true, shift: 4 };
const BLOCK = 8;

/** The first one's batches are those in memory as well. */
const VARIANTS: readonly Variant[] = [
  { name: 'real images', augment: PLAIN, shuffle: 'none' },
  { name: `block shuffle (${BLOCK} px)`, augment: PLAIN, shuffle: BLOCK },
  { name: 'pixel shuffle', augment: PLAIN, shuffle: 'pixel' },
  {
    name: 'random resized crop',
    augment: { flip: true, 'random-resized-crop': { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] } },
    shuffle: 'none',
  },
];

interface Timing {
  name: string;
  /** Of a step, one entry per block. */
  seconds: number[];
  median: number;
  /** To batches in memory: median over the rounds of the quotients within a round. */
  ratio: number;
  /** Processor seconds of a step, on all threads: median, and as a ratio. Other work hardly shows. */
  cpu: number;
  cpuRatio: number;
}

/** Of one step. */
interface Sample {
  seconds: number;
  cpu: number;
}

interface Result extends Setting {
  batch: number;
  images: number;
  steps: number;
  timings: Timing[];
  /** Step with block shuffle over step without. */
  shuffleRatio: number;
  /** Seconds to open the images: decoding them, and once they are in the cache. */
  open: { first: number; again: number };
}

interface Source {
  name: string;
  batches(): AsyncIterable<Batch> | Iterable<Batch>;
  /** After a step, as a training does; nothing where the batches are kept. */
  done(batch: Batch): void;
}

async function measure(setting: Setting | Blocks, choice: Choice): Promise<Result> {
  const steps = 'steps' in setting ? setting.steps : 8;
  const folder = await mkdtemp(join(tmpdir(), 'carryover-input-'));
  const loaders: Loader[] = [];
  try {
    const images = await sampleImages(choice.sample, steps * choice.batch);
    const jobs = VARIANTS.map((variant) =>
      jobOn(images, setting.architecture, choice.batch, folder, variant),
    );
    const open = await openTwice(jobs[0] as BenchJob);
    for (const job of jobs) loaders.push(await openLoader(job, () => undefined));
    const sources = await sourcesOf(loaders, setting);
    const samples = await inTurn(sources, jobs[0] as BenchJob, setting.rounds, choice);
    const timings = sources.map(({ name }, i) => timing(name, samples[i] ?? [], samples[0] ?? []));
    const shuffled = quotients(timings[2]?.seconds ?? [], timings[1]?.seconds ?? []);
    return {
      ...{ architecture: setting.architecture, rounds: setting.rounds, steps, open, timings },
      batch: choice.batch,
      images: images.items.places.length,
      shuffleRatio: median(shuffled),
    };
  } finally {
    await Promise.all(loaders.map((loader) => loader.close()));
    await rm(folder, { recursive: true, force: true });
  }
}

async function openTwice(job: BenchJob): Promise<Result['open']> {
  const open = async (): Promise<number> => {
    const { seconds, result } = await timed(() => openLoader(job, () => undefined));
    await result.close();
    return seconds;
  };
  return { first: await open(), again: await open() };
}

async function sourcesOf(loaders: readonly Loader[], { architecture }: Setting): Promise<Source[]> {
  const sources = loaders.map((loader, i) => {
    const source = trainSource(loader);
    return {
      name: VARIANTS[i]?.name ?? '',
      batches: () => source.training(1, 0, architecture.image),
      done: (batch: Batch) => source.giveBack?.(batch),
    };
  });
  const kept: Batch[] = [];
  for (const { batches } of sources.slice(0, 1)) {
    for await (const batch of batches()) kept.push(batch);
  }
  return [{ name: 'in memory', batches: () => kept, done: () => undefined }, ...sources];
}

async function inTurn(
  sources: readonly Source[],
  job: BenchJob,
  rounds: number,
  { threads, device }: Choice,
): Promise<Sample[][]> {
  const options = modelOptions(job);
  const weights = initialise(buildModel(options).parameters, 0);
  const session = { threads, device };
  const trainer = await OnnxTrainer.create(options, job.training, startingFrom(weights), session);
  const samples = sources.map((): Sample[] => []);
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const [i, source] of sources.entries()) {
        const each = await block(source, trainer);
        if (round > 0) samples[i]?.push(each);
      }
    }
  } finally {
    await trainer.close();
  }
  return samples;
}

/** Of a step, over all batches of the source. */
async function block(source: Source, trainer: OnnxTrainer): Promise<Sample> {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  let steps = 0;
  for await (const batch of source.batches()) {
    steps += 1;
    await trainer.step(batch, RATE / 100, () => steps);
    source.done(batch);
  }
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - start) / 1000 / steps;
  return { seconds, cpu: (user + system) / 1e6 / steps };
}

function timing(name: string, samples: readonly Sample[], inMemory: readonly Sample[]): Timing {
  const column = (rows: readonly Sample[], key: keyof Sample): number[] =>
    rows.map((row) => row[key]);
  const ratio = (key: keyof Sample): number =>
    median(quotients(column(samples, key), column(inMemory, key)));
  return {
    name,
    seconds: column(samples, 'seconds'),
    median: median(column(samples, 'seconds')),
    ratio: ratio('seconds'),
    cpu: median(column(samples, 'cpu')),
    cpuRatio: ratio('cpu'),
  };
}

function quotients(above: readonly number[], below: readonly number[]): number[] {
  return above.map((value, round) => value / (below[round] ?? NaN));
}

export const input: Bench = {
  name: 'input',
  about: 'a training step on real images beside batches in memory, with and without shuffle',
  async run(choice) {
    const results: Result[] = [];
    for (const setting of chosen(choice, SETTINGS)) results.push(await measure(setting, choice));
    return { results, lines: results.flatMap(linesOf) };
  },
};

function linesOf({ architecture, batch, images, steps, timings, ...result }: Result): string[] {
  const { first, again } = result.open;
  return [
    '',
    `${titleOf(architecture)}, batch ${batch}, ${result.rounds} rounds of ${steps} steps`,
    ...timings.map(({ name, median: seconds, ratio, cpu, cpuRatio }) => {
      const milliseconds = (value: number): string => (value * 1000).toFixed(2).padStart(10);
      const [wall, used] = [milliseconds(seconds), milliseconds(cpu)];
      const ratios = `${ratio.toFixed(3)} x in memory, processor ${cpuRatio.toFixed(3)} x`;
      return `  ${name.padEnd(24)}${wall} ms${used} ms of processor   ${ratios}`;
    }),
    `  block shuffle / no shuffle ${result.shuffleRatio.toFixed(3)}`,
    `  opening ${images} images: ${first.toFixed(2)} s, from the cache ${again.toFixed(2)} s`,
  ];
}
