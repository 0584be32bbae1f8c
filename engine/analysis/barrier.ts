/** How high the loss, or the error, rises on the straight line between two networks. */
import { CarryoverError } from '../../contract/errors.ts';

export interface Barriers {
  /**
   * Largest value between the ends less the mean of the ends (Frankle et al. 2020, "Linear mode
   * connectivity": instability).
   */
  frankle: number;
  /**
   * Largest height above the straight line that joins the values of the ends (Entezari et al. 2022,
   * "The role of permutation invariance"). The one to read where the ends differ.
   */
  entezari: number;
}

/** What a measure was at a point; lambda is 0 at one network and 1 at the other. */
export interface Height {
  lambda: number;
  value: number;
}

/**
 * Barriers of a measure of which less is better, over the points from 0 to 1. At least 0 by
 * Entezari, since both ends count; Frankle's is at least half the difference of the ends.
 * @throws bad-input where an end is missing
 */
export function barriersOf(points: readonly Height[]): Barriers {
  const ends = [0, 1].map((end) => points.find(({ lambda }) => lambda === end)?.value);
  const [a, b] = ends;
  if (a === undefined || b === undefined) {
    throw new CarryoverError('bad-input', 'a barrier needs the values of both ends', {
      wayOut: 'evaluate the line at 0 and at 1',
    });
  }
  const between = points.filter(({ lambda }) => lambda >= 0 && lambda <= 1);
  const above = (line: (lambda: number) => number): number =>
    Math.max(...between.map(({ lambda, value }) => value - line(lambda)));
  return {
    frankle: above(() => (a + b) / 2),
    entezari: above((lambda) => (1 - lambda) * a + lambda * b),
  };
}

/**
 * Points from `-beyond` to `1 + beyond`: as many from 0 to 1, both among them, and on with the same
 * step as far as `beyond` reaches.
 * @param points from 0 to 1, at least 2
 */
export function lambdasOf(points: number, beyond: number): number[] {
  const steps = points - 1;
  const past = Math.floor(beyond * steps + 1e-9);
  return Array.from({ length: points + 2 * past }, (_, index) => (index - past) / steps);
}
