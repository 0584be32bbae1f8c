import type { Failure } from './errors.ts';

export type JobKind =
  | 'scan'
  | 'import'
  | 'files'
  | 'trust'
  | 'map'
  | 'suspects'
  | 'study'
  | 'samples'
  | 'report'
  | 'rate'
  | 'zoo'
  | 'devices';
export type JobStatus =
  'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled' | 'interrupted';

/** Progress of anything that takes over a second. */
export interface Progress {
  /** What is being done now, for people: "training RI-T seed 1, no shuffle". */
  phase: string;
  done: number;
  /** null while the total is unknown. */
  total: number | null;
  unit: string;
  /** Units per second over the last seconds; null until known. */
  rate: number | null;
  /** null until known. */
  secondsLeft: number | null;
}

export interface Job {
  id: string;
  kind: JobKind;
  title: string;
  status: JobStatus;
  /** The data set, study or folder it is about. */
  subject: string;
  progress: Progress | null;
  failure: Failure | null;
  /** Kind-specific result id: data set id after import, study id after a study. */
  result: string | null;
  createdAt: string;
  finishedAt: string | null;
}
