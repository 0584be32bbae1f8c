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

const SVG_LINE = 15;
/** Widest that a letter of the figures' 11 px is on average. */
const SVG_LETTER = 6.2;

/** A figure's SVG with what leaks in lines below it; without leaks as it is. */
export function leakySvg(svg: string, leaks: readonly string[]): string {
  const [viewBox, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? [];
  if (leaks.length === 0 || viewBox === undefined) return svg;
  const room = Number(width) - 2 * SVG_LINE;
  const lines = leaks.flatMap((leak) => wrapped(leak, room, (text) => text.length * SVG_LETTER));
  const texts = lines.map(
    (line, at) =>
      `<text x="${SVG_LINE}" y="${Number(height) + (at + 1) * SVG_LINE}" style="fill:#9a5b00">${escaped(line)}</text>`,
  );
  const higher = Number(height) + (lines.length + 1) * SVG_LINE;
  return svg
    .replace(viewBox, `viewBox="0 0 ${width} ${higher}"`)
    .replace(/<\/svg>\s*$/, () => `${texts.join('')}</svg>`);
}

function escaped(text: string): string {
  return text.replace(/[&<]/g, (found) => `&#${found.charCodeAt(0)};`);
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
