import { addRange, cutRange, inRanges, rangesSize, type Ranges } from './ranges.ts';

/** How a click or a key selects, as file managers have it. */
export type SelectMode = 'only' | 'toggle' | 'extend';

/** Positions of a long list that are selected, also those that were never looked at. */
export class Selection {
  ranges: Ranges = $state.raw([]);
  size = $derived(rangesSize(this.ranges));
  /** Where a range begins that Shift ends. */
  #anchor = 0;

  has(position: number): boolean {
    return inRanges(this.ranges, position);
  }

  select(position: number, mode: SelectMode): void {
    if (mode === 'extend') {
      const [from, to] = [Math.min(position, this.#anchor), Math.max(position, this.#anchor)];
      this.ranges = [[from, to + 1]];
      return;
    }
    this.#anchor = position;
    if (mode === 'only') this.ranges = [[position, position + 1]];
    else if (this.has(position)) this.ranges = cutRange(this.ranges, position, position + 1);
    else this.ranges = addRange(this.ranges, position, position + 1);
  }

  all(total: number): void {
    this.ranges = total > 0 ? [[0, total]] : [];
  }

  clear(): void {
    this.ranges = [];
  }
}
