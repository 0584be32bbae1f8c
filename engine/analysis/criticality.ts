/** Which modules of a network matter: rewinding them, and how robust they are on their way. */
import type { ParameterSpec } from '../models/model.ts';
import type { Weights } from '../models/registry.ts';
import { stream } from '../random/streams.ts';
import { mean, quantile } from './metrics.ts';

/** Modules in the order of the network, those that have something that is trained. */
export function modulesOf(parameters: readonly ParameterSpec[]): string[] {
  return [...new Set(parameters.filter(isTrained).map(({ module }) => module))];
}

function isTrained({ role }: ParameterSpec): boolean {
  return role !== 'statistic';
}

/**
 * A network with one module as another network has it, running statistics of the module among it
 * (Zhang, Bengio and Singer 2019, "Are all layers created equal?": re-initialisation; Neyshabur et
 * al. 2020, Fig. 5).
 */
export function withModule(
  weights: Weights,
  from: Weights,
  module: string,
  parameters: readonly ParameterSpec[],
): Weights {
  const own = parameters.filter((each) => each.module === module).map(({ name }) => name);
  return new Map([...weights, ...own.map((name) => [name, from.get(name)!] as const)]);
}

/** A point of a module's path: its weights there, and how far it is from the start. */
export interface PathPoint {
  /** 0 at the start, 1 at the end. */
  alpha: number;
  weights: Weights;
  /** Squared L2 from the start over what is trained of the module. */
  squaredDistance: number;
}

/**
 * The straight path of a module: (1 - alpha) start + alpha end, all else of `end` (Chatterji,
 * Sedghi and Neyshabur 2020, "The intriguing role of module criticality").
 * @param alphas how many points, at least 2, from 0 to 1
 */
export function directPath(
  start: Weights,
  end: Weights,
  module: string,
  parameters: readonly ParameterSpec[],
  alphas: number,
): PathPoint[] {
  const own = parameters.filter((each) => each.module === module);
  return Array.from({ length: alphas }, (_, index) => {
    const alpha = index / (alphas - 1);
    const weights = new Map(end);
    for (const { name } of own) {
      const [from, to] = [start.get(name)!, end.get(name)!];
      weights.set(
        name,
        from.map((value, i) => (1 - alpha) * value + alpha * to[i]!),
      );
    }
    return { alpha, weights, squaredDistance: squaredDistance(start, weights, own) };
  });
}

/**
 * The path that training took: the module as it was at kept epochs, all else of `end`.
 * @param kept weights by epoch, ascending; the first is the start, the last the end
 */
export function checkpointPath(
  kept: readonly { epoch: number; weights: Weights }[],
  module: string,
  parameters: readonly ParameterSpec[],
): PathPoint[] {
  const own = parameters.filter((each) => each.module === module);
  const [first, last] = [kept[0]!, kept.at(-1)!];
  return kept.map(({ epoch, weights }) => ({
    alpha: (epoch - first.epoch) / (last.epoch - first.epoch),
    weights: withModule(last.weights, weights, module, parameters),
    squaredDistance: squaredDistance(first.weights, weights, own),
  }));
}

function squaredDistance(a: Weights, b: Weights, own: readonly ParameterSpec[]): number {
  let sum = 0;
  for (const { name } of own.filter(isTrained)) {
    const [from, to] = [a.get(name)!, b.get(name)!];
    for (let i = 0; i < from.length; i++) sum += (from[i]! - to[i]!) ** 2;
  }
  return sum;
}

/**
 * Standard deviations of the noise, ascending, evenly spaced in their logarithms.
 * @param count at least 1; one is the largest alone
 */
export function sigmasOf(count: number, least = 1e-3, largest = 1): number[] {
  if (count === 1) return [largest];
  return Array.from(
    { length: count },
    (_, index) => least * (largest / least) ** (index / (count - 1)),
  );
}

/**
 * A network with N(0, sigma^2) added to all that is trained of a module. Draw `sample` is the same
 * for every sigma and every point of the path, so that the grid is smooth; it is from
 * `stream(seed, 'criticality', module, sample)`.
 */
