import { openSync, readSync } from 'node:fs';
import type { RandomState } from '../../engine/random/random-state.ts';
import { stream } from '../../engine/random/streams.ts';
import type { Batch } from '../../engine/runtime/onnx/trainer.ts';
import { augmentInto, evaluationInto, storedSize } from '../../engine/transforms/augment.ts';
import {
  shuffleIndex,
  shufflePermutation,
  shufflePlanar,
} from '../../engine/transforms/shuffle.ts';
import type { ItemList, TrainerJob } from './protocol.ts';

/** One split's pixels in a decoded file, and their labels. */
export interface DecodedSplit {
  file: string;
  labels: ItemList['labels'];
}

const CHANNELS = 3;

/** Makes the batches of one split: reads pixels, augments, normalises, shuffles. */
export class BatchMaker {
  readonly count: number;
  readonly #job: TrainerJob;
  readonly #labels: number[];
  readonly #descriptor: number;
  readonly #stored: number;
  readonly #pixels: Uint8Array;
  readonly #planar: Float32Array;
  readonly #index: Int32Array | null;

  constructor(job: TrainerJob, split: DecodedSplit) {
    const { image } = job.architecture;
    this.#job = job;
    this.#labels = split.labels;
    this.count = split.labels.length;
    this.#descriptor = openSync(split.file, 'r');
    this.#stored = storedSize(job.recipe, image);
    this.#pixels = new Uint8Array(this.#stored ** 2 * CHANNELS);
    this.#planar = new Float32Array(image ** 2 * CHANNELS);
    const plan = shufflePermutation(job.shuffle, image, CHANNELS, job.seed);
    this.#index = plan && shuffleIndex(plan, image, CHANNELS);
  }

  /** Batches of a training epoch, from batch `first` on. */
  *training(epoch: number, first: number): Generator<Batch> {
    const { seed, training } = this.#job;
    const order = stream(seed, 'order', epoch).permutation(this.count);
    for (let batch = first; batch * training.batch < this.count; batch++) {
      yield this.#make(order, batch, stream(seed, 'augment', epoch, batch));
    }
  }

  /** All images in order, as they are seen in evaluation. */
  *evaluation(): Generator<Batch> {
    const order = Int32Array.from({ length: this.count }, (_, i) => i);
    for (let batch = 0; batch * this.#job.training.batch < this.count; batch++) {
      yield this.#make(order, batch, null);
    }
  }

  #make(order: Int32Array, batch: number, random: RandomState | null): Batch {
    const capacity = this.#job.training.batch;
    const values = this.#planar.length;
    const chosen = order.subarray(batch * capacity, (batch + 1) * capacity);
    const images = new Float32Array(capacity * values);
    const labels = new Int32Array(capacity);
    chosen.forEach((item, position) => {
      this.#into(item, random, images, position * values);
      labels[position] = this.#labels[item] ?? 0;
    });
    return { images, labels, size: chosen.length };
  }

  #into(item: number, random: RandomState | null, target: Float32Array, offset: number): void {
    const { recipe, architecture } = this.#job;
    const index = this.#index;
    const [output, at] = index ? [this.#planar, 0] : [target, offset];
    readSync(this.#descriptor, this.#pixels, 0, this.#pixels.length, item * this.#pixels.length);
    const { image } = architecture;
    if (random) augmentInto(this.#pixels, this.#stored, recipe, random, image, output, at);
    else evaluationInto(this.#pixels, this.#stored, recipe, image, output, at);
    if (index) shufflePlanar(this.#planar, target, index, 0, offset);
  }
}
