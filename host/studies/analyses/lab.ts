/** What a measurement has at hand: networks, images, progress, and what it found before. */
import type { ParameterSpec } from '../../../engine/models/model.ts';
import type { ModelOptions } from '../../../engine/models/model.ts';
import type { Weights } from '../../../engine/models/registry.ts';
import type { Batch } from '../../../engine/runtime/batch.ts';
import type { Evaluation } from '../../../engine/train/evaluate.ts';
import type { BatchSource } from '../../../engine/train/loop.ts';
import type { TrainerJob } from '../../trainer/protocol.ts';
import type { NetworkRef } from './definition.ts';

export type LabSplit = 'train' | 'validation' | 'test';

/** Images of one split of a run, as that run saw them (recipe and shuffle). */
export interface ImagesRef {
  run: string;
  split: LabSplit;
  /** At most so many, drawn with a fixed seed and kept in their order; absent: all. */
  most?: number;
  /** These positions in the split, ascending, instead. */
  only?: readonly number[];
}

/** Activations of images: [image, dimension], row-major. */
export interface Activations {
  values: Float32Array;
  images: number;
  /** Channels x positions where maps are kept flat; channels where they are averaged. */
  dimensions: number;
}

export interface Lab {
  /** The run's job: class names, recipe, items with their labels and image ids. */
  job(run: string): TrainerJob;
  /** Path of a file in the run's folder. */
  file(run: string, name: string): string;
  /** Of the architecture with the run's number of outputs. */
  options(run: string): ModelOptions;
  parameters(run: string): readonly ParameterSpec[];
  weights(network: NetworkRef): Promise<Weights>;
  /** Positions in the split of the images that `images` stands for, ascending. */
  rows(images: ImagesRef): number[];
  /** Decoded once, kept in memory as batches. */
  source(images: ImagesRef): Promise<BatchSource>;
  /** Loss, accuracy and logits; one session serves all weights of one architecture and head. */
  evaluate(weights: Weights, images: ImagesRef): Promise<Evaluation>;
  /**
   * Activations at named taps (`Model.taps`), in evaluation mode.
   * @param maps what becomes of [channel, row, column]: `mean` over the positions, or `flat`
   */
  activations(
    run: string,
    weights: Weights,
    images: ImagesRef,
    taps: readonly string[],
    maps: 'mean' | 'flat',
  ): Promise<Map<string, Activations>>;
  /** Batches of a source, for measurements that run graphs of their own. */
  batches(images: ImagesRef): Promise<readonly Batch[]>;
  /** What was computed under this key before the process was stopped, else computes and keeps it. */
  memo<T>(key: string, compute: () => Promise<T>): Promise<T>;
  tell(phase: string, done: number, total: number, unit: string): void;
  /**
   * Writes a PNG for a `PicturesFigure` and returns its name.
   * @param pixels [row, column, channel], 1 or 3 channels of 0..255
   */
  picture(
    name: string,
    pixels: Uint8Array,
    size: { width: number; height: number; channels: 1 | 3 },
  ): Promise<string>;
}

/** A measurement: plain JSON in, plain JSON out. */
export type Measure<J, M> = (job: J, lab: Lab) => Promise<M>;
