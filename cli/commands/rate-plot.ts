/** Pictures of a learning-rate search: for a terminal, as SVG, as CSV. */
import type { RateSearch } from '../../contract/api.ts';
import { highestDrawn } from '../../contract/rate-search.ts';

type Curve = Pick<RateSearch, 'rates' | 'losses' | 'suggestion'>;

interface Axes {
  /** Share of the width for a rate, in [0, 1]; the axis is logarithmic. */
  x(rate: number): number;
  /** Share of the height for a loss from the bottom, in [0, 1]; what is above is at the top. */
  y(loss: number): number;
  low: number;
  high: number;
}

function axesOf({ rates, losses }: Curve): Axes {
  const [first, last] = [Math.log(rates[0] ?? 1), Math.log(rates.at(-1) ?? 10)];
  const low = Math.min(...losses);
  const high = Math.max(low * 1.01, highestDrawn(losses));
  return {
    x: (rate) => (last === first ? 0 : (Math.log(rate) - first) / (last - first)),
    y: (loss) => Math.min(1, (loss - low) / (high - low)),
    low,
    high,
  };
}

/** The curve in characters; a column of colons stands at the suggestion. */
export function textPlot(curve: Curve, columns = 68, rows = 14): string {
  const { x, y, low, high } = axesOf(curve);
  const columnOf = (rate: number) => Math.round(x(rate) * (columns - 1));
  const grid = Array.from({ length: rows }, () => new Array<string>(columns).fill(' '));
  const put = (row: number, column: number, mark: string): void => {
    const line = grid[row];
    if (line) line[column] = mark;
  };
  if (curve.suggestion !== null) {
    for (let row = 0; row < rows; row++) put(row, columnOf(curve.suggestion), ':');
  }
  curve.rates.forEach((rate, i) => {
    const height = y(curve.losses[i] ?? 0);
    put(Math.round((1 - height) * (rows - 1)), columnOf(rate), '*');
  });
  const label = (row: number): string => {
    if (row === 0) return high.toPrecision(3);
    return row === rows - 1 ? low.toPrecision(3) : '';
  };
  const lines = grid.map((line, row) => `${label(row).padStart(7)} |${line.join('').trimEnd()}`);
  const [from, to] = [curve.rates[0] ?? 0, curve.rates.at(-1) ?? 0].map((rate) =>
    rate.toExponential(0),
  ) as [string, string];
  const foot = `${' '.repeat(9)}${from}${to.padStart(columns - from.length)}`;
  return [...lines, `${' '.repeat(8)}+${'-'.repeat(columns)}`, foot].join('\n');
}

const WIDTH = 640;
const HEIGHT = 360;
const MARGIN = { left: 56, right: 16, top: 36, bottom: 44 };

/** The curve as a picture of its own. */
export function svgPlot(search: RateSearch): string {
  const { x, y, low, high } = axesOf(search);
  const across = (rate: number) => MARGIN.left + x(rate) * (WIDTH - MARGIN.left - MARGIN.right);
  const up = (loss: number) =>
    HEIGHT - MARGIN.bottom - y(loss) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const path = search.rates.map((rate, i) => {
    const at = `${across(rate).toFixed(1)} ${up(search.losses[i] ?? 0).toFixed(1)}`;
    return `${i === 0 ? 'M' : 'L'}${at}`;
  });
  const decades = search.rates.length > 0 ? powers(search.rates[0]!, search.rates.at(-1)!) : [];
  const ticks = decades.map(
    (rate) =>
      `<text x="${across(rate).toFixed(1)}" y="${HEIGHT - 24}" text-anchor="middle">${rate.toExponential(0)}</text>`,
  );
  const levels = [low, (low + high) / 2, high].map((loss) => {
    const at = up(loss).toFixed(1);
    return `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at}" y2="${at}" stroke="#ddd"/><text x="${MARGIN.left - 8}" y="${(up(loss) + 4).toFixed(1)}" text-anchor="end">${loss.toPrecision(3)}</text>`;
  });
  const found = search.suggestion;
  const mark =
    found === null
      ? ''
      : `<line x1="${across(found).toFixed(1)}" x2="${across(found).toFixed(1)}" y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}" stroke="#b45309" stroke-dasharray="4 3"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12" fill="#444">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${MARGIN.left}" y="20" font-size="14" fill="#111">${escaped(`${search.arm}: ${search.why}`)}</text>
${[...levels, ...ticks].join('\n')}
<text x="${WIDTH - MARGIN.right}" y="${HEIGHT - 6}" text-anchor="end">learning rate; up: training loss, smoothed</text>
${mark}
<path d="${path.join('')}" fill="none" stroke="#1d4ed8" stroke-width="2"/>
</svg>
`;
}

function powers(from: number, to: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(from) - 1e-9), Math.floor(Math.log10(to) + 1e-9)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => 10 ** (first + i));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** Rates and losses with a heading line (RFC 4180). */
export function rateCsv({ rates, losses }: Curve): string {
  const rows = rates.map((rate, i) => `${rate},${losses[i]}`);
  return ['learning_rate,loss', ...rows].map((row) => `${row}\r\n`).join('');
}
