/** Computes trust reports on a thread of its own, so that the host answers meanwhile. */
import type { Database } from 'better-sqlite3';
import { hash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Failure } from '../../contract/errors.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Progress } from '../../contract/jobs.ts';
import type { TrustReport, TrustSpec } from '../../contract/trust.ts';
import { analysisId } from '../analyses/store.ts';
import { getSummary, listNames } from '../datasets/read.ts';
import type { ShareDone } from '../../engine/analysis/near-duplicates.ts';
import { readTrustImages } from './images.ts';
import { REPORT_VERSION, buildTrustReport } from './report.ts';

/** Near duplicates of photos and drawings mostly differ in fewer bits, other pictures in more. */
export const NEAR_BITS = 6;
/** 5 of 255 values. */
export const CONSTANT_BELOW = 0.02;

/** A specification with what was left out. */
export function trustSpec(given: {
  nearBits?: number | undefined;
  studyId?: string | undefined;
}): TrustSpec {
  const { nearBits = NEAR_BITS, studyId = null } = given;
  return { nearBits, constantBelow: CONSTANT_BELOW, studyId };
}

/** The id of the report of a data set as it is now; with a study also of its split as it is now. */
export function trustId(db: Database, datasetId: string, spec: TrustSpec): string {
  const split = spec.studyId === null ? null : splitHash(db, spec.studyId);
  return analysisId(db, datasetId, 'trust', { ...spec, split, version: REPORT_VERSION });
}

function splitHash(db: Database, studyId: string): string {
  const rows = db
    .prepare('SELECT image_id, split FROM study_images WHERE study_id = ? ORDER BY image_id')
    .raw()
    .all(studyId);
  return hash('sha256', JSON.stringify(rows));
}

interface StoredSet {
  skipped: string;
  excluded: number;
}

/**
 * The report of a data set as it is now, all read at one moment. Throws CarryoverError `not-found`
 * (the data set, the study) or `bad-input` (the study splits another data set).
 */
export function trustReport(
  db: Database,
  datasetId: string,
  spec: TrustSpec,
  onShare?: ShareDone,
): TrustReport {
  const { subject, images } = db.transaction(() => {
    const { name, contentHash, groupedBy } = getSummary(db, datasetId);
    const { skipped, excluded } = db
      .prepare<[string, string], StoredSet>(
        `SELECT json_extract(report_json, '$.skipped') AS skipped,
           (SELECT count(*) FROM current_images WHERE dataset_id = ? AND excluded = 1) AS excluded
         FROM datasets WHERE id = ?`,
      )
      .get(datasetId, datasetId)!;
    return {
      images: readTrustImages(db, datasetId, spec),
      subject: {
        id: trustId(db, datasetId, spec),
        ...{ datasetId, datasetName: name, contentHash, spec, excluded, groupedBy },
        createdAt: new Date().toISOString(),
        classNames: listNames(db, 'classes', datasetId),
        domainNames: listNames(db, 'domains', datasetId),
        unreadable: JSON.parse(skipped ?? '[]') as TrustReport['unreadable'],
      },
    };
  })();
  return buildTrustReport(subject, images, onShare);
}

/** What the thread is told. */
export interface TrustTask {
  /** Path of the database. */
  database: string;
  datasetId: string;
  spec: TrustSpec;
}

/** What the thread says; its last message is the report or what went wrong. */
export type TrustMessage = { share: number } | { report: TrustReport } | { failure: Failure };

export interface ComputeOptions {
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
}

/** `trustReport` on a thread of its own. On abort it ends at once and throws the signal's reason. */
export async function computeTrust(
  task: TrustTask,
  { signal, onProgress }: ComputeOptions,
): Promise<TrustReport> {
  signal.throwIfAborted();
  const worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData: task });
  const { promise, resolve, reject } = Promise.withResolvers<TrustReport>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort);
  worker.on('message', (message: TrustMessage) => {
    if ('share' in message) onProgress(comparing(message.share));
    else if ('report' in message) resolve(message.report);
    else reject(asError(message.failure));
  });
  worker.on('error', reject);
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', abort);
    await worker.terminate();
  }
}

function comparing(share: number): Progress {
  const done = Math.round(100 * share);
  return { phase: 'comparing', done, total: 100, unit: '%', rate: null, secondsLeft: null };
}

function asError({ code, message, detail }: Failure): CarryoverError {
  return new CarryoverError(code, message, detail);
}
