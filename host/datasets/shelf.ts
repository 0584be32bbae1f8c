import { CarryoverError } from '../../contract/errors.ts';

/** Results that wait in memory to be asked for; the oldest go when there are more than a few. */
export class Shelf<T> {
  readonly #kept = new Map<string, T>();
  readonly #most: number;
  /** What one is called, and how to get another. */
  readonly #noun: string;
  readonly #wayOut: string;

  constructor(most: number, noun: string, wayOut: string) {
    this.#most = most;
    this.#noun = noun;
    this.#wayOut = wayOut;
  }

  add(id: string, item: T): void {
    this.#kept.set(id, item);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#most && oldest !== undefined) this.#kept.delete(oldest);
  }

  drop(id: string): void {
    this.#kept.delete(id);
  }

  /** Throws CarryoverError `not-found`. */
  get(id: string): T {
    const item = this.#kept.get(id);
    if (item !== undefined) return item;
    throw new CarryoverError('not-found', `there is no ${this.#noun} ${id} any more`, {
      value: id,
      wayOut: this.#wayOut,
    });
  }
}
