import type { ModelOptions } from '../../../../engine/models/model.ts';
import type { Weights } from '../../../../engine/models/registry.ts';
import { initialise } from '../../../../engine/models/registry.ts';
import type { Batch } from '../../../../engine/runtime/batch.ts';
import type { Lab } from '../lab.ts';
import type { SeeJob, Side } from './measured.ts';

/** Of the weights that controls are drawn with; studies' own seeds are mostly small. */
const REDRAWN_BY = 1_000_003;

/** Images that a graph takes at once. */
const BATCH = 8;

export type Role = 'result' | 'start' | 'redrawn';

/** The weights of a side, in a role. */
export async function weightsOf(
  lab: Lab,
  { networks }: SeeJob,
  side: Side,
  role: Role,
): Promise<Weights> {
  const trained = networks[side];
  if (role !== 'redrawn') return lab.weights(trained[role]);
  return initialise(lab.parameters(trained.result.run), REDRAWN_BY);
}

/** Of the networks of the job: they are of one architecture. */
export function optionsFor(lab: Lab, { networks }: SeeJob, batch = BATCH): ModelOptions {
  return { ...lab.options(networks.a.result.run), batch, mode: 'evaluation' };
}

/** Some images of batches, one after another; all have the same size. */
export function imagesAt(batches: readonly Batch[], rows: readonly number[]): Float32Array {
  const [first] = batches;
  if (!first) return new Float32Array(0);
  const width = first.images.length / first.size;
  const result = new Float32Array(rows.length * width);
  const starts = startsOf(batches);
  rows.forEach((row, at) => {
    const within = starts.findLastIndex((start) => start <= row);
    const from = (row - starts[within]!) * width;
    result.set(batches[within]!.images.subarray(from, from + width), at * width);
  });
  return result;
}

function startsOf(batches: readonly Batch[]): number[] {
  let sum = 0;
  return batches.map(({ size }) => {
    sum += size;
    return sum - size;
  });
}
