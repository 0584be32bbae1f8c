import { SvelteMap } from 'svelte/reactivity';

/** Short messages at the edge of the window that leave by themselves. */
class Notices {
  shown = new SvelteMap<number, string>();
  #next = 0;

  say(text: string): void {
    const key = this.#next++;
    this.shown.set(key, text);
    setTimeout(() => this.shown.delete(key), 4000);
  }
}

export const notices = new Notices();
