/** What is measured: one model, one batch, one recipe, the same for every competitor. */
import { trainingSchema } from '../contract/study.ts';
import type { ArchitectureSpec } from '../contract/architecture.ts';
import type { Training } from '../contract/study.ts';
import type { ModelOptions } from '../engine/models/model.ts';
import { initialise } from '../engine/models/registry.ts';
import { stream } from '../engine/random/streams.ts';
import type { Batch, TrainingState } from '../engine/runtime/batch.ts';
import { buildForwardLoss } from '../engine/train/step.ts';

export interface Setting {
  options: ModelOptions;
  training: Training;
  start: TrainingState;
  batch: Batch;
}

export const CLASSES = 50;

/** A net at its random start and a batch of noise. */
export function settingOf(architecture: ArchitectureSpec, batch: number): Setting {
  const options: ModelOptions = { architecture, channels: 3, classes: CLASSES, batch };
  const weights = initialise(buildForwardLoss(options).parameters, 0);
  const momentum = new Map([...weights].map(([name, w]) => [name, new Float32Array(w.length)]));
  const random = stream(0, 'bench');
  const images = new Float32Array(batch * 3 * architecture.image ** 2);
  return {
    options,
    training: trainingSchema.parse({ epochs: 1, lr: { peak: 0.01 } }),
    start: { weights, momentum },
    batch: {
      images: images.map(() => random.normal()),
      labels: Int32Array.from({ length: batch }, (_, i) => i % CLASSES),
      size: batch,
    },
  };
}
