import { toFailure, type Failure } from '../../../contract/errors.ts';

/** Something that comes from the host: its value, whether it is on its way, what went wrong. */
export class Loaded<T> {
  value: T | null = $state.raw(null);
  failure: Failure | null = $state.raw(null);
  loading = $state(false);
  #turn = 0;

  /** Loads anew; an older answer that arrives later is dropped. The old value stays meanwhile. */
  async load(fetchValue: () => Promise<T>): Promise<void> {
    const turn = ++this.#turn;
    this.loading = true;
    try {
      const value = await fetchValue();
      if (turn !== this.#turn) return;
      this.value = value;
      this.failure = null;
    } catch (error) {
      if (turn !== this.#turn) return;
      this.failure = toFailure(error);
    }
    this.loading = false;
  }

  /** Forgets the value, and any answer that is still on its way. */
  clear(): void {
    this.#turn += 1;
    this.value = null;
    this.failure = null;
    this.loading = false;
  }
}
