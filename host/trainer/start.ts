import { CarryoverError } from '../../contract/errors.ts';
import { showShape } from '../../engine/graph/types.ts';
import type { ParameterSpec } from '../../engine/models/model.ts';
import type { Weights } from '../../engine/models/registry.ts';
import { initialise, isHead } from '../../engine/models/registry.ts';
import { readWeights } from './journal.ts';
import type { TrainerJob } from './protocol.ts';

/**
 * The weights a run begins with. From a checkpoint everything but the head is taken, strictly, as
 * the paper's loader does: every backbone tensor must be there with its shape, and none besides.
 * The head is drawn anew from the run's seed.
 */
export async function startWeights(
  job: TrainerJob,
  parameters: readonly ParameterSpec[],
): Promise<Weights> {
  const weights = initialise(parameters, job.seed);
  if (job.start.kind === 'random') return weights;
  const { file } = job.start;
  const { tensors } = await readWeights(file);
  const backbone = parameters.filter(({ name }) => !isHead(name));
  const names = new Set(backbone.map(({ name }) => name));
  const unexpected = [...tensors.keys()].filter((name) => !names.has(name) && !isHead(name));
  const missing = [...names].filter((name) => !tensors.has(name));
  if (missing.length + unexpected.length > 0) throw mismatch(file, missing, unexpected);
  for (const { name, shape } of backbone) {
    const tensor = tensors.get(name);
    if (!tensor || showShape(tensor.shape) !== showShape(shape)) {
      throw mismatch(file, [`${name} ${showShape(shape)}`], [showShape(tensor?.shape ?? [])]);
    }
    weights.set(name, tensor.data);
  }
  return weights;
}

function mismatch(file: string, missing: string[], unexpected: string[]): CarryoverError {
  const list = (names: string[]): string => names.slice(0, 5).join(', ') || 'none';
  return new CarryoverError(
    'bad-input',
    `${file} does not fit this architecture: missing ${list(missing)}; unexpected ${list(unexpected)}`,
    { file, wayOut: 'use a checkpoint of the same architecture and width' },
  );
}
