/** Activation maximisation: images that a channel answers to most. */
import type { Graph } from '../../graph/types.ts';
import type { Weights } from '../../models/registry.ts';
import { stream } from '../../random/streams.ts';
import { VisualSession } from './session.ts';

export interface ImageShape {
  channels: number;
  /** Of the square image. */
  side: number;
}

export interface MaximiseOptions {
  seed: number;
  steps: number;
  /** Root mean square of a step's change, before the penalties. */
  rate: number;
  /** Share of each value that a step takes off (L2). */
  decay: number;
  /** Weight of the total variation. */
  smoothing: number;
  /** Each step sees the images moved by up to so many pixels each way. */
  jitter: number;
  /** Least and largest value of each image channel. */
  bounds: readonly (readonly [number, number])[];
}

/** For images that were normalised to values of about -2 to 2. */
export const MAXIMISE: Omit<MaximiseOptions, 'seed' | 'bounds'> = {
  steps: 128,
  rate: 0.08,
  decay: 0.01,
  smoothing: 0.05,
  jitter: 4,
};

export interface Maximised {
  /** [item, channel, row, column], normalised as the network's input is. */
  images: Float32Array;
  /** Of the finished images. */
  answers: Float32Array;
}

/**
 * Gradient ascent on images (Erhan et al. 2009; Simonyan et al., arXiv 1312.6034) with L2 and total
 * variation as penalties (Mahendran and Vedaldi, arXiv 1412.0035) and jitter (Mordvintsev et al.
 * 2015). Each step adds `rate` times the slope over its root mean square, so that networks of any
 * scale are treated alike. Starts from noise of `stream(seed, 'activation maximisation', item)`;
 * jitter is drawn from `stream(seed, 'activation maximisation', 'jitter')`.
 * @param graph of `buildAnswer`
 * @param wanted the channel of each image
 */
export async function maximise(
  graph: Graph,
  weights: Weights,
  wanted: readonly number[],
  shape: ImageShape,
  options: MaximiseOptions,
): Promise<Maximised> {
  const session = await VisualSession.create(graph);
  try {
    const placed = await session.place(weights);
    const channels = oneHot(wanted, channelsAsked(graph));
    const count = wanted.length;
    const random = stream(options.seed, 'activation maximisation', 'jitter');
    const { jitter } = options;
    const images = noise(count, shape, options.seed);
    for (let step = 0; step < options.steps; step++) {
      const [down, right] = [
        random.randint(-jitter, jitter + 1),
        random.randint(-jitter, jitter + 1),
      ];
      const seen = rolled(images, shape.side, down, right);
      const outputs = await session.run(placed, { images: seen, channels }, count);
      const slope = rolled(outputs.get('slope')!, shape.side, -down, -right);
      ascend(images, slope, count, shape, options);
    }
    const outputs = await session.run(placed, { images, channels }, count);
    return { images, answers: outputs.get('answer')! };
  } finally {
    await session.close();
  }
}

function channelsAsked({ inputs }: Graph): number {
  return inputs.find(({ name }) => name === 'channels')?.shape[1] ?? 0;
}

/** [item, width], 1 at each item's position. */
export function oneHot(at: readonly number[], width: number): Float32Array {
  const result = new Float32Array(at.length * width);
  at.forEach((position, item) => {
    result[item * width + position] = 1;
  });
  return result;
}

/** Of a standard deviation of a tenth. */
function noise(count: number, { channels, side }: ImageShape, seed: number): Float32Array {
  const size = channels * side * side;
  const images = new Float32Array(count * size);
  for (let item = 0; item < count; item++) {
    const random = stream(seed, 'activation maximisation', item);
    for (let i = 0; i < size; i++) images[item * size + i] = 0.1 * random.normal();
  }
  return images;
}

/** Every plane moved down and right; what leaves at one side comes in at the other. */
export function rolled(
  planes: Float32Array,
  side: number,
  down: number,
  right: number,
): Float32Array {
  const result = new Float32Array(planes.length);
  const around = (position: number) => ((position % side) + side) % side;
  for (let at = 0; at < planes.length; at += side * side) {
    for (let row = 0; row < side; row++) {
      const to = at + around(row + down) * side;
      for (let column = 0; column < side; column++) {
        result[to + around(column + right)] = planes[at + row * side + column]!;
      }
    }
  }
  return result;
}

/**
 * Slope of half the sum of squared differences of neighbouring pixels of every plane: for each
 * pixel, its differences to its up to four neighbours.
 */
export function variationSlope(planes: Float32Array, side: number): Float32Array {
  const result = new Float32Array(planes.length);
  const pull = (a: number, b: number): void => {
    const difference = planes[a]! - planes[b]!;
    result[a]! += difference;
    result[b]! -= difference;
  };
  for (let at = 0; at < planes.length; at++) {
    const [row, column] = [Math.floor(at / side) % side, at % side];
    if (column + 1 < side) pull(at, at + 1);
    if (row + 1 < side) pull(at, at + side);
  }
  return result;
}

/** One step up, in place. */
function ascend(
  images: Float32Array,
  slope: Float32Array,
  count: number,
  { channels, side }: ImageShape,
  { rate, decay, smoothing, bounds }: MaximiseOptions,
): void {
  const variation = variationSlope(images, side);
  const size = channels * side * side;
  for (let item = 0; item < count; item++) {
    const [from, to] = [item * size, (item + 1) * size];
    const factor = rate / (rootMeanSquare(slope.subarray(from, to)) || 1);
    for (let at = from; at < to; at++) {
      const [least, most] = bounds[Math.floor((at - from) / (side * side))]!;
      const penalty = decay * images[at]! + smoothing * variation[at]!;
      images[at] = Math.min(most, Math.max(least, images[at]! + factor * slope[at]! - penalty));
    }
  }
}

function rootMeanSquare(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length);
}
