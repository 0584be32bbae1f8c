import type { FileState } from './file.ts';

/**
 * The last results of costly work on files, while their cost is within a bound (the newest is kept
 * in any case). Work on a file that has changed since is done anew; work under way is shared.
 */
export class Kept<T> {
  readonly #bound: number;
  readonly #cost: (value: T) => number;
  /** Oldest use first. */
  readonly #values = new Map<string, { state: FileState; value: Promise<T>; cost: number }>();

  constructor(bound: number, cost: (value: T) => number) {
    this.#bound = bound;
    this.#cost = cost;
  }

  async get(key: string, state: FileState, make: () => Promise<T>): Promise<T> {
    const known = this.#values.get(key);
    this.#values.delete(key);
    if (known?.state.size === state.size && known.state.modifiedMs === state.modifiedMs) {
      this.#values.set(key, known);
      return known.value;
    }
    const { size, modifiedMs } = state;
    const entry = { state: { size, modifiedMs }, value: make(), cost: 0 };
    this.#values.set(key, entry);
    try {
      const value = await entry.value;
      entry.cost = this.#cost(value);
      this.#makeRoom();
      return value;
    } catch (error) {
      if (this.#values.get(key) === entry) this.#values.delete(key);
      throw error;
    }
  }

  #makeRoom(): void {
    let total = 0;
    for (const { cost } of this.#values.values()) total += cost;
    for (const [key, { cost }] of this.#values) {
      if (total <= this.#bound || this.#values.size === 1) return;
      this.#values.delete(key);
      total -= cost;
    }
  }
}
