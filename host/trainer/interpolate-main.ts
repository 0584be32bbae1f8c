/** The child process that evaluates a line: `node interpolate-main.ts <job.json>`. */
import { CarryoverError } from '../../contract/errors.ts';
import type { Weights } from '../../engine/models/registry.ts';
import { alongLine } from '../../engine/analysis/interpolation.ts';
import { createEvaluator } from '../../engine/runtime/devices/trainer.ts';
import { keepEvaluation } from './cached-source.ts';
import { runChild } from './child.ts';
import { trainerSettings } from './train.ts';
import { readWeights } from './journal.ts';
import { modelOptions, openLoader } from './open-loader.ts';
import type { InterpolationJob, InterpolationMessage } from './protocol.ts';

await runChild<InterpolationJob, InterpolationMessage>(async ({ job, a, b, lambdas }, send) => {
  const options = modelOptions(job);
  const loader = await openLoader(job, () => undefined, { only: ['test'] });
  const evaluator = await createEvaluator(options, trainerSettings(job));
  try {
    const source = loader.source('test');
    if (!source) throw new CarryoverError('bad-input', `run ${job.runId} has no test images`);
    const ends: [Weights, Weights] = [await weightsOf(a), await weightsOf(b)];
    for await (const point of alongLine(
      ...ends,
      lambdas,
      evaluator,
      keepEvaluation(source),
      options,
    )) {
      send({ type: 'point', point });
    }
    send({ type: 'done' });
  } finally {
    await evaluator.close();
    await loader.close();
  }
});

async function weightsOf(file: string): Promise<Weights> {
  const { tensors } = await readWeights(file);
  return new Map([...tensors].map(([name, { data }]) => [name, data]));
}
