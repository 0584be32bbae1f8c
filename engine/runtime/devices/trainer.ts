/** Training and evaluation on whichever device was chosen. */
import type { DeviceId } from '../../../contract/devices.ts';
import type { Training } from '../../../contract/study.ts';
import type { ModelOptions } from '../../models/model.ts';
import type { Weights } from '../../models/registry.ts';
import type { Batch, StepResult, StepsOf, TrainingState } from '../batch.ts';
import type { TrainerSettings } from '../onnx/trainer.ts';
import { OnnxEvaluator, OnnxTrainer } from '../onnx/trainer.ts';

/** What every runtime's trainer does. */
export interface Trainer {
  step(batch: Batch, learningRate: number, stepsOf: StepsOf): Promise<StepResult>;
  /** The arrays are not changed by later steps. */
  state(): Promise<TrainingState>;
  close(): Promise<void>;
}

/** What every runtime's evaluator does. */
export interface Evaluator {
  run(weights: Weights, batch: Batch): Promise<{ loss: number; logits: Float32Array }>;
  close(): Promise<void>;
}

/** Where and how to compute. */
export interface Placement extends Omit<TrainerSettings, 'device'> {
  /** Default `cpu`. */
  device?: DeviceId;
}

/**
 * A trainer that starts from `state` on a device.
 * @throws Error where the device cannot be had; on some machines the process ends instead, so that a
 * device is first tried in a process of its own (`probe.ts`)
 */
export async function createTrainer(
  options: ModelOptions,
  training: Training,
  state: TrainingState,
  { device = 'cpu', ...settings }: Placement,
): Promise<Trainer> {
  if (device !== 'tfjs-gpu') {
    return OnnxTrainer.create(options, training, state, { ...settings, device });
  }
  const { TfjsTrainer } = await import('../tfjs/trainer.ts');
  await wakeTensorflow();
  const { classWeights = null } = settings;
  return TfjsTrainer.create(options, training, state, { classWeights });
}

/** An evaluator on a device. Throws as `createTrainer`. */
export async function createEvaluator(
  options: ModelOptions,
  { device = 'cpu', threads }: Placement,
): Promise<Evaluator> {
  if (device !== 'tfjs-gpu') return OnnxEvaluator.create(options, { threads, device });
  const { TfjsEvaluator } = await import('../tfjs/evaluator.ts');
  await wakeTensorflow();
  return new TfjsEvaluator(options);
}

async function wakeTensorflow(): Promise<void> {
  const { requireTensorflowGpu } = await import('../tfjs/gpu.ts');
  requireTensorflowGpu();
}
