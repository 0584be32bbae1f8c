import { CarryoverError } from '../../contract/errors.ts';
import type { Weights } from '../models/registry.ts';

/** Images that an error message names; `detail.images` has all. */
const NAMED = 8;

/** Where a step stands in a training; `step` is 1-based. */
export interface StepPlace {
  epoch: number;
  step: number;
  rate: number;
  /** Of the batch's images. */
  ids: readonly number[];
}

/** When a number was computed, and what can be done when it is not finite. */
export interface Moment {
  /** Goes on from "the loss is NaN". */
  when: string;
  /** That it may be due to. */
  images: readonly number[];
  wayOut: string;
}

/** While or after a step was taken. */
export function momentOf(word: 'in' | 'after', { epoch, step, rate, ids }: StepPlace): Moment {
  const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : '';
  const images = ids.length === 0 ? '' : `, on images ${ids.slice(0, NAMED).join(', ')}${more}`;
  return {
    when: `${word} epoch ${epoch}, step ${step}, at learning rate ${rate}${images}`,
    images: ids,
    wayOut: 'lower training.lr.peak, set training.clip-norm, or look at these images',
  };
}

/** @throws CarryoverError `bad-input` unless all values are finite: names the first that is not, and when */
export function checkFinite(what: string, values: ArrayLike<number>, moment: Moment): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isFinite(value)) continue;
    const { when, images, wayOut } = moment;
    throw new CarryoverError('bad-input', `${what} is ${value} ${when}`, {
      value: String(value),
      images: [...images],
      wayOut,
    });
  }
}

/** As `checkFinite`, of every tensor. */
export function checkWeights(weights: Weights, moment: Moment): void {
  for (const [name, values] of weights) checkFinite(`a value of "${name}"`, values, moment);
}
