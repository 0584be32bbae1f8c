/** A training on whichever device was chosen. */
import type { DeviceId } from '../../../contract/devices.ts';
import type { Training } from '../../../contract/study.ts';
import type { ModelOptions } from '../../models/model.ts';
import type { Batch, StepResult, StepsOf, TrainingState } from '../batch.ts';
import { OnnxTrainer } from '../onnx/trainer.ts';

/** What every runtime's trainer does. */
export interface Trainer {
  step(batch: Batch, learningRate: number, stepsOf: StepsOf): Promise<StepResult>;
  state(): Promise<TrainingState>;
  close(): Promise<void>;
}

export interface Placement {
  device: DeviceId;
  threads: number;
  /** By class; absent: all 1. */
  classWeights?: Float32Array | null;
}

/**
 * A trainer that starts from `state` on a device.
 * @throws Error where the device cannot be had; on some machines the process ends instead, so that a
 * device is first tried in a process of its own (`probe-main.ts`)
 */
export async function createTrainer(
  options: ModelOptions,
  training: Training,
  state: TrainingState,
  { device, threads, classWeights = null }: Placement,
): Promise<Trainer> {
  if (device !== 'tfjs-gpu') {
    return OnnxTrainer.create(options, training, state, { device, threads, classWeights });
  }
  const { requireTensorflowGpu } = await import('../tfjs/gpu.ts');
  const { TfjsTrainer } = await import('../tfjs/trainer.ts');
  requireTensorflowGpu();
  return TfjsTrainer.create(options, training, state, { classWeights });
}
