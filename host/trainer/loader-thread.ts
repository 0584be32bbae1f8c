/** Prepares batches on a thread of its own, a few ahead of the training. */
import { parentPort, workerData } from 'node:worker_threads';
import { toFailure } from '../../contract/errors.ts';
import type { Batch } from '../../engine/runtime/onnx/trainer.ts';
import type { DecodedSplit } from './batches.ts';
import { BatchMaker } from './batches.ts';
import type { LoaderAnswer, LoaderRequest } from './loader.ts';
import type { TrainerJob } from './protocol.ts';

const { job, train, test } = workerData as {
  job: TrainerJob;
  train: DecodedSplit;
  test: DecodedSplit | null;
};
const port = parentPort;
if (!port) throw new Error('loader-thread.ts runs as a worker thread');

const makers = {
  train: new BatchMaker(job, train),
  test: test && new BatchMaker(job, test),
};
const open = new Map<number, Generator<Batch>>();

function answer(message: LoaderAnswer, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

function batchesFor(request: Extract<LoaderRequest, { type: 'open' }>): Generator<Batch> {
  const maker = makers[request.split];
  if (!maker) throw new Error(`this run has no ${request.split} images`);
  return request.epoch === null ? maker.evaluation() : maker.training(request.epoch, request.first);
}

function advance(stream: number): void {
  const next = open.get(stream)?.next();
  if (!next || next.done) {
    open.delete(stream);
    answer({ type: 'end', stream });
    return;
  }
  const { images, labels } = next.value;
  answer({ type: 'batch', stream, batch: next.value }, [
    images.buffer as ArrayBuffer,
    labels.buffer as ArrayBuffer,
  ]);
}

port.on('message', (request: LoaderRequest) => {
  try {
    if (request.type === 'open') open.set(request.stream, batchesFor(request));
    else if (request.type === 'close') open.delete(request.stream);
    else advance(request.stream);
  } catch (error) {
    answer({ type: 'failed', stream: request.stream, failure: toFailure(error) });
  }
});
