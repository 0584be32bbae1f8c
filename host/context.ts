import type { Database } from 'better-sqlite3';
import type { HostEvent } from '../contract/api.ts';
import type { Job, JobKind, Progress } from '../contract/jobs.ts';

/** Folders of one workbench home. All exist once the workbench is open. */
export interface HomePaths {
  root: string;
  /** carryover.db */
  database: string;
  /** runs/<runId>/ : journal, weights, logits */
  runs: string;
  /** checkpoints/<checkpointId>.safetensors: imported weights under our names. */
  checkpoints: string;
  /** Derived pixels, may be deleted at any time: decoded/, thumbnails/ */
  cache: string;
  /** Built sample sets. */
  samples: string;
  /** analyses/<id>.*: arrays of what was computed over data sets. */
  analyses: string;
  /** rates/<searchId>.json: learning-rate searches. */
  rates: string;
  /** reports/<studyId>/ */
  reports: string;
}

export interface EventBus {
  emit(event: HostEvent): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (event: HostEvent) => void): () => void;
}

/** What a running job sees of itself. */
export interface JobHandle {
  readonly id: string;
  readonly signal: AbortSignal;
  /** Stored and sent as an event, at most a few times a second; the last call always arrives. */
  progress(progress: Progress): void;
}

/** Runs work that takes over a second, with a row per job. */
export interface JobRunner {
  /** `work` returns the job's result id. A throw makes it failed (or cancelled after abort). */
  start(
    job: { kind: JobKind; title: string; subject: string },
    work: (handle: JobHandle) => Promise<string | null>,
  ): Job;
  list(): Job[];
  get(id: string): Job;
  cancel(id: string): Job;
  /** Resolves when the job has ended, whatever way. */
  wait(id: string): Promise<Job>;
}

/** What every service of the host is given. */
export interface HostContext {
  db: Database;
  home: HomePaths;
  events: EventBus;
  jobs: JobRunner;
}
