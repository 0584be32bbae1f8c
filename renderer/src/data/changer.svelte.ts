import type { Change, ChangeEntry, ImageFilter, ImageRow } from '../../../contract/datasets.ts';
import type { Failure } from '../../../contract/errors.ts';
import { attempt, call } from '../lib/api.ts';
import { Loaded } from '../lib/loaded.svelte.ts';
import type { Paged } from '../lib/paged.svelte.ts';
import { rangesSize, type Ranges } from '../lib/ranges.ts';
import { changeText } from './changes.ts';

/** Changes images of a data set, and takes changes back. */
export class Changer {
  failure: Failure | null = $state.raw(null);
  /** What was done last, in words. */
  said = $state('');
  history = new Loaded<ChangeEntry[]>();
  /** What an undo takes back. */
  last = $derived(this.history.value?.find((entry) => entry.undoneAt === null) ?? null);
  #datasetId: string;
  /** Ends when all that was asked for is done. */
  #queue: Promise<void> = Promise.resolve();
  #changed: () => Promise<void>;

  /** `changed` is awaited after every change. */
  constructor(datasetId: string, changed: () => Promise<void>) {
    this.#datasetId = datasetId;
    this.#changed = changed;
  }

  load(): Promise<void> {
    return this.history.load(() => call('datasets.changes', { datasetId: this.#datasetId }));
  }

  apply(filter: Promise<ImageFilter>, change: Change): Promise<void> {
    return this.#work(async () => {
      const body = { datasetId: this.#datasetId, filter: await filter, change };
      this.said = `${changeText(await call('datasets.change', body))}.`;
    });
  }

  undo(changeId: number): Promise<void> {
    return this.#work(() => this.#undo(changeId));
  }

  /** Takes back what is last when its turn comes; asked for twice, the one before it too. */
  undoLast(): Promise<void> {
    return this.#work(async () => {
      if (this.last) await this.#undo(this.last.id);
    });
  }

  async #undo(changeId: number): Promise<void> {
    const entry = await call('datasets.undo', { datasetId: this.#datasetId, changeId });
    this.said = `Taken back: ${changeText(entry)}.`;
  }

  /** One after the other: none is lost, and each is shown before the next begins. */
  #work(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      this.failure = await attempt(work);
      await this.load();
      await this.#changed();
    });
    return this.#queue;
  }
}

/** The filter of just the selected images; where all are selected, the list's own. */
export async function selectedImages(
  filter: ImageFilter,
  selected: Ranges,
  images: Paged<ImageRow>,
): Promise<ImageFilter> {
  if (rangesSize(selected) === images.total) return filter;
  const here = images.loaded(selected);
  const rows = here.length === rangesSize(selected) ? here : await images.take(selected);
  return { ids: rows.map((row) => row.id), excluded: 'with' };
}
