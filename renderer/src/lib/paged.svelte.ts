import { SvelteMap } from 'svelte/reactivity';
import { toFailure, type Failure } from '../../../contract/errors.ts';
import { inRanges, type Ranges } from './ranges.ts';

export type FetchPage<T> = (
  offset: number,
  limit: number,
) => Promise<{ total: number; items: T[] }>;

const PAGE = 200;
/** As many as a request may ask for. */
const MOST = 1000;
/** Pages kept; those asked for longest ago go first. */
const KEPT = 100;

/** A long list on the host, of which only pages that were looked at are here. */
export class Paged<T> {
  total = $state(0);
  /** False until the first page has come. */
  ready = $state(false);
  /** Counts the queries and refreshes; 0 before the first. */
  version = $state(0);
  /** Counts the queries. */
  query = $state(0);
  failure: Failure | null = $state.raw(null);
  #pages = new SvelteMap<number, T[]>();
  /** Pages on their way or here, oldest first; not reactive, so that asking in an effect repeats nothing. */
  #asked: number[] = [];
  #fetch: FetchPage<T> | null = null;
  #turn = 0;

  /** Starts over with another query; the first page is fetched at once. */
  open(fetchPage: FetchPage<T>): void {
    this.version = ++this.#turn;
    this.query = this.#turn;
    this.#fetch = fetchPage;
    this.#pages.clear();
    this.#asked = [];
    this.ready = false;
    this.failure = null;
    this.need(0, 1);
  }

  /** Asks the same query again; what is shown stays until the new page with `position` is here. */
  async refresh(position: number): Promise<void> {
    this.version = ++this.#turn;
    this.#asked = [];
    await this.#load(Math.floor(Math.max(0, position) / PAGE));
  }

  /** The item at an index, or null while its page is not here. */
  at(index: number): T | null {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE] ?? null;
  }

  /** Fetches the pages of [from, to) that were not asked for yet. */
  need(from: number, to: number): void {
    const last = Math.floor(Math.max(from, to - 1) / PAGE);
    for (let page = Math.floor(from / PAGE); page <= last; page += 1) void this.#load(page);
  }

  /** The items at the given positions that are here. */
  loaded(ranges: Ranges): T[] {
    const items: T[] = [];
    for (const [page, rows] of this.#pages) {
      for (const [at, row] of rows.entries()) {
        if (inRanges(ranges, page * PAGE + at)) items.push(row);
      }
    }
    return items;
  }

  /** The items at the given positions, fetched anew. */
  async take(ranges: Ranges): Promise<T[]> {
    const fetchPage = this.#fetch;
    const items: T[] = [];
    if (fetchPage === null) return items;
    for (const [from, to] of ranges) {
      for (let at = from; at < to; at += MOST) {
        items.push(...(await fetchPage(at, Math.min(MOST, to - at))).items);
      }
    }
    return items;
  }

  /** All items, fetched page by page (for exports). */
  all(): Promise<T[]> {
    return this.take([[0, this.total]]);
  }

  async #load(page: number): Promise<void> {
    if (this.#fetch === null || this.#asked.includes(page)) return;
    this.#asked.push(page);
    const turn = this.#turn;
    try {
      const answer = await this.#fetch(page * PAGE, PAGE);
      if (turn !== this.#turn) return;
      // Another length: what is here lies elsewhere now.
      if (answer.total !== this.total) this.#pages.clear();
      this.total = answer.total;
      this.#pages.set(page, answer.items);
      this.ready = true;
      this.failure = null;
      this.#forget();
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#asked = this.#asked.filter((other) => other !== page);
      this.failure = toFailure(error);
    }
  }

  #forget(): void {
    if (this.#pages.size <= KEPT) return;
    this.#asked = this.#asked.slice(-KEPT);
    for (const page of [...this.#pages.keys()]) {
      if (!this.#asked.includes(page)) this.#pages.delete(page);
    }
  }
}
