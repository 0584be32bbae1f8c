/** The child process that computes features: `node features-main.ts <job.json>`. */
import { availableParallelism } from 'node:os';
import { CarryoverError } from '../../contract/errors.ts';
import type { Weights } from '../../engine/models/registry.ts';
import { buildModel, initialise } from '../../engine/models/registry.ts';
import { OnnxInference } from '../../engine/runtime/onnx/trainer.ts';
import { runChild } from '../trainer/child.ts';
import { readWeights } from '../trainer/journal.ts';
import { openLoader } from '../trainer/open-loader.ts';
import { writeArray } from './arrays.ts';
import type { FeaturesJob, FeaturesMessage } from './protocol.ts';

/** What the head is given. */
const TAP = 'pool';

/** Features of a batch: [image, dimension]. */
type Compute = (images: Float32Array, size: number) => Promise<Float32Array>;

await runChild<FeaturesJob, FeaturesMessage>(async ({ loader: job, network, folder, id }, send) => {
  const tell = (phase: string, done: number, total: number): void =>
    send({ type: 'progress', phase, done, total, unit: 'images' });
  const loader = await openLoader(
    job,
    (message) => {
      if (message.type === 'preparing') tell('reading images', message.done, message.total);
    },
    { only: ['test'] },
  );
  const { compute, close } = await networkOf(network, job.training.batch);
  try {
    const source = loader.source('test');
    if (!source) throw new Error('a job of features has images');
    let features: Float32Array | null = null;
    let done = 0;
    for await (const batch of source.evaluation()) {
      const { images, size } = batch;
      const values = await compute(images, size);
      features ??= new Float32Array((values.length / size) * source.count);
      features.set(values, (features.length / source.count) * done);
      source.giveBack?.(batch);
      done += size;
      tell('computing features', done, source.count);
    }
    if (!features) throw new CarryoverError('bad-input', 'there are no images');
    const file = await writeArray(folder, `${id}.f32`, features);
    send({ type: 'done', dimensions: features.length / source.count, file });
  } finally {
    await close();
    await loader.close();
  }
});

async function networkOf(
  network: FeaturesJob['network'],
  batch: number,
): Promise<{ compute: Compute; close: () => Promise<void> }> {
  if (network === null) {
    return { compute: (images) => Promise.resolve(images), close: () => Promise.resolve() };
  }
  const { architecture, classes, file } = network;
  const options = { architecture, classes, batch };
  const { parameters } = buildModel({ ...options, mode: 'evaluation' });
  // Whatever the head is: features are what it is given.
  const head = initialise(
    parameters.filter(({ stage }) => stage === 'head'),
    0,
  );
  const { tensors } = await readWeights(file);
  const weights: Weights = new Map([
    ...head,
    ...[...tensors].map(([name, { data }]) => [name, data] as const),
  ]);
  const threads = availableParallelism();
  const inference = await OnnxInference.create(options, weights, { threads }, [TAP]);
  return {
    async compute(images, size) {
      const { taps } = await inference.run(images, size);
      const pooled = taps.get(TAP);
      if (!pooled) throw new Error('every network pools');
      return pooled;
    },
    close: () => inference.close(),
  };
}
