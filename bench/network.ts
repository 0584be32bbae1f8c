/** What is measured: one model, one batch, one recipe, the same for every competitor. */
import { trainingSchema } from '../contract/study.ts';
import type { ArchitectureSpec } from '../contract/architecture.ts';
import type { Training } from '../contract/study.ts';
import type { ModelOptions, ParameterSpec } from '../engine/models/model.ts';
import { buildModel, initialise } from '../engine/models/registry.ts';
import type { Weights } from '../engine/models/registry.ts';
import { stream } from '../engine/random/streams.ts';
import type { Batch } from '../engine/runtime/batch.ts';

export interface Network {
  options: ModelOptions;
  training: Training;
  parameters: readonly ParameterSpec[];
  weights: Weights;
  batch: Batch;
}

const CLASSES = 50;
/** Learning rate of every step. */
export const RATE = 0.01;

/** A net at its random start and a batch of noise. */
export function networkAtStart(architecture: ArchitectureSpec, batch: number): Network {
  const options: ModelOptions = { architecture, classes: CLASSES, batch };
  const { parameters } = buildModel(options);
  const random = stream(0, 'bench');
  const images = new Float32Array(batch * architecture.channels * architecture.image ** 2);
  return {
    options,
    training: trainingSchema.parse({ epochs: 1, lr: { peak: RATE } }),
    parameters,
    weights: initialise(parameters, 0),
    batch: {
      images: images.map(() => random.normal()),
      labels: Int32Array.from({ length: batch }, (_, i) => i % CLASSES),
      size: batch,
    },
  };
}
