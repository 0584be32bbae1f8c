import type { Job } from '../../../contract/jobs.ts';
import { attempt, call } from './api.ts';
import { onEvent } from './events.ts';

const LIVE: readonly Job['status'][] = ['queued', 'running', 'paused'];

export const isLive = (job: Job): boolean => LIVE.includes(job.status);

/** All jobs the host knows, newest first, kept up to date by its events. */
class Jobs {
  all: Job[] = $state.raw([]);
  live: Job[] = $derived(this.all.filter(isLive));

  start(): void {
    void this.refresh();
    onEvent(
      (event) => {
        if (event.type === 'job') this.#put(event.job);
      },
      () => void this.refresh(),
    );
  }

  get(id: string | null): Job | null {
    return this.all.find((job) => job.id === id) ?? null;
  }

  /** Takes in a job that a call returned, and keeps following it. */
  follow(job: Job): Job {
    const known = this.get(job.id);
    if (known === null) this.#put(job);
    return known ?? job;
  }

  async refresh(): Promise<void> {
    await attempt(async () => {
      const jobs = await call('jobs.list', {});
      this.all = jobs.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
    });
  }

  async cancel(id: string): Promise<void> {
    const job = await call('jobs.cancel', { id });
    // The event of its end may have come before this answer, which still calls it running.
    const known = this.get(id);
    if (known === null || isLive(known)) this.#put(job);
  }

  #put(job: Job): void {
    const others = this.all.filter((other) => other.id !== job.id);
    this.all = [job, ...others].toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  }
}

export const jobs = new Jobs();
