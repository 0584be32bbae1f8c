const WINDOW_SECONDS = 10;
const SPACING_SECONDS = 0.1;

/** Turns counts over time into a rate and the time left, over a sliding window of ten seconds. */
export class RateMeter {
  #samples: { seconds: number; done: number }[] = [];

  /**
   * Takes one reading: `done` units of `total` (null: unknown) at `milliseconds` on any steady
   * clock. `rate` is units per second. Both are null until two readings differ in time and count;
   * a count that falls starts afresh.
   */
  update(
    done: number,
    total: number | null,
    milliseconds: number = performance.now(),
  ): { rate: number | null; secondsLeft: number | null } {
    const seconds = milliseconds / 1000;
    const first = this.#remember(seconds, done);
    const elapsed = seconds - first.seconds;
    if (elapsed <= 0 || done === first.done) return { rate: null, secondsLeft: null };
    const rate = (done - first.done) / elapsed;
    return { rate, secondsLeft: total === null ? null : Math.max(0, total - done) / rate };
  }

  /** Keeps the reading and returns the one at the start of the window. */
  #remember(seconds: number, done: number): { seconds: number; done: number } {
    const last = this.#samples.at(-1);
    if (last && done < last.done) this.#samples = [];
    if (!last || done < last.done || seconds - last.seconds >= SPACING_SECONDS) {
      this.#samples.push({ seconds, done });
    }
    const inside = this.#samples.findIndex((sample) => seconds - sample.seconds <= WINDOW_SECONDS);
    // The newest reading before the window is kept, so that slow counts have a rate too.
    this.#samples.splice(0, Math.max(0, inside - 1));
    return this.#samples[0] ?? { seconds, done };
  }
}
