import { CarryoverError } from '../../contract/errors.ts';

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

/** @throws CarryoverError `bad-input` unless the loss is finite: names epoch, step, rate, images */
export function checkFinite(loss: number, { epoch, step, rate, ids }: StepPlace): void {
  if (Number.isFinite(loss)) return;
  const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : '';
  const images = ids.length === 0 ? '' : `, on images ${ids.slice(0, NAMED).join(', ')}${more}`;
  throw new CarryoverError(
    'bad-input',
    `the loss is ${loss} in epoch ${epoch}, step ${step}, at learning rate ${rate}${images}`,
    {
      value: String(loss),
      images: [...ids],
      wayOut: 'lower training.lr.peak, set training.clip-norm, or look at these images',
    },
  );
}
