import { randomBytes } from 'node:crypto';
import type { Failure } from '../../contract/errors.ts';
import { CarryoverError, toFailure } from '../../contract/errors.ts';
import type { Job, JobStatus, Progress } from '../../contract/jobs.ts';
import type { EventBus, JobHandle, JobRunner } from '../context.ts';
import { databaseError } from '../db/errors.ts';
import type { JobTable } from './table.ts';

/** Progress is stored and sent at most this often. */
const PROGRESS_MILLISECONDS = 250;

/** A JobRunner that can be shut down. */
export interface StoppableJobRunner extends JobRunner {
  /** Aborts what runs (it ends as `interrupted`) and resolves when all has ended. */
  shutdown(): Promise<void>;
}

interface Live {
  job: Job;
  abort: AbortController;
  ended: Promise<Job>;
  /** Pending progress write. */
  timer: NodeJS.Timeout | undefined;
  sentAt: number;
  endsAs: 'cancelled' | 'interrupted';
}

/** `database` is named where it refuses a write inside a job. */
export function createJobRunner(
  table: JobTable,
  events: EventBus,
  database: string,
): StoppableJobRunner {
  return new Jobs(table, events, database);
}

class Jobs implements StoppableJobRunner {
  readonly #table: JobTable;
  readonly #events: EventBus;
  readonly #database: string;
  /** Jobs that run, and ended ones whose row could not be written. */
  readonly #live = new Map<string, Live>();
  #closed = false;

  constructor(table: JobTable, events: EventBus, database: string) {
    this.#table = table;
    this.#events = events;
    this.#database = database;
  }

  start(
    description: Pick<Job, 'kind' | 'title' | 'subject'>,
    work: (handle: JobHandle) => Promise<string | null>,
  ): Job {
    if (this.#closed) throw new CarryoverError('busy', 'the workbench is closing');
    const job: Job = { ...newJob(), ...description };
    this.#table.save(job);
    const entry: Live = {
      job,
      abort: new AbortController(),
      ended: Promise.resolve(job),
      timer: undefined,
      sentAt: -Infinity,
      endsAs: 'cancelled',
    };
    this.#live.set(job.id, entry);
    this.#events.emit({ type: 'job', job });
    entry.ended = Promise.resolve().then(() => this.#run(entry, work));
    return job;
  }

  list(): Job[] {
    return this.#table.list().map((job) => this.#live.get(job.id)?.job ?? job);
  }

  get(id: string): Job {
    const job = this.#live.get(id)?.job ?? this.#table.get(id);
    if (job) return job;
    throw new CarryoverError('not-found', `there is no job ${id}`, { value: id });
  }

  cancel(id: string): Job {
    this.#live.get(id)?.abort.abort(new CarryoverError('cancelled', 'cancelled'));
    return this.get(id);
  }

  async wait(id: string): Promise<Job> {
    return this.#live.get(id)?.ended ?? this.get(id);
  }

  async shutdown(): Promise<void> {
    this.#closed = true;
    const entries = [...this.#live.values()];
    for (const entry of entries) {
      entry.endsAs = 'interrupted';
      entry.abort.abort(new CarryoverError('cancelled', 'the workbench was closed'));
    }
    await Promise.all(entries.map((entry) => entry.ended));
  }

  async #run(entry: Live, work: (handle: JobHandle) => Promise<string | null>): Promise<Job> {
    const handle: JobHandle = {
      id: entry.job.id,
      signal: entry.abort.signal,
      progress: (value) => this.#progress(entry, value),
    };
    try {
      handle.signal.throwIfAborted();
      const result = await work(handle);
      return this.#end(entry, { status: 'done', result, failure: null });
    } catch (error) {
      return this.#end(entry, {
        ...verdict(entry, databaseError(error, this.#database)),
        result: null,
      });
    }
  }

  #progress(entry: Live, value: Progress): void {
    if (entry.job.status !== 'running') return;
    entry.job = { ...entry.job, progress: value };
    if (entry.timer) return;
    const wait = Math.max(0, entry.sentAt + PROGRESS_MILLISECONDS - performance.now());
    entry.timer = setTimeout(() => {
      entry.timer = undefined;
      entry.sentAt = performance.now();
      this.#send(entry.job);
    }, wait);
  }

  #end(entry: Live, outcome: Pick<Job, 'status' | 'result' | 'failure'>): Job {
    clearTimeout(entry.timer);
    entry.job = { ...entry.job, ...outcome, finishedAt: new Date().toISOString() };
    if (this.#send(entry.job)) this.#live.delete(entry.job.id);
    return entry.job;
  }

  /** False when the row could not be written, as on a full disk. */
  #send(job: Job): boolean {
    let stored = true;
    try {
      this.#table.save(job);
    } catch (error) {
      stored = false;
      console.error(`job ${job.id} (${job.title}) could not be stored:`, error);
    }
    this.#events.emit({ type: 'job', job });
    return stored;
  }
}

function newJob(): Omit<Job, 'kind' | 'title' | 'subject'> {
  return {
    id: randomBytes(6).toString('hex'),
    status: 'running',
    progress: null,
    failure: null,
    result: null,
    createdAt: new Date().toISOString(),
    finishedAt: null,
  };
}

function verdict(entry: Live, error: unknown): { status: JobStatus; failure: Failure | null } {
  if (entry.abort.signal.aborted) return { status: entry.endsAs, failure: null };
  const failure = toFailure(error);
  if (failure.code === 'internal') console.error(`job ${entry.job.title} failed:`, error);
  return { status: 'failed', failure };
}
