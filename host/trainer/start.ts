import { CarryoverError } from '../../contract/errors.ts';
import { showShape } from '../../engine/graph/types.ts';
import type { ParameterSpec } from '../../engine/models/model.ts';
import type { Weights } from '../../engine/models/registry.ts';
import { initialise } from '../../engine/models/registry.ts';
import { firstConvolution, greyToRgb, rgbToGrey } from '../../engine/checkpoints/channels.ts';
import type { TensorFile } from '../../engine/formats/safetensors.ts';
import { readWeights } from './journal.ts';
import type { TrainerJob } from './protocol.ts';

/** The weights a run begins with, and what people should know of them. */
export interface Start {
  weights: Weights;
  notes: string[];
}

/**
 * The start of a run. From a checkpoint everything but the head is taken, strictly, as the paper's
 * loader does: every backbone tensor must be there with its shape, and none besides. The head is
 * drawn anew from the run's seed. An imported checkpoint is given the network's input channels,
 * and what its file lacked stays as it was drawn.
 */
export async function startOf(
  job: TrainerJob,
  parameters: readonly ParameterSpec[],
): Promise<Start> {
  const weights = initialise(parameters, job.seed);
  if (job.start.kind === 'random') return { weights, notes: [] };
  const { file, kind } = job.start;
  const { tensors } = await readWeights(file);
  const backbone = parameters.filter(({ stage }) => stage !== 'head');
  if (kind === 'checkpoint') fitChannels(tensors, backbone);
  const names = new Set(parameters.map(({ name }) => name));
  const unexpected = [...tensors.keys()].filter((name) => !names.has(name));
  const missing = backbone.map(({ name }) => name).filter((name) => !tensors.has(name));
  const strict = kind === 'weights';
  if (unexpected.length > 0 || (strict && missing.length > 0)) {
    throw mismatch(file, missing, unexpected);
  }
  for (const { name, shape } of backbone) {
    const tensor = tensors.get(name);
    if (!tensor) continue;
    if (showShape(tensor.shape) !== showShape(shape)) {
      throw mismatch(file, [`${name} ${showShape(shape)}`], [showShape(tensor.shape)]);
    }
    weights.set(name, tensor.data);
  }
  return { weights, notes: missing.length === 0 ? [] : [lacking(missing)] };
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
