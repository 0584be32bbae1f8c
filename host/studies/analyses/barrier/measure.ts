import { availableParallelism } from 'node:os';
import { CarryoverError } from '../../../../contract/errors.ts';
import {
  boundaryShares,
  lengthBetween,
  mixed,
  movedOn,
  shaken,
  uniformShares,
  type BasinLosses,
} from '../../../../engine/analysis/basin.ts';
import { interpolate } from '../../../../engine/analysis/interpolation.ts';
import type { Weights } from '../../../../engine/models/registry.ts';
import { stream } from '../../../../engine/random/streams.ts';
import { recalibrate } from '../../../../engine/train/recalibrate.ts';
import type { NetworkRef } from '../definition.ts';
import type { ImagesRef, Lab, Measure } from '../lab.ts';

/** Uniform points of a set of networks, and ways out of it per delta and condition. */
const INSIDE = 24;
const WAYS_OUT = 8;
/** Deltas, as shares of the mean distance between networks. */
const DELTAS = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4];
const SEED = 0;

export interface BarrierJob {
  train: ImagesRef;
  test: ImagesRef;
  lambdas: number[];
  pairs: { a: NetworkRef; b: NetworkRef }[];
  /** Running statistics are made anew on the training images at every point. */
  recalibrated: boolean;
  /** Runs of one start each, whose basin is estimated. */
  basins: { arm: string; networks: NetworkRef[] }[];
}

/** null: some number was not finite. */
export type Scored = { loss: number; accuracy: number } | null;

/** In the order of the lambdas. */
export interface MeasuredLine {
  train: Scored[];
  test: Scored[];
}

export interface BarrierMeasured {
  /** Images that were drawn. */
  images: { train: number; test: number };
  lines: MeasuredLine[];
  /** null: a loss was not finite. */
  basins: { arm: string; networks: number; distance: number; losses: BasinLosses | null }[];
}

export const measure: Measure<BarrierJob, BarrierMeasured> = async (job, lab) => {
  const perBasin = INSIDE + 2 * WAYS_OUT * DELTAS.length;
  const total = 2 * job.pairs.length * job.lambdas.length + job.basins.length * perBasin;
  let done = 0;
  const step = (): void => lab.tell('between networks', done++, total, 'evaluations');
  const lines: MeasuredLine[] = [];
  for (const { a, b } of job.pairs) {
    const key = `line ${a.run}@${a.epoch} ${b.run}@${b.epoch}`;
    lines.push(await lab.memo(key, () => walk(job, lab, a, b, step)));
    done = 2 * lines.length * job.lambdas.length;
  }
  const basins: BarrierMeasured['basins'] = [];
  for (const basin of job.basins) {
    basins.push(await lab.memo(`basin ${basin.arm}`, () => basinLosses(job, lab, basin, step)));
  }
  const images = { train: lab.rows(job.train).length, test: lab.rows(job.test).length };
  return { images, lines, basins };
};

async function walk(
  job: BarrierJob,
  lab: Lab,
  a: NetworkRef,
  b: NetworkRef,
  step: () => void,
): Promise<MeasuredLine> {
  const line: MeasuredLine = { train: [], test: [] };
  const [from, to] = [await lab.weights(a), await lab.weights(b)];
  for (const lambda of job.lambdas) {
    const weights = await ready(job, lab, interpolate(from, to, lambda));
    for (const split of ['train', 'test'] as const) {
      step();
      line[split].push(await scored(lab, weights, job[split]));
    }
  }
  return line;
}

async function ready(job: BarrierJob, lab: Lab, weights: Weights): Promise<Weights> {
  if (!job.recalibrated) return weights;
  const settings = { threads: availableParallelism() };
  const source = await lab.source(job.train);
  return recalibrate(lab.options(job.train.run), weights, source, settings);
}

/** Far outside, logits may overflow; that is for the figure to tell. */
async function scored(lab: Lab, weights: Weights, images: ImagesRef): Promise<Scored> {
  try {
    const { loss, accuracy } = await lab.evaluate(weights, images);
    return { loss, accuracy };
  } catch (error) {
    if (error instanceof CarryoverError && error.code === 'bad-input') return null;
    throw error;
  }
}

async function basinLosses(
  job: BarrierJob,
  lab: Lab,
  { arm, networks: refs }: BarrierJob['basins'][number],
  step: () => void,
): Promise<BarrierMeasured['basins'][number]> {
  const networks: Weights[] = [];
  for (const ref of refs) networks.push(await lab.weights(ref));
  const parameters = lab.parameters(refs[0]!.run);
  const random = stream(SEED, 'basin', arm);
  const uniform = (): number[] => uniformShares(networks.length, random);
  const lossOf = async (weights: Weights): Promise<number> => {
    step();
    return (await scored(lab, await ready(job, lab, weights), job.train))?.loss ?? NaN;
  };
  const distance = meanDistance(networks, parameters);
  const inside: number[] = [];
  for (let i = 0; i < INSIDE; i++) inside.push(await lossOf(mixed(networks, uniform())));
  const beyond: BasinLosses['beyond'][number][] = [];
  for (const share of DELTAS) {
    const delta = share * distance;
    const [noise, line]: [number[], number[]] = [[], []];
    for (let way = 0; way < WAYS_OUT; way++) {
      const [from, through] = [uniform(), uniform()];
      const start = mixed(networks, from);
      const edge = mixed(networks, boundaryShares(from, through));
      noise.push(await lossOf(shaken(edge, delta, parameters, random)));
      line.push(await lossOf(movedOn(start, edge, delta * Math.abs(random.normal()), parameters)));
    }
    beyond.push({ delta, noise, line });
  }
  const all = [...inside, ...beyond.flatMap(({ noise, line }) => [...noise, ...line])];
  const losses = all.every(Number.isFinite) ? { inside, beyond } : null;
  return { arm, networks: networks.length, distance, losses };
}

function meanDistance(
  networks: readonly Weights[],
  parameters: Parameters<typeof lengthBetween>[2],
): number {
  const all = networks.flatMap((a, i) =>
    networks.slice(i + 1).map((b) => lengthBetween(a, b, parameters)),
  );
  return all.reduce((sum, length) => sum + length, 0) / all.length;
}
