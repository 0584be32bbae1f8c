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

/** Share of the past in the smoothed loss, and how much worse than the best it may become. */
const SMOOTHING = 0.98;
const EXPLOSION = 4;
/** Of the points: the first tenth and the last five say nothing about where the loss falls. */
const SETTLING = 0.1;
const LAST = 5;

/** Rates of a sweep: `steps` of them, in equal ratios from `from` to `to`. */
export interface SweepSettings {
  from: number;
  to: number;
  steps: number;
}

/** fastai's range. */
export const DEFAULT_SWEEP: SweepSettings = { from: 1e-7, to: 10, steps: 100 };

/** What a sweep over learning rates found; arrays in the order of the steps. */
export interface RateSweep {
  rates: number[];
  /** Of each step's batch, before the step. */
  losses: number[];
  /** Exponential mean of the losses, corrected for its start. */
  smoothed: number[];
  /** Where the smoothed loss falls fastest; null when it does not fall. */
  suggestion: number | null;
  /** The reason, in a sentence. */
  why: string;
}

/**
 * Learning-rate range test (Smith, arXiv 1506.01186) as fastai's `lr_find` does it: each step at a
 * higher rate, until the smoothed loss exceeds four times its best or stops being a number; the
 * suggestion is where it falls fastest per logarithm of the rate.
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
  const swept: Swept = { rates: [], losses: [], smoothed: [] };
  let mean = 0;
  let best = Infinity;
  let rate = from;
  let exploded = false;
  for (let index = 0; index < steps && !exploded; index++) {
    rate = from * (to / from) ** (index / (steps - 1));
    const loss = await step(rate, index);
    mean = SMOOTHING * mean + (1 - SMOOTHING) * loss;
    const smooth = mean / (1 - SMOOTHING ** (index + 1));
    best = Math.min(best, smooth);
    exploded = !(smooth <= EXPLOSION * best);
    if (!Number.isFinite(loss)) break;
    swept.rates.push(rate);
    swept.losses.push(loss);
    swept.smoothed.push(smooth);
  }
  const suggestion = steepest(swept);
  const falls = suggestion === null ? 'falls nowhere' : `falls fastest at ${shown(suggestion)}`;
  const end = `${exploded ? 'it explodes' : 'the sweep ends'} at ${shown(rate)}`;
  return { ...swept, suggestion, why: `the loss ${falls}; ${end}` };
}

type Swept = Pick<RateSweep, 'rates' | 'losses' | 'smoothed'>;

/** The rate from which the smoothed loss falls most per logarithm of the rate. */
function steepest({ rates, smoothed }: Swept): number | null {
  const first = Math.floor(rates.length * SETTLING);
  let least = 0;
  let found: number | null = null;
  for (let i = first; i + 1 < rates.length - LAST; i++) {
    const [rate, next] = [rates[i] ?? NaN, rates[i + 1] ?? NaN];
    const slope = ((smoothed[i + 1] ?? NaN) - (smoothed[i] ?? NaN)) / Math.log(next / rate);
    if (slope < least) [least, found] = [slope, rate];
  }
  return found;
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
