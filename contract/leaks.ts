/** What a line about a leak begins with, among the warnings of a plan and the notes of a run. */
export const LEAK = 'leak: ';

/** The lines about leaks; what is made from such numbers carries them. */
export function leaksAmong(lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith(LEAK));
}
