import { availableParallelism } from 'node:os';
import type { ModelOptions } from '../../engine/models/model.ts';
import { storedSize } from '../../engine/transforms/augment.ts';
import type { DecodedSplit, LoaderJob, SplitName } from './batches.ts';
import { decodedFolder } from './decoded-cache.ts';
import type { DecodedFile } from './decoded.ts';
import { openDecoded } from './decoded.ts';
import { Loader } from './loader.ts';
import { checkPresent } from './present.ts';
import type { ItemList, LearnList, TrainerJob, TrainerMessage } from './protocol.ts';

type Send = (message: TrainerMessage) => void;

/** What a job's network looks like to the engine. */
export function modelOptions(
  job: Pick<TrainerJob, 'architecture' | 'classNames' | 'training'> & {
    train?: Pick<ItemList, 'findings'>;
  },
): ModelOptions {
  return {
    architecture: job.architecture,
    classes: job.classNames.length,
    batch: job.training.batch,
    ...(job.train?.findings && { loss: 'sigmoid' }),
  };
}

export interface LoaderOptions {
  threads?: number;
  /** Splits that are looked at; absent: all. */
  only?: readonly SplitName[];
}

/** Makes sure that a job's pixels are decoded, and starts its loader threads. */
export async function openLoader(
  job: LoaderJob,
  send: Send,
  { threads = loaderThreads(), only }: LoaderOptions = {},
): Promise<Loader> {
  const splits = wanted(job).filter(({ name }) => only === undefined || only.includes(name));
  const preparation = new Preparation(job, send, splits);
  try {
    const decoded = await preparation.splits();
    return new Loader(job, decoded, threads, () => preparation.release());
  } catch (error) {
    await preparation.release();
    throw error;
  }
}

/** One thread keeps up with any CPU; a quarter of many cores feeds a faster device. */
function loaderThreads(): number {
  return Math.min(4, Math.max(1, Math.floor(availableParallelism() / 4)));
}

/** Decodes what a job needs and holds it until it is released. */
class Preparation {
  readonly #job: LoaderJob;
  readonly #send: Send;
  readonly #wanted: readonly Wanted[];
  readonly #open: DecodedFile[] = [];
  readonly #total: number;
  #done = 0;

  constructor(job: LoaderJob, send: Send, wanted: readonly Wanted[]) {
    this.#job = job;
    this.#send = send;
    this.#wanted = wanted;
    this.#total = wanted.reduce((sum, { items, sides }) => {
      return sum + items.places.length * sides.length;
    }, 0);
  }

  async splits(): Promise<Map<SplitName, DecodedSplit>> {
    const splits = new Map<SplitName, DecodedSplit>();
    for (const { name, items, sides } of this.#wanted) {
      await checkPresent(items.places);
      const files = new Map<number, number>();
      for (const side of sides) files.set(side, await this.#decode(items, side));
      const { labels, findings, weights, imageIds: ids } = items;
      const known = { ...(findings && { findings }), ...(weights && { weights }) };
      splits.set(name, { labels, ...known, ids, files });
    }
    this.#sayWhenTooLarge();
    return splits;
  }

  async release(): Promise<void> {
    for (const file of this.#open.splice(0)) await file.release();
  }

  async #decode(items: ItemList, side: number): Promise<number> {
    const { recipe, architecture, cacheFolder, cacheBytes } = this.#job;
    const size = storedSize(recipe, side);
    const file = await openDecoded(
      items,
      { recipe, size, channels: architecture.channels },
      { folder: decodedFolder(cacheFolder), limit: cacheBytes },
      (done) => {
        if (done % 100 !== 0) return;
        this.#send({ type: 'preparing', done: this.#done + done, total: this.#total });
      },
    );
    this.#open.push(file);
    this.#done += items.places.length;
    return file.descriptor;
  }

  #sayWhenTooLarge(): void {
    if (this.#open.every(({ fits }) => fits)) return;
    const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6);
    const bytes = this.#open.reduce((sum, file) => sum + file.bytes, 0);
    this.#send({
      type: 'note',
      text:
        `the decoded images of this run take ${megabytes(bytes)} MB, more than the cache has room for ` +
        `(its bound is ${megabytes(this.#job.cacheBytes)} MB): what is over goes when the run ends and ` +
        `is decoded again by the next one`,
    });
  }
}

interface Wanted {
  name: SplitName;
  items: ItemList & Partial<LearnList>;
  /** Image sides that the network sees them at. */
  sides: number[];
}

/** What is learnt from at every side of the training, the others at the last. */
function wanted(job: LoaderJob): Wanted[] {
  const { train, source, learn, validation, test, architecture, training } = job;
  const last = [architecture.image];
  const sides = [...new Set([...training['image-sizes'].map(({ image }) => image), ...last])];
  const evaluated = (name: SplitName, items: ItemList | null | undefined): Wanted[] =>
    items ? [{ name, items, sides: last }] : [];
  return [
    { name: 'train', items: train, sides: source ? last : sides },
    ...evaluated('source', source),
    ...(learn ? [{ name: 'learn' as const, items: learn, sides }] : []),
    ...evaluated('validation', validation),
    ...evaluated('test', test),
  ];
}
