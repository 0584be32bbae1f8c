import { CarryoverError } from '../../contract/errors.ts';
import type { Training } from '../../contract/study.ts';
import type { ModelOptions } from '../models/model.ts';
import type { Weights } from '../models/registry.ts';
import { buildModel } from '../models/registry.ts';
import type { Batch } from '../runtime/batch.ts';
import { startingFrom } from '../runtime/batch.ts';
import type { Placement } from '../runtime/devices/trainer.ts';
import { createTrainer } from '../runtime/devices/trainer.ts';
import type { BatchSource } from './loop.ts';
import { phaseAt } from './phases.ts';

/** The sweep ends once the mean of its losses, the past weighing this much, is so much worse than the best. */
const PAST = 0.98;
const EXPLOSION = 4;
/** Of the points: how far to each side the loss is averaged, and how far a slope is fitted. */
const AVERAGED = 1 / 40;
const FITTED = 1 / 8;
/** Standard errors that a slope must be below zero, so that it is no chance of the batches. */
const CERTAIN = 3;

/** Rates of a sweep: `steps` of them, in equal ratios from `from` to `to`. */
export interface SweepSettings {
  from: number;
  to: number;
  steps: number;
}

/**
 * Long enough that a network moves at each rate: fastai's 100 steps from 1e-7 show a fall where
 * only a head is trained, but not where a network starts at random (docs/measurements.md).
 */
export const DEFAULT_SWEEP: SweepSettings = { from: 1e-5, to: 10, steps: 300 };

/** What a sweep over learning rates found; arrays in the order of the steps. */
export interface RateSweep {
  rates: number[];
  /** Of each step's batch, before the step. */
  losses: number[];
  /** Mean of the losses around each step. */
  smoothed: number[];
  /** Where the loss falls fastest; null when it falls no more than batches differ. */
  suggestion: number | null;
  /** The reason, in a sentence. */
  why: string;
}

/**
 * Learning-rate range test (Smith, arXiv 1506.01186): each step at a higher rate, until the running
 * mean of the loss exceeds four times its best (fastai's rule) or is no number. The suggestion is
 * where the loss falls fastest per logarithm of the rate on its way to its least value, by a line
 * fitted around each step: fastai's exponential mean lags behind the rate, by most of a decade.
 * @param step trains at a rate; `index` counts from 0; gives the loss before the step
 */
export async function sweepRates(
  step: (rate: number, index: number) => Promise<number>,
  { from, to, steps }: SweepSettings = DEFAULT_SWEEP,
): Promise<RateSweep> {
  if (!(from > 0 && to > from && Number.isInteger(steps) && steps >= 2)) {
    throw new CarryoverError('bad-input', `no sweep goes from ${from} to ${to} in ${steps} steps`, {
      wayOut: 'give two rates above 0, the lower one first, and at least 2 steps',
    });
  }
  const rates: number[] = [];
  const losses: number[] = [];
  let mean = 0;
  let best = Infinity;
  let rate = from;
  let exploded = false;
  for (let index = 0; index < steps && !exploded; index++) {
    rate = from * (to / from) ** (index / (steps - 1));
    const loss = await step(rate, index);
    mean = PAST * mean + (1 - PAST) * loss;
    const running = mean / (1 - PAST ** (index + 1));
    best = Math.min(best, running);
    exploded = !(running <= EXPLOSION * best);
    if (!Number.isFinite(loss)) break;
    rates.push(rate);
    losses.push(loss);
  }
  const smoothed = averaged(losses, Math.max(1, Math.round(losses.length * AVERAGED)));
  const suggestion = steepest(rates, losses, smoothed);
  return { rates, losses, smoothed, suggestion, why: reason(suggestion, exploded, rate) };
}

function reason(suggestion: number | null, exploded: boolean, last: number): string {
  const end = `${exploded ? 'it explodes' : 'the sweep ends'} at ${shown(last)}`;
  if (suggestion !== null) return `the loss falls fastest at ${shown(suggestion)}; ${end}`;
  const hint = exploded ? ': try a tenth of that' : '';
  return `the loss falls no more than batches differ; ${end}${hint}`;
}

/** The mean of each value and its neighbours, as many on both sides. */
function averaged(values: readonly number[], reach: number): number[] {
  return values.map((_, i) => {
    const half = Math.min(reach, i, values.length - 1 - i);
    const near = values.slice(i - half, i + half + 1);
    return near.reduce((sum, value) => sum + value, 0) / near.length;
  });
}

/** The rate around which the loss surely falls most, before its least smoothed value. */
function steepest(rates: number[], losses: number[], smoothed: number[]): number | null {
  const logs = rates.map(Math.log);
  const end = smoothed.indexOf(Math.min(...smoothed));
  const reach = Math.max(1, Math.round(losses.length * FITTED));
  let least = 0;
  let found: number | null = null;
  for (let i = reach; i + reach <= end; i++) {
    const { slope, error } = fitLine(
      logs.slice(i - reach, i + reach + 1),
      losses.slice(i - reach, i + reach + 1),
    );
    if (slope < least && slope < -CERTAIN * error) [least, found] = [slope, rates[i] ?? null];
  }
  return found;
}

/** Slope of the least-squares line through the points, and its standard error. */
function fitLine(x: readonly number[], y: readonly number[]): { slope: number; error: number } {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [middleX, middleY] = [mean(x), mean(y)];
  const spread = x.reduce((sum, each) => sum + (each - middleX) ** 2, 0);
  const slope =
    x.reduce((sum, each, i) => sum + (each - middleX) * ((y[i] ?? 0) - middleY), 0) / spread;
  const rest = x.reduce(
    (sum, each, i) => sum + ((y[i] ?? 0) - middleY - slope * (each - middleX)) ** 2,
    0,
  );
  return { slope, error: Math.sqrt(rest / Math.max(1, x.length - 2) / spread) };
}

function shown(rate: number): string {
  return rate.toPrecision(2);
}

export interface RateSearch {
  options: ModelOptions;
  /** As the training would be: its optimiser, its loss, what is frozen in its first epoch. */
  training: Training;
  /** Where every search starts; not changed. */
  weights: Weights;
  train: BatchSource;
  session: Placement;
  sweep?: SweepSettings;
  onStep?(step: { step: number; steps: number; rate: number; loss: number }): void;
}

/** The range test on a network's training batches; what it trains is thrown away. */
export async function findRate(search: RateSearch): Promise<RateSweep> {
  const { options, training, weights, train, session, sweep = DEFAULT_SWEEP } = search;
  const { stages } = buildModel(options);
  const { image, frozen } = phaseAt(training, options.architecture, stages, 1);
  const trainer = await createTrainer(
    { ...options, architecture: { ...options.architecture, image }, frozen },
    training,
    startingFrom(weights),
    session,
  );
  const batches = endless(train, image);
  try {
    return await sweepRates(async (rate, index) => {
      const { value: batch } = await batches.next();
      const { loss } = await trainer.step(batch, rate, () => index + 1);
      train.giveBack?.(batch);
      search.onStep?.({ step: index + 1, steps: sweep.steps, rate, loss });
      return loss;
    }, sweep);
  } finally {
    await batches.return(undefined as never);
    await trainer.close();
  }
}

/** Epoch after epoch. */
async function* endless(train: BatchSource, image: number): AsyncGenerator<Batch, never> {
  for (let epoch = 1; ; epoch++) yield* train.training(epoch, 0, image);
}
