/** What the child processes of analyses are given (a JSON file) and say (by IPC). */
import type { ArchitectureSpec } from '../../contract/architecture.ts';
import type { Failure } from '../../contract/errors.ts';
import type { LoaderJob } from '../trainer/batches.ts';
import type { AnalysisFile } from './store.ts';

/** Rows of a file of features. */
export interface FeatureRows {
  /** Absolute; float32 [row, dimension]. */
  file: string;
  dimensions: number;
  /** Those that are used, in the order of the images. */
  rows: number[];
}

export interface FeaturesJob {
  /** Its test images are what is computed on. */
  loader: LoaderJob;
  /** null: the pixels themselves. */
  network: { file: string; architecture: ArchitectureSpec; classes: number } | null;
  /** Where the arrays are written: `<folder>/<id>.f32`. */
  folder: string;
  id: string;
}

export interface MapJob {
  features: FeatureRows;
  neighbours: number;
  minDistance: number;
  seed: number;
  /** Gets float32 [image, x and y]. */
  folder: string;
  id: string;
}

export interface SuspectsJob {
  features: FeatureRows;
  /** Class index of each image. */
  labels: number[];
  groups: string[];
  classes: number;
  folds: number;
  seed: number;
}

/** What the search for label errors found; `index` counts the images of the job. */
export interface SuspectsFound {
  accuracy: number;
  /** Of two classes, that of the second; of more null. */
  auc: number | null;
  estimated: number;
  thresholds: number[];
  confusions: { label: number; suggested: number; images: number }[];
  suspects: { index: number; suggested: number; selfConfidence: number; margin: number }[];
}

interface ProgressMessage {
  type: 'progress';
  phase: string;
  done: number;
  total: number;
  unit: string;
}
type FailedMessage = { type: 'failed'; failure: Failure };

export type FeaturesMessage =
  ProgressMessage | { type: 'done'; dimensions: number; file: AnalysisFile } | FailedMessage;
export type MapMessage = ProgressMessage | { type: 'done'; file: AnalysisFile } | FailedMessage;
export type SuspectsMessage =
  ProgressMessage | { type: 'done'; found: SuspectsFound } | FailedMessage;
export type AnalysisMessage = FeaturesMessage | MapMessage | SuspectsMessage;
