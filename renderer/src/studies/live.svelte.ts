import { SvelteMap } from 'svelte/reactivity';
import type { HostEvent } from '../../../contract/api.ts';
import type { EpochMetrics, RunProgress, RunSummary } from '../../../contract/runs.ts';
import type { StudyDetail } from '../../../contract/study.ts';
import { call } from '../lib/api.ts';
import { Loaded } from '../lib/loaded.svelte.ts';
import { merge } from './curve-series.ts';

/** A study as it is now: what the host stored, and what its events say since. */
export class LiveStudy {
  readonly id: string;
  readonly detail = new Loaded<StudyDetail>();
  readonly runs = new SvelteMap<string, RunSummary>();
  readonly progress = new SvelteMap<string, RunProgress>();
  readonly curves = new SvelteMap<string, EpochMetrics[]>();

  constructor(id: string) {
    this.id = id;
  }

  /** Fetches everything anew; curves follow when asked for by `needCurves`. */
  async refresh(): Promise<void> {
    await this.detail.load(() => call('studies.get', { id: this.id }));
    const runs = await call('runs.list', { studyId: this.id }).catch(() => []);
    for (const run of runs) this.runs.set(run.id, run);
  }

  /** Takes in one event; other studies' events change nothing. */
  hear(event: HostEvent): void {
    if (event.type === 'study' && event.study.id === this.id) void this.refresh();
    if (event.type === 'run-status' && this.#mine(event.run))
      this.runs.set(event.run.id, event.run);
    if (event.type === 'run' && event.progress.studyId === this.id) {
      this.progress.set(event.progress.runId, event.progress);
    }
    if (event.type === 'epoch') this.#epoch(event.runId, event.metrics);
  }

  /** Fetches the curves of these runs that are not here yet. */
  async needCurves(ids: readonly string[]): Promise<void> {
    const missing = ids.filter((id) => !this.curves.has(id));
    for (const id of missing) this.curves.set(id, []);
    await Promise.all(
      missing.map(async (id) => {
        const run = await call('runs.get', { id }).catch(() => null);
        if (run !== null) this.curves.set(id, merge(run.curve, this.curves.get(id) ?? []));
      }),
    );
  }

  #mine(run: RunSummary): boolean {
    return this.runs.has(run.id) || run.studies.some((study) => study.id === this.id);
  }

  #epoch(runId: string, metrics: EpochMetrics): void {
    const run = this.runs.get(runId);
    if (run) {
      const { trainAccuracy, testAccuracy, epoch } = metrics;
      this.runs.set(runId, {
        ...run,
        epochsDone: epoch,
        trainAccuracy: trainAccuracy ?? run.trainAccuracy,
        testAccuracy: testAccuracy ?? run.testAccuracy,
      });
    }
    const curve = this.curves.get(runId);
    if (curve) this.curves.set(runId, merge(curve, [metrics]));
  }
}
