import { SvelteMap } from 'svelte/reactivity';
import { toFailure, type Failure } from '../../../contract/errors.ts';

export type FetchPage<T> = (
  offset: number,
  limit: number,
) => Promise<{ total: number; items: T[] }>;

const PAGE = 200;

/** A long list on the host, of which only the pages that were looked at are here. */
export class Paged<T> {
  total = $state(0);
  /** False until the first page has come. */
  ready = $state(false);
  /** Counts the queries; 0 before the first. */
  version = $state(0);
  failure: Failure | null = $state.raw(null);
  #pages = new SvelteMap<number, T[]>();
  /** Pages on their way or here; not reactive, so that asking inside an effect repeats nothing. */
  #asked: Record<number, true> = {};
  #fetch: FetchPage<T> | null = null;
  #turn = 0;

  /** Starts over with another query; the first page is fetched at once. */
  open(fetchPage: FetchPage<T>): void {
    this.version = ++this.#turn;
    this.#fetch = fetchPage;
    this.#pages.clear();
    this.#asked = {};
    this.ready = false;
    this.failure = null;
    this.need(0, 1);
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

  /** All items, fetched page by page (for exports). */
  async all(): Promise<T[]> {
    const fetchPage = this.#fetch;
    const items: T[] = [];
    while (fetchPage !== null) {
      const page = await fetchPage(items.length, 1000);
      items.push(...page.items);
      if (page.items.length === 0 || items.length >= page.total) break;
    }
    return items;
  }

  async #load(page: number): Promise<void> {
    if (this.#fetch === null || this.#asked[page]) return;
    this.#asked[page] = true;
    const turn = this.#turn;
    try {
      const answer = await this.#fetch(page * PAGE, PAGE);
      if (turn !== this.#turn) return;
      this.total = answer.total;
      this.#pages.set(page, answer.items);
      this.ready = true;
    } catch (error) {
      if (turn !== this.#turn) return;
      delete this.#asked[page];
      this.failure = toFailure(error);
    }
  }
}