export function withNoise(
  weights: Weights,
  module: string,
  parameters: readonly ParameterSpec[],
  { sigma, sample, seed }: { sigma: number; sample: number; seed: number },
): Weights {
  const random = stream(seed, 'criticality', module, sample);
  const noisy = new Map(weights);
  for (const { name } of parameters.filter((each) => each.module === module && isTrained(each))) {
    noisy.set(
      name,
      weights.get(name)!.map((value) => value + sigma * random.normal()),
    );
  }
  return noisy;
}

export interface GridOptions {
  module: string;
  parameters: readonly ParameterSpec[];
  sigmas: readonly number[];
  /** Draws of noise per cell. */
  samples: number;
  seed: number;
}

/** Errors of a module on its path under noise. */
export interface Grid {
  alphas: number[];
  sigmas: number[];
  squaredDistances: number[];
  /** [alpha][sigma][draw] */
  errors: number[][][];
}

/**
 * Evaluates a module's path under noise.
 * @param evaluate empirical error rate of weights, 0..1
 */
export async function criticalityGrid(
  path: readonly PathPoint[],
  evaluate: (weights: Weights) => Promise<number>,
  { module, parameters, sigmas, samples, seed }: GridOptions,
): Promise<Grid> {
  const errors: number[][][] = [];
  for (const { weights } of path) {
    const row: number[][] = [];
    for (const sigma of sigmas) {
      const cell: number[] = [];
      for (let sample = 0; sample < samples; sample++) {
        cell.push(await evaluate(withNoise(weights, module, parameters, { sigma, sample, seed })));
      }
      row.push(cell);
    }
    errors.push(row);
  }
  return {
    alphas: path.map(({ alpha }) => alpha),
    sigmas: [...sigmas],
    squaredDistances: path.map((point) => point.squaredDistance),
    errors,
  };
}

export interface Criticality {
  /** null: nowhere on the grid is the error small enough; it is larger than `atLeast`. */
  value: number | null;
  /** Percentile bootstrap over the draws of noise; null with fewer than two draws, or no value. */
  interval: [number, number] | null;
  /** Where on the grid the least is. */
  at: { alpha: number; sigma: number } | null;
  atLeast: number;
}

/**
 * Criticality of a module (Chatterji et al. 2020, definition 3.1): the least
 * |theta^alpha - theta^0|^2 / sigma^2 over the grid (on the straight path
 * alpha^2 |theta^F - theta^0|^2 / sigma^2) where the mean error under N(0, sigma^2 I) is at most
 * `most`. 0 for a module that need not leave its start.
 * @param most largest allowed error rate
 */
export function criticalityOf(
  grid: Grid,
  most: number,
  { replicates, seed }: { replicates: number; seed: number },
): Criticality {
  const found = leastOf(grid, most, mean);
  const samples = grid.errors[0]?.[0]?.length ?? 0;
  const atLeast = grid.squaredDistances.at(-1)! / grid.sigmas[0]! ** 2;
  if (found === null) return { value: null, interval: null, at: null, atLeast };
  const { value, at } = found;
  if (samples < 2) return { value, interval: null, at, atLeast };
  const random = stream(seed, 'criticality bootstrap');
  const values: number[] = [];
  for (let replicate = 0; replicate < replicates; replicate++) {
    const drawn = Array.from({ length: samples }, () => random.randint(0, samples));
    const again = leastOf(grid, most, (cell) => mean(drawn.map((sample) => cell[sample]!)));
    values.push(again?.value ?? atLeast);
  }
  values.sort((a, b) => a - b);
  return { value, interval: [quantile(values, 0.025), quantile(values, 0.975)], at, atLeast };
}

function leastOf(
  { alphas, sigmas, squaredDistances, errors }: Grid,
  most: number,
  average: (cell: number[]) => number,
): { value: number; at: { alpha: number; sigma: number } } | null {
  let least: ReturnType<typeof leastOf> = null;
  errors.forEach((row, i) =>
    row.forEach((cell, j) => {
      if (average(cell) > most) return;
      const value = squaredDistances[i]! / sigmas[j]! ** 2;
      if (least !== null && least.value <= value) return;
      least = { value, at: { alpha: alphas[i]!, sigma: sigmas[j]! } };
    }),
  );
  return least;
}
