import type { Failure } from '../../../contract/errors.ts';
import type { Job, JobKind } from '../../../contract/jobs.ts';
import { attempt } from '../lib/api.ts';
import { isLive, jobs } from '../lib/jobs.svelte.ts';

/** A job of one kind on one data set: started here, or found under way. */
export class AnalysisJob {
  failure: Failure | null = $state.raw(null);
  #started: string | null = $state(null);
  #kind: JobKind;
  #subject: string;

  constructor(kind: JobKind, subject: string) {
    this.#kind = kind;
    this.#subject = subject;
  }

  /** The one under way, or null. */
  live: Job | null = $derived.by(() => {
    const mine = (job: Job) => job.kind === this.#kind && job.subject === this.#subject;
    return jobs.live.find(mine) ?? null;
  });

  /** The one that was followed and has ended, until it is taken. */
  ended: Job | null = $derived.by(() => {
    const job = jobs.get(this.#started);
    return job !== null && !isLive(job) ? job : null;
  });

  /** Follows what is under way; to be called in an effect. */
  watch(): void {
    if (this.live !== null && this.#started !== this.live.id) this.#started = this.live.id;
  }

  /** Takes the ended job: its result, or null with its failure shown. */
  take(): string | null {
    const job = this.ended;
    this.#started = null;
    if (job?.status === 'failed') this.failure = job.failure;
    return job?.status === 'done' ? job.result : null;
  }

  async start(begin: () => Promise<Job>): Promise<void> {
    this.failure = null;
    const refused = await attempt(async () => {
      this.#started = jobs.follow(await begin()).id;
    });
    // A job that failed at once may have put its failure here by now: it stays.
    if (refused !== null) this.failure = refused;
  }

  cancel(): void {
    if (this.live) void jobs.cancel(this.live.id);
  }
}
