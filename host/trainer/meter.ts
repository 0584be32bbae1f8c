/** Rate and time left of one run, from the steps of the last seconds. */
export class Meter {
  readonly #epochs: number;
  readonly #images: number;
  readonly #batch: number;
  readonly #recent: { at: number; images: number }[] = [];
  #told = 0;

  constructor(epochs: number, images: number, batch: number) {
    this.#epochs = epochs;
    this.#images = images;
    this.#batch = batch;
  }

  /** Null when something was told less than a quarter of a second ago. */
  step(
    epoch: number,
    step: number,
  ): { imagesPerSecond: number | null; secondsLeft: number | null } | null {
    const now = performance.now();
    const images = (epoch - 1) * this.#images + Math.min(step * this.#batch, this.#images);
    this.#recent.push({ at: now, images });
    while (this.#recent.length > 2 && now - (this.#recent[0]?.at ?? now) > WINDOW_MS) {
      this.#recent.shift();
    }
    if (now - this.#told < TELL_EVERY_MS) return null;
    this.#told = now;
    const first = this.#recent[0];
    if (!first || now === first.at) return { imagesPerSecond: null, secondsLeft: null };
    const rate = ((images - first.images) / (now - first.at)) * 1000;
    const left = this.#epochs * this.#images - images;
    return { imagesPerSecond: rate, secondsLeft: rate > 0 ? left / rate : null };
  }
}

const WINDOW_MS = 8000;
const TELL_EVERY_MS = 250;
