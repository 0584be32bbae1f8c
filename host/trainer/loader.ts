import { Worker } from 'node:worker_threads';
import type { Failure } from '../../contract/errors.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Batch } from '../../engine/runtime/batch.ts';
import type { BatchSource } from '../../engine/train/loop.ts';
import type { BatchAddress, DecodedSplit, LoaderJob, SplitName } from './batches.ts';

export type LoaderSplits = ReadonlyMap<SplitName, DecodedSplit>;

export interface LoaderRequest extends BatchAddress {
  split: SplitName;
  /** Memory of a batch that was given back. */
  spare?: ArrayBuffer;
}

/** Answers come in the order of the requests. */
export type LoaderAnswer = { batch: Batch } | { failure: Failure };

/** Batches that each thread is asked for before the first is used. */
const AHEAD = 3;

/** The training's end of the loader threads. The batches do not depend on how many there are. */
export class Loader {
  readonly #job: LoaderJob;
  readonly #splits: LoaderSplits;
  readonly #threads: LoaderThread[];
  readonly #release: () => Promise<void>;
  /**
   * Memory of batches that were given back. The threads write into it again: new memory comes from
   * the system page by page, which takes longer than to fill it with pixels.
   */
  readonly #spare: ArrayBuffer[] = [];

  /** @param release frees the splits' files, once no thread reads them any more */
  constructor(job: LoaderJob, splits: LoaderSplits, threads: number, release: () => Promise<void>) {
    this.#job = job;
    this.#splits = splits;
    this.#release = release;
    this.#threads = Array.from({ length: threads }, () => new LoaderThread(job, splits));
  }

  /** The batches of one split; null where the job has no images for it, or they were not asked for. */
  source(split: SplitName): BatchSource | null {
    const count = this.#splits.get(split)?.ids.length;
    if (count === undefined) return null;
    return {
      count,
      training: (epoch, first, image) =>
        this.#batches({ split, epoch, batch: first, image }, count),
      evaluation: () => {
        const { image } = this.#job.architecture;
        return this.#batches({ split, epoch: null, batch: 0, image }, count);
      },
      giveBack: ({ images }) => this.#spare.push(images.buffer as ArrayBuffer),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
    await this.#release();
  }

  /** From the given batch to the end of its epoch, made ahead of their use. */
  async *#batches(first: LoaderRequest, count: number): AsyncGenerator<Batch> {
    const end = Math.ceil(count / this.#job.training.batch);
    const coming: Promise<Batch>[] = [];
    let next = first.batch;
    for (let batch = first.batch; batch < end; batch++) {
      for (; next < end && coming.length < AHEAD * this.#threads.length; next++) {
        coming.push(this.#ask({ ...first, batch: next }));
      }
      yield await (coming.shift() as Promise<Batch>);
    }
  }

  #ask(request: LoaderRequest): Promise<Batch> {
    const thread = this.#threads[request.batch % this.#threads.length] as LoaderThread;
    const spare = this.#spare.pop();
    const batch = thread.ask(spare ? { ...request, spare } : request);
    // Whoever stops early never looks at the batches that were made ahead.
    batch.catch(() => undefined);
    return batch;
  }
}

interface Waiting {
  resolve(batch: Batch): void;
  reject(error: unknown): void;
}

class LoaderThread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #broken: unknown = null;

  constructor(job: LoaderJob, splits: LoaderSplits) {
    const workerData = { job, splits };
    this.#worker = new Worker(new URL('./loader-thread.ts', import.meta.url), { workerData });
    this.#worker.on('message', (answer: LoaderAnswer) => {
      const waiting = this.#waiting.shift();
      if ('batch' in answer) waiting?.resolve(answer.batch);
      else waiting?.reject(asError(answer.failure));
    });
    this.#worker.on('error', (error) => {
      this.#broken = error;
      this.#waiting.splice(0).forEach(({ reject }) => reject(error));
    });
  }

  ask(request: LoaderRequest): Promise<Batch> {
    if (this.#broken) return Promise.reject(this.#broken as Error);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request, request.spare ? [request.spare] : []);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

function asError({ code, message, detail }: Failure): CarryoverError {
  return new CarryoverError(code, message, detail);
}
