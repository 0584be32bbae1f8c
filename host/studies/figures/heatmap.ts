import type { HeatmapFigure } from '../../../contract/figures.ts';
import type { Html } from '../report/html.ts';
import { html } from '../report/html.ts';
import { drawing, linked, shortened, WIDTH } from './frame.ts';
import { round, valueText } from './scale.ts';

const RIGHT = 8;
const TOP = 10;
/** Numbers are written into cells of at least this width. */
const WRITTEN = 26;
const TALLEST = 34;

/** A matrix of coloured cells with its scale below. */
export function drawHeatmap(figure: HeatmapFigure): Html {
  const { rows, columns, title } = figure;
  const longest = Math.max(0, ...rows.map(({ length }) => length));
  const left = Math.min(190, Math.max(46, 18 + 6.1 * Math.min(longest, 28)));
  const cell = (WIDTH - left - RIGHT) / Math.max(1, columns.length);
  const height = Math.min(TALLEST, Math.max(12, cell));
  const bottom = TOP + rows.length * height;
  const turned = Math.max(0, ...columns.map(({ length }) => length)) * 6.1 > cell - 2;
  const room = turned ? 84 : 22;
  const at = { left, cell, height };
  const cells = html`${rows.flatMap((_, row) =>
    columns.map((__, column) => drawCell(figure, row, column, at)),
  )}`;
  const rowNames = rows.map(
    (name, row) =>
      html`<text x="${left - 6}" y="${round(TOP + (row + 0.5) * height + 4)}" text-anchor="end"
        >${shortened(name, 28)}<title>${name}</title></text
      >`,
  );
  const columnNames = columns.map((name, column) => {
    const x = round(left + (column + 0.5) * cell);
    return turned
      ? html`<text transform="translate(${x + 3} ${bottom + 10}) rotate(-45)" text-anchor="end"
          >${shortened(name, 18)}<title>${name}</title></text
        >`
      : html`<text x="${x}" y="${bottom + 15}" text-anchor="middle">${name}</text>`;
  });
  const end = bottom + room;
  const key = scaleBar(figure, left, end + 24);
  return drawing(title, end + 44, cells, rowNames, columnNames, axisTitles(figure, left, end), key);
}

function axisTitles({ x, y }: HeatmapFigure, left: number, end: number): Html {
  const told = [y.title && `rows: ${y.title}`, x.title && `columns: ${x.title}`].filter(Boolean);
  return html`<text class="axis-title" x="${round(left)}" y="${round(end + 12)}"
    >${told.join(' · ')}</text
  >`;
}

interface Grid {
  left: number;
  cell: number;
  height: number;
}

function drawCell(figure: HeatmapFigure, row: number, column: number, grid: Grid): Html {
  const { left, cell, height } = grid;
  const { rows, columns, values, links, digits = 2, y } = figure;
  const value = values[row]?.[column] ?? null;
  const [x, top] = [round(left + column * cell), round(TOP + row * height)];
  const told = `${rows[row]}, ${columns[column]}: ${valueText(value, y.unit, digits)}`;
  const share = value === null ? null : shareOf(figure, value);
  const fill = share === null ? 'none' : colourOf(figure.scale, share);
  const text =
    cell >= WRITTEN && value !== null
      ? html`<text
          class="cell ${isDark(figure.scale, share!) ? 'on-dark' : 'on-light'}"
          x="${round(x + cell / 2)}"
          y="${round(top + height / 2 + 4)}"
          text-anchor="middle"
          >${valueText(value, y.unit, digits)}</text
        >`
      : null;
  const rect = html`<g
    ><rect
      class="cell"
      x="${x}"
      y="${top}"
      width="${round(cell)}"
      height="${round(height)}"
      fill="${fill}"
      ><title>${told}</title></rect
    >${text}</g
  >`;
  return linked(links?.[row]?.[column], rect, told);
}

function shareOf({ range: [low, high] }: HeatmapFigure, value: number): number {
  return high === low ? 0.5 : Math.min(1, Math.max(0, (value - low) / (high - low)));
}

/** Stops of viridis (van der Walt and Smith 2015), and of a blue-to-red scale through grey. */
const STOPS = {
  sequential: ['#440154', '#414487', '#2a788e', '#22a884', '#7ad151', '#fde725'],
  diverging: ['#2166ac', '#67a9cf', '#d1e5f0', '#f7f7f7', '#fddbc7', '#ef8a62', '#b2182b'],
} as const;

function colourOf(scale: HeatmapFigure['scale'], share: number): string {
  const stops = STOPS[scale];
  const place = share * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(place));
  const [a, b] = [channels(stops[low]!), channels(stops[low + 1]!)];
  const mixed = a.map((value, i) => Math.round(value + (place - low) * (b[i]! - value)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}

function isDark(scale: HeatmapFigure['scale'], share: number): boolean {
  const [r, g, b] = channels(colourOf(scale, share)) as [number, number, number];
  return 0.299 * r + 0.587 * g + 0.114 * b < 140;
}

function scaleBar(
  { range: [low, high], scale, digits = 2, y }: HeatmapFigure,
  left: number,
  top: number,
): Html {
  const steps = 40;
  const width = 180 / steps;
  const parts = Array.from(
    { length: steps },
    (_, i) =>
      html`<rect
        x="${round(left + i * width)}"
        y="${top}"
        width="${round(width + 0.4)}"
        height="8"
        fill="${colourOf(scale, i / (steps - 1))}"
      />`,
  );
  return html`${parts}<text x="${round(left + 188)}" y="${top + 8}"
      >${valueText(low, y.unit, digits)} … ${valueText(high, y.unit, digits)}</text
    >`;
}
