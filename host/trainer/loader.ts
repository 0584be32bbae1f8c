import { Worker } from 'node:worker_threads';
import type { Failure } from '../../contract/errors.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Batch } from '../../engine/runtime/onnx/trainer.ts';
import type { BatchSource } from '../../engine/train/loop.ts';
import type { DecodedSplit } from './batches.ts';
import type { TrainerJob } from './protocol.ts';

/** `epoch` null: evaluation. */
export type LoaderRequest =
  | { type: 'open'; stream: number; split: 'train' | 'test'; epoch: number | null; first: number }
  | { type: 'next'; stream: number }
  | { type: 'close'; stream: number };

export type LoaderAnswer =
  | { type: 'batch'; stream: number; batch: Batch }
  | { type: 'end'; stream: number }
  | { type: 'failed'; stream: number; failure: Failure };

/** Batches asked for before the first is used. */
const AHEAD = 4;

interface Waiting {
  resolve(answer: LoaderAnswer): void;
  reject(error: unknown): void;
}

/** The training's end of the loader thread. */
export class Loader {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting[]>();
  readonly #arrived = new Map<number, LoaderAnswer[]>();
  #streams = 0;
  #broken: unknown = null;

  constructor(job: TrainerJob, train: DecodedSplit, test: DecodedSplit | null) {
    const workerData = { job, train, test };
    this.#worker = new Worker(new URL('./loader-thread.ts', import.meta.url), { workerData });
    this.#worker.on('message', (answer: LoaderAnswer) => this.#deliver(answer));
    this.#worker.on('error', (error) => this.#fail(error));
  }

  source(split: 'train' | 'test', count: number): BatchSource {
    return {
      count,
      training: (epoch, first) => this.#stream(split, epoch, first),
      evaluation: () => this.#stream(split, null, 0),
    };
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  async *#stream(
    split: 'train' | 'test',
    epoch: number | null,
    first: number,
  ): AsyncGenerator<Batch> {
    const stream = this.#streams++;
    this.#send({ type: 'open', stream, split, epoch, first });
    for (let i = 0; i < AHEAD; i++) this.#send({ type: 'next', stream });
    try {
      for (;;) {
        const answer = await this.#next(stream);
        if (answer.type === 'end') return;
        if (answer.type === 'failed') throw asError(answer.failure);
        this.#send({ type: 'next', stream });
        yield answer.batch;
      }
    } finally {
      this.#waiting.delete(stream);
      this.#arrived.delete(stream);
      this.#send({ type: 'close', stream });
    }
  }

  #send(request: LoaderRequest): void {
    this.#worker.postMessage(request);
  }

  #next(stream: number): Promise<LoaderAnswer> {
    if (this.#broken) return Promise.reject(this.#broken);
    const ready = this.#arrived.get(stream)?.shift();
    if (ready) return Promise.resolve(ready);
    return new Promise((resolve, reject) => {
      const queue = this.#waiting.get(stream) ?? [];
      queue.push({ resolve, reject });
      this.#waiting.set(stream, queue);
    });
  }

  #deliver(answer: LoaderAnswer): void {
    const waiting = this.#waiting.get(answer.stream)?.shift();
    if (waiting) {
      waiting.resolve(answer);
      return;
    }
    const queue = this.#arrived.get(answer.stream) ?? [];
    queue.push(answer);
    this.#arrived.set(answer.stream, queue);
  }

  #fail(error: unknown): void {
    this.#broken = error;
    for (const queue of this.#waiting.values()) queue.forEach(({ reject }) => reject(error));
  }
}

function asError({ code, message, detail }: Failure): CarryoverError {
  return new CarryoverError(code, message, detail);
}
