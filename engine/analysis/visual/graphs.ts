/** Graphs that send something back from a network to its images. */
import { CarryoverError } from '../../../contract/errors.ts';
import type { Rules } from '../../graph/gradients.ts';
import { gradients } from '../../graph/gradients.ts';
import type { Graph, Value } from '../../graph/types.ts';
import type { Model, ModelOptions } from '../../models/model.ts';
import { buildModel } from '../../models/registry.ts';

/**
 * Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (ECCV 2014), section
 * 2.1: the signal goes back through the switches of the pooling and the transposed filters, and is
 * itself cut off at zero where the network was, whatever the network's own value was there.
 * What is added (biases, BatchNorm's shift) has no part in it; a residual sum hands the signal to
 * both of its branches. Pooling is of what a relu gave: a window in which nothing is active has no
 * switch, so nothing is sent through it.
 */
export const DECONVNET: Rules = {
  relu: (g, _, __, dy) => [g.relu(dy)],
  relu6: (g, _, __, dy) => [g.relu(dy)],
  maxPool: (g, pooled, { size, stride, pad }, dy) => {
    const [x] = pooled.inputs as [Value];
    const active = g.backward({ kind: 'reluGradient' }, [pooled, dy], pooled.shape);
    return [g.backward({ kind: 'maxPoolGradient', size, stride, pad }, [x, active], x.shape)];
  },
};

/** Taps that are maps [batch, channel, row, column], with their shapes, from the images on. */
export function mapsOf(options: ModelOptions): Map<string, readonly number[]> {
  const { taps } = buildModel({ ...options, mode: 'evaluation' });
  const shapes = [...taps].map(([name, { shape }]) => [name, shape] as const);
  return new Map(shapes.filter(([, shape]) => shape.length === 4));
}

/** Positions along a side that a map must have to say where something is. */
const FINE = 4;

/** The deepest map with at least 4 x 4 positions; the deepest of all where none has. */
export function deepestFineMap(options: ModelOptions): string {
  const maps = [...mapsOf(options)];
  const fine = maps.filter(([, shape]) => (shape[2] ?? 0) >= FINE);
  const [name] = fine.at(-1) ?? maps.at(-1) ?? [];
  if (name === undefined) throw new CarryoverError('internal', 'a network without maps');
  return name;
}

interface Tapped {
  model: Model;
  /** [batch, channel, row, column] */
  map: Value;
}

/** @throws bad-input when the network has no such map */
function tapped(options: ModelOptions, tap: string): Tapped {
  const model = buildModel({ ...options, mode: 'evaluation' });
  const map = model.taps.get(tap);
  if (map?.shape.length === 4) return { model, map };
  const { name } = options.architecture;
  const known = [...mapsOf(options).keys()].join(', ');
  throw new CarryoverError('bad-input', `${name} has no layer "${tap}" with positions`, {
    value: tap,
    wayOut: `take one of ${known}`,
  });
}

/**
 * Grad-CAM (Selvaraju et al., arXiv 1610.02391, equations 1 and 2): the map's channels weighted
 * with the mean over positions of the slope of a logit along them, summed, cut off at zero.
 * Inputs: images, and `classes` [batch, class], 1 for the logit that is explained and else 0.
 * Outputs: `cam` [batch, row, column], and `logits`.
 * @throws bad-input when the network has no map of that name
 */
export function buildGradCam(options: ModelOptions, tap: string): Graph {
  const { model, map } = tapped(options, tap);
  const { g, logits } = model;
  const classes = g.input('classes', logits.shape);
  const [slope] = gradients(g, g.reduceSum(g.mul(logits, classes)), [map]) as [Value];
  const weights = g.reduceMean(slope, [2, 3], true);
  const cam = g.relu(g.reduceSum(g.mul(map, weights), [1]));
  return g.finish([
    ['cam', cam],
    ['logits', logits],
  ]);
}

/**
 * The deconvnet's signal in the images, from one activation of each. Inputs: images, and `start`
 * of the map's shape, 1 at the activation and else 0: the signal is proportional to what it starts
 * with, so that its strength is left to the reader. Output: `signal` [batch, channel, row, column].
 * @throws bad-input when the network has no map of that name
 */
export function buildDeconvnet(options: ModelOptions, tap: string): Graph {
  const { model, map } = tapped(options, tap);
  const { g, images } = model;
  const start = g.input('start', map.shape);
  const [signal] = gradients(g, g.reduceSum(g.mul(map, start)), [images], DECONVNET) as [Value];
  return g.finish([['signal', signal]]);
}

/**
 * How strongly channels of a map answer, and the slope of that along the images. Inputs: images,
 * and `channels` [batch, channel], 1 for the channel that is asked for and else 0. Outputs:
 * `answer` [batch], the channel's mean over the positions, and `slope` [batch, channel, row, column].
 * @param tap a map, or `logits` for classes
 * @throws bad-input when the network has no map of that name
 */
export function buildAnswer(options: ModelOptions, tap: string): Graph {
  const { model, means } = answersOf(options, tap);
  const { g, images } = model;
  const channels = g.input('channels', means.shape);
  const answer = g.reduceSum(g.mul(means, channels), [1]);
  const [slope] = gradients(g, g.reduceSum(answer), [images]) as [Value];
  return g.finish([
    ['answer', answer],
    ['slope', slope],
  ]);
}

/** [batch, channel] */
function answersOf(options: ModelOptions, tap: string): { model: Model; means: Value } {
  if (tap === 'logits') {
    const model = buildModel({ ...options, mode: 'evaluation' });
    return { model, means: model.logits };
  }
  const { model, map } = tapped(options, tap);
  return { model, means: model.g.reduceMean(map, [2, 3]) };
}

/** A map of the network. Input: images. Output: `map` [batch, channel, row, column]. */
export function buildMap(options: ModelOptions, tap: string): Graph {
  const { model, map } = tapped(options, tap);
  return model.g.finish([['map', map]]);
}
