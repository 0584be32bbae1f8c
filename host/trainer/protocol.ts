import type { RateSearch } from '../../contract/api.ts';
import type { DeviceId } from '../../contract/devices.ts';
import type { Failure } from '../../contract/errors.ts';
import type { EpochMetrics } from '../../contract/runs.ts';
import type { ArchitectureSpec } from '../../contract/architecture.ts';
import type { SourceWay } from '../../contract/source.ts';
import type { Recipe, Redrawn, Shuffle, Training, Unsupervised } from '../../contract/study.ts';
import type { FindingTarget } from '../../engine/train/uncertain.ts';
import type { Place } from '../../engine/transforms/place.ts';

/** Images of one split: parallel arrays. */
export interface ItemList {
  imageIds: number[];
  places: Place[];
  /** Class indices; empty where there are `findings`. */
  labels: number[];
  /** Multi-label: what each finding of each image is trained and scored as. */
  findings?: FindingTarget[][];
  /** Hash of each image's content at import; an image that differs now stops the run. */
  hashes: string[];
}

/** Images of a pretraining that a run may learn from, in the numbering of its own classes. */
export interface SourceList extends ItemList {
  way: SourceWay;
  /** A number per image; images of a group are never on both sides of a fold. */
  groups: number[];
  /** The same of the training images. */
  targetGroups: number[];
}

/** Images that a run learns from, with what each counts; mean 1. */
export interface LearnList extends ItemList {
  weights: number[];
}

/** Everything one training needs, as the JSON file `<folder>/job.json` that the child is given. */
export interface TrainerJob {
  runId: string;
  /** The run's folder; journal, weights and logits are written here and nowhere else. */
  folder: string;
  /** Where decoded pixels are cached, shared by runs. */
  cacheFolder: string;
  /** Bound on the decoded pixels kept there. */
  cacheBytes: number;
  architecture: ArchitectureSpec;
  /** rotation: labels are quarter turns, in training drawn anew, by which images are turned. */
  task?: Unsupervised;
  /** Classes, or findings where the images have them. */
  classNames: string[];
  recipe: Recipe;
  training: Training;
  seed: number;
  shuffle: Shuffle;
  train: ItemList;
  /** What it learns from besides, or instead of, the training images, which it is evaluated on. */
  source?: SourceList;
  /** Kept apart from the training images; null: there are none. */
  validation: ItemList | null;
  /** null: trained on everything, nothing to test on. */
  test: ItemList | null;
  /**
   * `weights`: a weights file of another run; `checkpoint`: one that was imported, whose first
   * layer is fitted to the channels and which may lack tensors. What is not taken is drawn anew.
   */
  start:
    | { kind: 'random' }
    | {
        kind: 'weights' | 'checkpoint';
        file: string;
        /** What is taken: with the head, or up to a stage; absent: all but the head. */
        keep?: 'all' | { to: string };
        /** Taken as redrawn tensors. */
        redrawn?: Redrawn;
      };
  /** Epochs whose weights are kept besides 0 (the start) and the last. */
  keepEpochs: number[];
  device: DeviceId;
  /** Adapter and library behind the device, for the run's versions; empty where unasked. */
  adapter: string;
}

/** A learning-rate search, as the JSON file that `rate-main.ts` is given. */
export interface RateJob {
  /** The training it is for: its images, start, recipe and optimiser. */
  job: TrainerJob;
}

/** Child to host while it searches; `done` ends it. */
export type RateMessage =
  | { type: 'preparing'; done: number; total: number }
  | { type: 'rate'; step: number; steps: number; rate: number; loss: number }
  | { type: 'done'; search: Pick<RateSearch, 'rates' | 'losses' | 'suggestion' | 'why'> }
  | { type: 'failed'; failure: Failure };

/** A file the child wrote, relative to the run's folder. */
export interface WrittenFile {
  kind: 'weights' | 'logits';
  name: string;
  epoch: number;
  split: 'train' | 'test' | null;
  bytes: number;
  sha256: string;
}

/** Child to host, by IPC. */
export type TrainerMessage =
  | { type: 'preparing'; done: number; total: number }
  | {
      type: 'step';
      epoch: number;
      step: number;
      stepsPerEpoch: number;
      imagesPerSecond: number | null;
      secondsLeft: number | null;
      loss: number;
    }
  /** `resumed`: from the journal, not newly trained. */
  | { type: 'epoch'; metrics: EpochMetrics; resumed: boolean }
  | { type: 'note'; text: string }
  | {
      type: 'done';
      files: WrittenFile[];
      /** With early stopping: the epoch that the result is of. */
      bestEpoch: number | null;
      weightsHash: string;
      device: string;
      versions: Record<string, string>;
    }
  /** After `pause`: the journal is written and the child ends with 0. Start it again to go on. */
  | { type: 'paused'; epoch: number }
  | { type: 'failed'; failure: Failure };

/** Host to child. `cancel` ends it at once; the journal stays valid either way. */
export type TrainerCommand = { type: 'pause' } | { type: 'cancel' };
