import type { Agreement, Cell } from './agreement.ts';
import type { RunSummary } from './runs.ts';

export type SplitName = 'train' | 'test';

/** A pair: two runs compared on the same images. */
export interface PairReport {
  a: RunSummary;
  b: RunSummary;
  split: SplitName;
  agreement: Agreement;
  /** The resampling unit of the interval. */
  bootstrapUnit: 'group' | 'image';
  classNames: string[];
  /** Per class, in the order of classNames: images and the count of each cell. */
  perClass: ({ n: number } & Record<Cell, number>)[];
  /** Set when the two runs saw different pixels (another shuffle or recipe). */
  warnings: string[];
}

export interface Prediction {
  label: string;
  /** Softmax probability of that label. */
  confidence: number;
  /** Softmax probability of the true label. */
  truthConfidence: number;
}

/** One image of a pair. */
export interface PairImage {
  imageId: number;
  path: string;
  domain: string;
  truth: string;
  cell: Cell;
  a: Prediction;
  b: Prediction;
}

export type PairSort = 'confidence-a' | 'confidence-b' | 'difference' | 'path';
