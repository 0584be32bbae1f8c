/**
 * The order of classes, domains and paths everywhere: by UTF-16 code units, so the same on every
 * machine and in every language. `10` comes before `2`, and `Zebra` before `ant`.
 */
export function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The distinct strings in that order. */
export function sortedSet(values: Iterable<string>): string[] {
  return [...new Set(values)].sort(byCodeUnits);
}

/** A few of many names, for a message: `a, b, c and 4 more`. */
export function fewOf(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

/** `1 image`, `2 images`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
