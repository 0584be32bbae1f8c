import { CarryoverError } from '../../contract/errors.ts';
import { showShape } from '../../engine/graph/types.ts';
import type { ParameterSpec } from '../../engine/models/model.ts';
import { redrawn } from '../../engine/models/redrawn.ts';
import type { Weights } from '../../engine/models/registry.ts';
import { initialise } from '../../engine/models/registry.ts';
import { stream } from '../../engine/random/streams.ts';
import { firstConvolution, greyToRgb, rgbToGrey } from '../../engine/checkpoints/channels.ts';
import type { TensorFile } from '../../engine/formats/safetensors.ts';
import { readWeights } from './journal.ts';
import type { TrainerJob } from './protocol.ts';

/** The weights a run begins with, and what people should know of them. */
export interface Start {
  weights: Weights;
  notes: string[];
}

type FromFile = Exclude<TrainerJob['start'], { kind: 'random' }>;

/**
 * The start of a run. From a checkpoint everything but the head is taken (or the stages that the job
 * names; of an arm's own run the head too), strictly, as the paper's loader does: every such tensor
 * must be there with its shape, and no unknown one. What is not taken is drawn anew from the run's
 * seed. An imported checkpoint is given the network's input channels, and what its file lacked stays
 * as it was drawn.
 */
export async function startOf(
  job: TrainerJob,
  parameters: readonly ParameterSpec[],
): Promise<Start> {
  const { start, seed } = job;
  if (start.kind === 'random') return { weights: initialise(parameters, seed), notes: [] };
  const { file, kind } = start;
  const { tensors } = await readWeights(file);
  const wanted = wantedOf(start, parameters);
  if (kind === 'checkpoint') fitChannels(tensors, wanted);
  const names = new Set(parameters.map(({ name }) => name));
  const unexpected = [...tensors.keys()].filter((name) => !names.has(name));
  const missing = wanted.map(({ name }) => name).filter((name) => !tensors.has(name));
  const strict = kind === 'weights';
  if (unexpected.length > 0 || (strict && missing.length > 0)) {
    throw mismatch(file, missing, unexpected);
  }
  const weights = initialise(parameters, drawSeed(start, seed));
  for (const parameter of wanted) {
    const { name, shape } = parameter;
    const tensor = tensors.get(name);
    if (!tensor) continue;
    if (showShape(tensor.shape) !== showShape(shape)) {
      throw mismatch(file, [`${name} ${showShape(shape)}`], [showShape(tensor.shape)]);
    }
    const both = { pretrained: tensor.data, start: weights.get(name)! };
    weights.set(name, start.redrawn ? redrawn(start.redrawn, parameter, both, seed) : tensor.data);
  }
  return { weights, notes: missing.length === 0 ? [] : [lacking(missing)] };
}

/** What of the network is taken from the file. */
function wantedOf({ keep }: FromFile, parameters: readonly ParameterSpec[]): ParameterSpec[] {
  if (keep === 'all') return [...parameters];
  const stages = [...new Set(parameters.map(({ stage }) => stage))];
  const last = keep === undefined ? stages.length - 2 : stages.indexOf(keep.to);
  const kept = new Set(stages.slice(0, last + 1));
  return parameters.filter(({ stage }) => kept.has(stage));
}

/**
 * What is drawn above some layers of a run of the same seed must not be what that run began with: it
 * would meet the very layers that it was trained with. So it comes from a stream of its own.
 */
function drawSeed({ keep }: FromFile, seed: number): number {
  return typeof keep === 'object' ? stream(seed, 'redraw').nextUint32() : seed;
}

/** Filters of the first layer for as many channels as the network has. */
function fitChannels(tensors: TensorFile['tensors'], backbone: readonly ParameterSpec[]): void {
  const first = firstConvolution(backbone);
  const tensor = first && tensors.get(first.name);
  if (!first || !tensor || tensor.shape[1] === first.shape[1]) return;
  const fit = { 1: rgbToGrey, 3: greyToRgb }[first.shape[1] ?? 0];
  if (!fit || tensor.shape[0] !== first.shape[0]) return;
  tensors.set(first.name, { shape: [...first.shape], data: fit(tensor.data, tensor.shape) });
}

function lacking(missing: readonly string[]): string {
  const more = missing.length > 5 ? ` and ${missing.length - 5} more` : '';
  return `the checkpoint lacks ${missing.slice(0, 5).join(', ')}${more}: drawn at random`;
}

function mismatch(file: string, missing: string[], unexpected: string[]): CarryoverError {
  const list = (names: string[]): string => names.slice(0, 5).join(', ') || 'none';
  return new CarryoverError(
    'bad-input',
    `${file} does not fit this architecture: missing ${list(missing)}; unexpected ${list(unexpected)}`,
    { file, wayOut: 'use a checkpoint of the same architecture and width' },
  );
}
