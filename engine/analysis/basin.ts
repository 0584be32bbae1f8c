/** Whether networks lie in one basin, and how wide it is (Neyshabur et al. 2020, definition 3.1). */
import type { Weights } from '../models/registry.ts';
import type { ParameterSpec } from '../models/model.ts';
import type { RandomState } from '../random/random-state.ts';
import { mean } from './metrics.ts';

/** A point as shares of the networks that span the set; shares add up to 1. */
export type Shares = readonly number[];

/** Uniform in the simplex of `count` corners. */
export function uniformShares(count: number, random: RandomState): number[] {
  const drawn = Array.from({ length: count }, () => -Math.log(1 - random.randomSample()));
  const total = drawn.reduce((sum, value) => sum + value);
  return drawn.map((value) => value / total);
}

/**
 * Where the ray from `from` through `through` leaves the simplex: the point f(w1, w2) of the
 * definition. Equal points are their own.
 */
export function boundaryShares(from: Shares, through: Shares): number[] {
  const steps = from.flatMap((share, i) => {
    const falls = share - through[i]!;
    return falls > 0 ? [{ i, reach: share / falls }] : [];
  });
  if (steps.length === 0) return [...through];
  const first = steps.reduce((least, step) => (step.reach < least.reach ? step : least));
  return from.map((share, i) =>
    i === first.i ? 0 : Math.max(0, share + first.reach * (through[i]! - share)),
  );
}

/** The sum of shares times networks, running statistics like all else. */
export function mixed(networks: readonly Weights[], shares: Shares): Weights {
  const [first] = networks;
  return new Map(
    [...first!.keys()].map((name) => {
      const own = networks.map((weights) => weights.get(name)!);
      const sum = own[0]!.map((_, at) =>
        own.reduce((all, data, i) => all + shares[i]! * data[at]!, 0),
      );
      return [name, sum];
    }),
  );
}

/** L2 between two networks over what is trained. */
export function lengthBetween(
  a: Weights,
  b: Weights,
  parameters: readonly ParameterSpec[],
): number {
  let sum = 0;
  for (const { name, role } of parameters) {
    if (role === 'statistic') continue;
    const [from, to] = [a.get(name)!, b.get(name)!];
    for (let i = 0; i < from.length; i++) sum += (from[i]! - to[i]!) ** 2;
  }
  return Math.sqrt(sum);
}

/**
 * `to`, moved on by a length in the direction away from `from` (condition 3: kappa). Running
 * statistics stay as they are at `to`, as no noise is added to them either.
 */
export function movedOn(
  from: Weights,
  to: Weights,
  length: number,
  parameters: readonly ParameterSpec[],
): Weights {
  const scale = length / lengthBetween(from, to, parameters);
  const moved = new Map(to);
  for (const { name, role } of parameters) {
    if (role === 'statistic') continue;
    const start = from.get(name)!;
    moved.set(
      name,
      to.get(name)!.map((value, i) => value + scale * (value - start[i]!)),
    );
  }
  return moved;
}

/** With noise of N(0, delta^2 / n I) on all n numbers that are trained (condition 2). */
export function shaken(
  weights: Weights,
  delta: number,
  parameters: readonly ParameterSpec[],
  random: RandomState,
): Weights {
  const trained = parameters.filter(({ role }) => role !== 'statistic');
  const count = trained.reduce((sum, { name }) => sum + weights.get(name)!.length, 0);
  const std = delta / Math.sqrt(count);
  const moved = new Map(weights);
  for (const { name } of trained) {
    moved.set(
      name,
      weights.get(name)!.map((value) => value + std * random.normal()),
    );
  }
  return moved;
}

export interface BasinLosses {
  /** Of uniform points of the set. */
  inside: readonly number[];
  /** By delta, ascending: of points beyond the boundary, in any direction and along the line. */
  beyond: readonly { delta: number; noise: readonly number[]; line: readonly number[] }[];
}

/** An estimate of the (epsilon, delta) for which the set is a basin. */
export interface Basin {
  /** Mean loss inside. */
  mu: number;
  /** Mean of |loss - mu| inside: the least epsilon of condition 1. */
  epsilon: number;
  /**
   * Least delta at which both ways out of the set raise the mean loss to mu + 2 epsilon or more
   * (conditions 2 and 3), between grid values by straight lines; null: not on the grid.
   */
  delta: number | null;
  /** The same for either condition alone. */
  deltaNoise: number | null;
  deltaLine: number | null;
}

/** The basin that losses speak of. */
export function basinOf({ inside, beyond }: BasinLosses): Basin {
  const mu = mean(inside);
  const epsilon = mean(inside.map((loss) => Math.abs(loss - mu)));
  const reached = (of: (each: BasinLosses['beyond'][number]) => readonly number[]) =>
    firstReached(
      beyond.map((each) => ({ delta: each.delta, rise: mean(of(each)) - mu })),
      2 * epsilon,
    );
  const [deltaNoise, deltaLine] = [reached(({ noise }) => noise), reached(({ line }) => line)];
  const delta = deltaNoise === null || deltaLine === null ? null : Math.max(deltaNoise, deltaLine);
  return { mu, epsilon, delta, deltaNoise, deltaLine };
}

/** From which delta on the rise stays at or above what is needed; it starts at (0, 0). */
function firstReached(rises: { delta: number; rise: number }[], needed: number): number | null {
  const below = rises.findLastIndex(({ rise }) => rise < needed);
  const next = rises[below + 1];
  if (next === undefined) return null;
  const before = below < 0 ? { delta: 0, rise: 0 } : rises[below]!;
  const gap = next.rise - before.rise;
  const share = gap > 0 ? Math.min(1, Math.max(0, (needed - before.rise) / gap)) : 1;
  return before.delta + share * (next.delta - before.delta);
}
