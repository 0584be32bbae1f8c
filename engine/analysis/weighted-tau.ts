/** Weighted rank correlation. */
import { stream } from '../random/streams.ts';
import { bootstrapOne } from './bootstrap.ts';

/**
 * Weighted Kendall tau with additive hyperbolic weights, the mean of those by the ranks in x and in y
 * (Vigna 2015, "A Weighted Correlation Index for Rankings with Ties"; SciPy's `weightedtau`): exchanges
 * among the highest values weigh most. -1 .. 1.
 * @returns NaN where all values of one are equal
 */
export function weightedTau(x: readonly number[], y: readonly number[]): number {
  return (tauByRanks(x, y, ranks(x, y)) + tauByRanks(x, y, ranks(y, x))) / 2;
}

/** 0 for the largest; equal values in the order of the other. */
function ranks(first: readonly number[], second: readonly number[]): number[] {
  const order = [...first.keys()].sort(
    (a, b) => first[b]! - first[a]! || second[b]! - second[a]! || b - a,
  );
  const result: number[] = [];
  order.forEach((at, rank) => (result[at] = rank));
  return result;
}

function tauByRanks(x: readonly number[], y: readonly number[], rank: readonly number[]): number {
  let [both, ofX, ofY] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const weight = 1 / (rank[i]! + 1) + 1 / (rank[j]! + 1);
      const [dx, dy] = [Math.sign(x[i]! - x[j]!), Math.sign(y[i]! - y[j]!)];
      both += weight * dx * dy;
      ofX += weight * dx * dx;
      ofY += weight * dy * dy;
    }
  }
  return both / Math.sqrt(ofX * ofY);
}

export interface TauEstimate {
  /** null where all of one are equal, or there are fewer than three. */
  tau: number | null;
  /** 95 % percentile bootstrap over the pairs; null with fewer than five. */
  interval: [number, number] | null;
  /** Share of the orders of y that come to as much or more: all orders up to seven pairs. */
  p: number | null;
}

const FEWEST = 3;
const FEWEST_RESAMPLED = 5;
/** 7! = 5040 */
const MOST_ORDERED = 7;

/** Weighted tau with its bootstrap interval, and how often chance does as well. */
export function weightedTauEstimate(
  x: readonly number[],
  y: readonly number[],
  { replicates, seed }: { replicates: number; seed: number },
): TauEstimate {
  const value = weightedTau(x, y);
  if (x.length < FEWEST || !Number.isFinite(value)) return { tau: null, interval: null, p: null };
  const statistic = (times: Int32Array): number | null => {
    const drawn = Array.from(times.keys()).flatMap((at) => Array<number>(times[at]!).fill(at));
    const tau = weightedTau(
      drawn.map((at) => x[at]!),
      drawn.map((at) => y[at]!),
    );
    return Number.isFinite(tau) ? tau : null;
  };
  const resampled = x.length >= FEWEST_RESAMPLED;
  const interval = resampled ? bootstrapOne(x.length, statistic, { replicates, seed }) : null;
  const all = x.length <= MOST_ORDERED;
  const random = stream(seed, 'orders');
  const orders = all
    ? ordersOf(y.length)
    : Array.from({ length: replicates }, () => Array.from(random.permutation(y.length)));
  const taus = orders.map((order) =>
    weightedTau(
      x,
      order.map((at) => y[at]!),
    ),
  );
  const above = taus.filter((tau) => tau >= value - 1e-12).length;
  return { tau: value, interval, p: all ? above / orders.length : (1 + above) / (1 + replicates) };
}

/** All orders of 0 .. n - 1. */
function ordersOf(n: number): number[][] {
  if (n === 0) return [[]];
  return ordersOf(n - 1).flatMap((order) =>
    Array.from({ length: n }, (_, at) => [...order.slice(0, at), n - 1, ...order.slice(at)]),
  );
}
