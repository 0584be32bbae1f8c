/** Leaks that were overruled go with every number that leaves the window. */
import type { CsvValue } from './csv.ts';

export interface Table {
  header: string[];
  rows: CsvValue[][];
}

/** A table that says of each row what leaks, in a last column; without leaks as it is. */
export function withLeaks({ header, rows }: Table, leaks: readonly string[]): Table {
  if (leaks.length === 0) return { header, rows };
  const text = leaks.join('; ');
  return { header: [...header, 'leak'], rows: rows.map((row) => [...row, text]) };
}

/** A value for JSON with what leaks beside it; without leaks as it is. */
export function leakyJson(value: unknown, leaks: readonly string[]): unknown {
  return leaks.length === 0 ? value : { leaks, numbers: value };
}

/** Text broken into lines of at most `width`, as `widthOf` measures them. */
export function wrapped(text: string, width: number, widthOf: (text: string) => number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length === 0 || widthOf(longer) > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}
