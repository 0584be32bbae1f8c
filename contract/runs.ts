import type { Failure } from './errors.ts';

export type RunStatus = 'planned' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled';

/** One row of a run's learning curve. Epoch 0 is the start, before any step. */
export interface EpochMetrics {
  epoch: number;
  /** Mean loss over the epoch's steps, with augmentation; null at epoch 0. */
  trainLoss: number | null;
  /** Clean training accuracy (no augmentation, after the epoch); null when not evaluated. */
  trainAccuracy: number | null;
  /** On the validation split; null without one, or when not evaluated. */
  validationLoss: number | null;
  validationAccuracy: number | null;
  testLoss: number | null;
  /** Multi-label: the share of known (image, finding) values that are right at probability 1/2. */
  testAccuracy: number | null;
  /** Multi-label: mean area under the ROC curve over findings with both values; else null. */
  trainAuc: number | null;
  validationAuc: number | null;
  testAuc: number | null;
  /** Learning rate of the epoch's last step. */
  learningRate: number;
  seconds: number;
}

export interface RunSummary {
  id: string;
  /** `P` (pretraining), or the arm's name in the study, such as P-T or RI-T. */
  arm: string;
  kind: 'pretraining' | 'target';
  /** Domains it was trained on. */
  domains: string[];
  datasetId: string;
  datasetName: string;
  architecture: string;
  seed: number;
  /** `none`, `pixel`, or the block size in pixels as text. */
  shuffle: string;
  status: RunStatus;
  /** As planned; early stopping may end a run before. */
  epochs: number;
  epochsDone: number;
  /** With early stopping: the epoch of the least validation loss, whose weights are the result. */
  bestEpoch: number | null;
  trainImages: number;
  validationImages: number;
  testImages: number;
  /** Of the epoch that is the run's result: the best one with early stopping, else the last. */
  trainAccuracy: number | null;
  testAccuracy: number | null;
  /** Multi-label; null otherwise. */
  testAuc: number | null;
  /** Mean clean training accuracy over the epochs 1..last. */
  optimisationSpeed: number | null;
  studies: { id: string; name: string }[];
}

/** Everything that makes a run what it is, and what came of it. */
export interface RunDetail extends RunSummary {
  /** The content-addressed specification (canonical JSON object). */
  spec: Record<string, unknown>;
  datasetHash: string;
  /** `<run>@<epoch>`, or the name of an imported checkpoint; null: random. */
  parentCheckpoint: string | null;
  device: string;
  versions: Record<string, string>;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  /** SHA-256 of the final weights file. */
  weightsHash: string | null;
  failure: Failure | null;
  curve: EpochMetrics[];
  notes: string[];
}

/** A live training event. */
export interface RunProgress {
  runId: string;
  studyId: string | null;
  epoch: number;
  epochs: number;
  step: number;
  stepsPerEpoch: number;
  imagesPerSecond: number | null;
  secondsLeft: number | null;
  loss: number | null;
}
