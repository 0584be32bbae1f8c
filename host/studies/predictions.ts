import { join } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import type { SplitName } from '../../contract/compare.ts';
import { argmaxRows, softmaxRows } from '../../engine/analysis/metrics.ts';
import type { HostContext } from '../context.ts';
import type { ItemList } from '../trainer/protocol.ts';
import { readLogitsFile } from './logits-file.ts';
import type { RunFile } from './run-files.ts';
import { logitsFile, readJob, runFolder } from './run-files.ts';
import { runSummary } from './run-rows.ts';

/** What a run said about the images of a split; arrays are parallel. */
export interface Predictions {
  classNames: string[];
  imageIds: number[];
  /** SHA-256 of the images. */
  hashes: string[];
  /** Class indices. */
  truth: Int32Array;
  predicted: Int32Array;
  /** Softmax probability of the predicted and of the true class. */
  confidence: Float32Array;
  truthConfidence: Float32Array;
}

type Place = Pick<HostContext, 'db' | 'home'>;

/** What a run's network said about the images of a split. */
export interface RunLogits {
  classNames: string[];
  items: ItemList;
  /** [image, class]. */
  logits: Float32Array;
}

/** Reads the logits of a finished run. Throws `not-found`, `conflict` (not finished) or `io`. */
export function readLogits(place: Place, runId: string, split: SplitName): RunLogits {
  const file = requireLogits(place, runId, split);
  const path = join(runFolder(place, runId), file.name);
  const job = readJob(place, runId);
  const items = split === 'train' ? job.train : job.test;
  const { classNames } = job;
  if (!items) throw new CarryoverError('io', `${path} is of images that run ${runId} has not`);
  const logits = readLogitsFile(path, items.imageIds.length * classNames.length);
  checkLogits(path, logits, items.imageIds, classNames.length);
  return { classNames, items, logits };
}

/**
 * What a finished run decided on each image. A run on one finding tells its images with it from
 * those without; images on which it is not known are left out. Throws as `readLogits`, and
 * `unsupported` for several findings, among which nothing is decided.
 */
export function readPredictions(place: Place, runId: string, split: SplitName): Predictions {
  const run = readLogits(place, runId, split);
  const { classNames, items, logits } = asTwoClasses(run, runId);
  return {
    classNames,
    imageIds: items.imageIds,
    hashes: items.hashes,
    ...decide(logits, items, classNames.length),
  };
}

/** As of two classes, without it and with it, where a run has one finding. */
function asTwoClasses(run: RunLogits, runId: string): RunLogits {
  const { classNames, items, logits } = run;
  if (!items.findings) return run;
  const [finding] = classNames;
  if (finding === undefined || classNames.length > 1) {
    throw new CarryoverError(
      'unsupported',
      `run ${runId} tells ${classNames.length} findings at once; agreement needs one answer an image`,
      {
        value: runId,
        wayOut: 'run the study on a single finding (data.findings.names) and compare its runs',
      },
    );
  }
  const known = items.findings.flatMap(([target], at) => (target === null ? [] : [at]));
  const of = <T>(values: readonly T[]) => known.map((at) => values[at]!);
  return {
    classNames: [`no ${finding}`, finding],
    items: {
      imageIds: of(items.imageIds),
      places: of(items.places),
      labels: of(items.findings).map(([target]) => target ?? 0),
      hashes: of(items.hashes),
    },
    // Softmax of 0 and z is the sigmoid of z.
    logits: Float32Array.from(known.flatMap((at) => [0, logits[at]!])),
  };
}

function checkLogits(
  path: string,
  logits: Float32Array,
  imageIds: readonly number[],
  classes: number,
): void {
  const at = logits.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const image = imageIds[Math.floor(at / classes)];
  throw new CarryoverError('bad-input', `${path}: a logit of image ${image} is ${logits[at]}`, {
    file: path,
    value: String(logits[at]),
    ...(image === undefined ? {} : { images: [image] }),
    wayOut: 'delete this file, run the study again at a lower learning rate',
  });
}

/** The row of a run's logits, which changes when they do. */
export function requireLogits(place: Place, runId: string, split: SplitName): RunFile {
  const { status, kind } = runSummary(place.db, runId);
  const file = logitsFile(place, runId, split);
  if (status === 'done' && file) return file;
  if (status === 'done') {
    throw new CarryoverError('bad-input', `${kind} run ${runId} has no ${split} images`, {
      value: runId,
      wayOut: 'compare runs of a target domain, or the split train',
    });
  }
  throw new CarryoverError('conflict', `run ${runId} is ${status}; only finished runs compare`, {
    value: runId,
    wayOut: 'run its study to the end',
  });
}

type Decided = Pick<Predictions, 'truth' | 'predicted' | 'confidence' | 'truthConfidence'>;

function decide(logits: Float32Array, { labels }: ItemList, classes: number): Decided {
  const truth = Int32Array.from(labels);
  const predicted = argmaxRows(logits, classes);
  const shares = softmaxRows(logits, classes);
  const shareOf = (chosen: Int32Array): Float32Array =>
    Float32Array.from(chosen, (label, image) => shares[image * classes + label]!);
  return { truth, predicted, confidence: shareOf(predicted), truthConfidence: shareOf(truth) };
}
