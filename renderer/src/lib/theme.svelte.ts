type Choice = 'light' | 'dark';
const KEY = 'carryover-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

/** Light or dark: the system's, until the user chooses the other. */
class Theme {
  #chosen: Choice | null = $state(stored());
  #system: Choice = $state(system.matches ? 'dark' : 'light');
  now: Choice = $derived(this.#chosen ?? this.#system);

  constructor() {
    system.addEventListener('change', () => {
      this.#system = system.matches ? 'dark' : 'light';
      this.#apply();
    });
    this.#apply();
  }

  toggle(): void {
    const next = this.now === 'dark' ? 'light' : 'dark';
    this.#chosen = next === this.#system ? null : next;
    if (this.#chosen === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, this.#chosen);
    this.#apply();
  }

  #apply(): void {
    document.documentElement.dataset['theme'] = this.#chosen ?? this.#system;
  }
}

function stored(): Choice | null {
  const value = localStorage.getItem(KEY);
  return value === 'light' || value === 'dark' ? value : null;
}

export const theme = new Theme();
