import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import type { RunSummary } from '../../contract/runs.ts';
import type { StudyResults } from '../../contract/study-results.ts';
import { hasBatchNorm } from '../../engine/models/registry.ts';
import type { HostContext } from '../context.ts';
import { writeFileAtomic } from '../files.ts';
import type { InterpolationJob, InterpolationMessage } from '../trainer/protocol.ts';
import { INTERPOLATOR, startChild } from './child.ts';
import { readJob, runFolder, weightsFile } from './run-files.ts';
import { resultEpoch, runSpec } from './run-rows.ts';

const POINTS = 11;
const BATCH_NORM =
  'BatchNorm: running statistics interpolated, not recalibrated; between the ends accuracy may be lower for that alone';

type Barrier = StudyResults['barriers'][number];

/**
 * Accuracy and loss on the test images at eleven points of the straight line between two finished
 * runs of one arm. Throws `io` when weights are gone, and the signal's reason.
 */
export async function walkLine(
  context: HostContext,
  a: RunSummary,
  b: RunSummary,
  signal: AbortSignal,
): Promise<Barrier> {
  const line: Barrier = {
    kind: `${a.arm}/${b.arm}`,
    shuffle: a.shuffle,
    a: a.id,
    b: b.id,
    ...(hasBatchNorm(runSpec(context.db, a.id).architecture) && { note: BATCH_NORM }),
    lambda: [],
    accuracy: [],
    loss: [],
  };
  const file = join(context.home.cache, `line-${a.id}-${b.id}.json`);
  await writeFileAtomic(file, JSON.stringify(interpolationJob(context, a, b)));
  try {
    const child = startChild<InterpolationMessage, never>(INTERPOLATOR, file, ({ point }) => {
      line.lambda.push(point.lambda);
      line.accuracy.push(point.accuracy);
      line.loss.push(point.loss);
    });
    const abort = (): void => child.kill();
    signal.addEventListener('abort', abort);
    await child.ended.finally(() => signal.removeEventListener('abort', abort));
    signal.throwIfAborted();
    return line;
  } finally {
    await rm(file, { force: true });
  }
}

function interpolationJob(context: HostContext, a: RunSummary, b: RunSummary): InterpolationJob {
  return {
    job: readJob(context, a.id),
    a: resultWeights(context, a),
    b: resultWeights(context, b),
    lambdas: Array.from({ length: POINTS }, (_, index) => index / (POINTS - 1)),
  };
}

function resultWeights(context: HostContext, run: RunSummary): string {
  const { id } = run;
  const file = weightsFile(context, id, resultEpoch(run));
  if (file !== null) return file;
  throw new CarryoverError('io', `the weights of run ${id} are not there`, {
    file: runFolder(context, id),
    wayOut: 'start the study again; it trains what is missing',
  });
}
