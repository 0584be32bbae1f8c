/** Makes batches on a thread of its own, in the order in which they are asked for. */
import { parentPort, workerData } from 'node:worker_threads';
import { toFailure } from '../../contract/errors.ts';
import type { Batch } from '../../engine/runtime/batch.ts';
import type { LoaderJob, SplitName } from './batches.ts';
import { BatchMaker } from './batches.ts';
import type { LoaderAnswer, LoaderRequest, LoaderSplits } from './loader.ts';

const { job, splits } = workerData as { job: LoaderJob; splits: LoaderSplits };
const port = parentPort;
if (!port) throw new Error('loader-thread.ts runs as a worker thread');

const makers = new Map(
  [...splits].map(([name, split]): [SplitName, BatchMaker] => [name, new BatchMaker(job, split)]),
);

function make({ split, spare, ...address }: LoaderRequest): Batch {
  const maker = makers.get(split);
  if (!maker) throw new Error(`this run has no ${split} images`);
  return maker.make(address, spare);
}

port.on('message', (request: LoaderRequest) => {
  try {
    const batch = make(request);
    const { images, labels, findings, mix } = batch;
    const arrays = [
      ...[images, labels, ...(mix ? [mix.partner] : [])],
      ...(findings ? [findings.targets, findings.mask] : []),
    ];
    const answer: LoaderAnswer = { batch };
    port.postMessage(
      answer,
      arrays.map(({ buffer }) => buffer as ArrayBuffer),
    );
  } catch (error) {
    const answer: LoaderAnswer = { failure: toFailure(error) };
    port.postMessage(answer);
  }
});
