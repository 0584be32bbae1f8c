/** Computes one trust report on a thread of its own; see compute.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { toFailure } from '../../contract/errors.ts';
import { openDatabase } from '../db/open.ts';
import type { TrustMessage, TrustTask } from './compute.ts';
import { trustReport } from './compute.ts';

const { database, datasetId, spec } = workerData as TrustTask;

function say(message: TrustMessage): void {
  parentPort?.postMessage(message);
}

function compute(): TrustMessage {
  const opened = openDatabase(database, { command: 'trust', readonly: true });
  try {
    const onShare = (share: number): void => say({ share });
    return { report: trustReport(opened.db, datasetId, spec, onShare) };
  } catch (error) {
    return { failure: toFailure(error) };
  } finally {
    opened.close();
  }
}

say(compute());
