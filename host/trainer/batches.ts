import { readSync } from 'node:fs';
import type { RandomState } from '../../engine/random/random-state.ts';
import { stream } from '../../engine/random/streams.ts';
import type { Batch } from '../../engine/runtime/batch.ts';
import { maskedTargets } from '../../engine/train/uncertain.ts';
import { augmentInto, evaluationInto, storedSize } from '../../engine/transforms/augment.ts';
import { drawMix, mixImages } from '../../engine/transforms/mixup.ts';
import { rotatePlane } from '../../engine/transforms/rotate.ts';
import {
  shuffleIndex,
  shufflePermutation,
  shufflePlanar,
} from '../../engine/transforms/shuffle.ts';
import type { ItemList, LearnList, TrainerJob } from './protocol.ts';

/** What of a job decides its batches. */
export type LoaderJob = Pick<
  TrainerJob,
  | 'architecture'
  | 'task'
  | 'recipe'
  | 'training'
  | 'seed'
  | 'shuffle'
  | 'train'
  | 'source'
  | 'validation'
  | 'test'
> &
  Pick<TrainerJob, 'cacheFolder' | 'cacheBytes'> & {
    /** What is learnt from, where that is not the training images. */
    learn?: LearnList;
  };

export type SplitName = 'train' | 'source' | 'learn' | 'validation' | 'test';

/** One split's decoded pixels, what they are of, and their ids. */
export interface DecodedSplit
  extends Pick<ItemList, 'labels' | 'findings'>, Partial<Pick<LearnList, 'weights'>> {
  ids: readonly number[];
  /** Open file of decoded pixels by the image side that the network sees. */
  files: ReadonlyMap<number, number>;
}

/** Which batch, and at which image side; `epoch` null: in order, as seen in evaluation. */
export interface BatchAddress {
  epoch: number | null;
  /** 0-based within the epoch. */
  batch: number;
  image: number;
}

/** What one image side needs. */
interface Side {
  image: number;
  descriptor: number;
  stored: number;
  pixels: Uint8Array;
  planar: Float32Array;
  index: Int32Array | null;
}

/**
 * Makes the batches of one split: reads pixels, augments, normalises, shuffles. A batch depends on
 * the job and its address only, not on what was made before.
 */
export class BatchMaker {
  readonly #job: LoaderJob;
  readonly #split: DecodedSplit;
  readonly #sides = new Map<number, Side>();
  #order: { epoch: number | null; items: Int32Array } | null = null;
  /** Images before they are mixed. */
  #unmixed = new Float32Array();

  constructor(job: LoaderJob, split: DecodedSplit) {
    this.#job = job;
    this.#split = split;
  }

  /** @param spare memory that the images are written into where it is large enough */
  make({ epoch, batch, image }: BatchAddress, spare?: ArrayBuffer): Batch {
    const { seed, training } = this.#job;
    const side = this.#side(image);
    const values = side.planar.length;
    const chosen = this.#items(epoch).subarray(
      batch * training.batch,
      (batch + 1) * training.batch,
    );
    const random = epoch === null ? null : stream(seed, 'augment', epoch, batch);
    const mix =
      epoch === null || training.mixup === 0
        ? null
        : drawMix(stream(seed, 'mixup', epoch, batch), training.mixup, chosen.length);
    const images = arrayIn(spare, chosen.length * values);
    const unmixed = mix ? this.#before(images) : images;
    chosen.forEach((item, position) => this.#into(side, item, random, unmixed, position * values));
    const turns = this.#turns(chosen, { epoch, batch });
    turns?.forEach((turn, position) => this.#turn(unmixed, position * values, image, turn));
    if (mix) mixImages(unmixed, mix, images);
    const { ids, weights } = this.#split;
    return {
      images,
      ...(turns ? { labels: turns } : this.#labelsOf(chosen)),
      size: chosen.length,
      ids: Array.from(chosen, (item) => ids[item] ?? 0),
      ...(weights &&
        epoch !== null && { weights: Float32Array.from(chosen, (item) => weights[item]!) }),
      ...(mix && { mix }),
    };
  }

  /** An array of the same length as a batch's mixed images, used again by every batch. */
  #before({ length }: Float32Array): Float32Array {
    if (this.#unmixed.length < length) this.#unmixed = new Float32Array(length);
    return this.#unmixed.subarray(0, length);
  }

  /** By how many quarter turns each image is turned, where that is the task: its label then. */
  #turns(chosen: Int32Array, { epoch, batch }: Omit<BatchAddress, 'image'>): Int32Array | null {
    const { task, seed } = this.#job;
    if (task !== 'rotation') return null;
    const { labels } = this.#split;
    if (epoch === null) return chosen.map((item) => labels[item] ?? 0);
    const random = stream(seed, 'rotation', epoch, batch);
    return chosen.map(() => random.randint(0, 4));
  }

  #turn(images: Float32Array, offset: number, side: number, turns: number): void {
    const area = side * side;
    for (let channel = 0; channel < this.#job.architecture.channels; channel++) {
      const from = offset + channel * area;
      rotatePlane(images.subarray(from, from + area), side, turns);
    }
  }

  #labelsOf(chosen: Int32Array): Pick<Batch, 'labels' | 'findings'> {
    const { labels, findings } = this.#split;
    if (!findings) return { labels: chosen.map((item) => labels[item] ?? 0) };
    const rows = Array.from(chosen, (item) => findings[item] ?? []);
    return {
      labels: new Int32Array(),
      findings: maskedTargets(rows, findings[0]?.length ?? 0),
    };
  }

  /** The order of an epoch; the last one is kept. */
  #items(epoch: number | null): Int32Array {
    if (this.#order?.epoch === epoch) return this.#order.items;
    const count = this.#split.ids.length;
    const items =
      epoch === null
        ? Int32Array.from({ length: count }, (_, i) => i)
        : stream(this.#job.seed, 'order', epoch).permutation(count);
    this.#order = { epoch, items };
    return items;
  }

  #side(image: number): Side {
    const known = this.#sides.get(image);
    if (known) return known;
    const { recipe, architecture, shuffle, seed } = this.#job;
    const { channels } = architecture;
    const descriptor = this.#split.files.get(image);
    if (descriptor === undefined) throw new Error(`nothing is decoded for ${image} px`);
    const stored = storedSize(recipe, image);
    const plan = shufflePermutation(shuffle, image, channels, seed);
    const side: Side = {
      image,
      descriptor,
      stored,
      pixels: new Uint8Array(stored ** 2 * channels),
      planar: new Float32Array(image ** 2 * channels),
      index: plan && shuffleIndex(plan, image, channels),
    };
    this.#sides.set(image, side);
    return side;
  }

  #into(
    side: Side,
    item: number,
    random: RandomState | null,
    target: Float32Array,
    offset: number,
  ): void {
    const { recipe, architecture } = this.#job;
    const { channels } = architecture;
    const { image, stored, pixels, planar, index } = side;
    const [output, at] = index ? [planar, 0] : [target, offset];
    readSync(side.descriptor, pixels, 0, pixels.length, item * pixels.length);
    if (random) augmentInto(pixels, stored, recipe, random, image, output, at, channels);
    else evaluationInto(pixels, stored, recipe, image, output, at, channels);
    if (index) shufflePlanar(planar, target, index, 0, offset);
  }
}

/** `length` values, of which nothing is known yet. */
function arrayIn(spare: ArrayBuffer | undefined, length: number): Float32Array<ArrayBuffer> {
  const fits = spare && spare.byteLength >= length * Float32Array.BYTES_PER_ELEMENT;
  return fits ? new Float32Array(spare, 0, length) : new Float32Array(length);
}
