/** What all charts have: the frame, axes, a legend, and marks that lead somewhere. */
import type { Axis, Colour, Link } from '../../../contract/figures.ts';
import type { Html, Part } from '../report/html.ts';
import { html } from '../report/html.ts';
import { round, tickText, type Scale } from './scale.ts';

export const WIDTH = 560;
export const LEFT = 54;
export const RIGHT = 14;
export const TOP = 16;

/** Room below the plot for ticks and the axis' title. */
const BELOW = 40;
const LEGEND_LINE = 18;
const PALETTE = 8;

export interface Plot {
  x: Axis;
  y: Axis;
  xs: Scale;
  ys: Scale;
  /** Of the plot's lower edge. */
  bottom: number;
}

export interface LegendEntry {
  name: string;
  colour: Colour;
  dashed?: boolean;
}

/** The class that fills or strokes with a colour of the palette. */
export function ink(colour: Colour): string {
  return `k${((colour % PALETTE) + PALETTE) % PALETTE}`;
}

/**
 * A mark that leads to an address where it has one.
 * @param told what it is called to those who do not see it
 */
export function linked(link: Link | null | undefined, mark: Html, told: string): Html {
  return link ? html`<a href="${link}" aria-label="${told}">${mark}</a>` : mark;
}

/** A drawing of the charts' width. With links it is no picture: a picture has no parts to those who do not see it. */
export function drawing(title: string, height: number, ...parts: Part[]): Html {
  const drawn = html`${parts}`;
  return html`<svg
    class="chart"
    xmlns="http://www.w3.org/2000/svg"
    viewBox="0 0 ${WIDTH} ${round(height)}"
    role="${drawn.text.includes('<a href') ? 'group' : 'img'}"
    aria-label="${title}"
  >
    ${drawn}
  </svg>`;
}

/** A chart: the axes, the marks over them, the legend below. */
export function chart(
  title: string,
  plot: Plot,
  marks: Part,
  legend: readonly LegendEntry[],
): Html {
  const rows = legendRows(legend);
  const turned = isCrowded(plot);
  const below = BELOW + (turned ? 46 : 0);
  const height = plot.bottom + below + rows.length * LEGEND_LINE;
  const key = rows.map((row, line) => legendRow(row, plot.bottom + below + line * LEGEND_LINE + 8));
  return drawing(title, height, yAxis(plot), xAxis(plot, turned), marks, key);
}

function yAxis({ y, ys, bottom }: Plot): Html {
  const lines = ys.ticks.map(
    (tick) =>
      html`<line
          class="grid"
          x1="${LEFT}"
          x2="${WIDTH - RIGHT}"
          y1="${round(ys.at(tick))}"
          y2="${round(ys.at(tick))}"
        /><text x="${LEFT - 7}" y="${round(ys.at(tick) + 4)}" text-anchor="end"
          >${tickText(tick, y)}</text
        >`,
  );
  const middle = round((TOP + bottom) / 2);
  return html`${lines}<text
      class="axis-title"
      transform="translate(12 ${middle}) rotate(-90)"
      text-anchor="middle"
      >${y.title}</text
    >`;
}

/** Labels that would run into each other are turned. */
function isCrowded({ x, xs }: Plot): boolean {
  if (!x.categories || xs.ticks.length < 2) return false;
  const room = xs.at(1) - xs.at(0);
  return Math.max(...x.categories.map(({ length }) => length)) * 6.2 > room;
}

function xAxis({ x, xs, bottom }: Plot, turned: boolean): Html {
  const labels = xs.ticks.map((tick) => {
    const at = round(xs.at(tick));
    const label = tickText(tick, x);
    return turned
      ? html`<text transform="translate(${at} ${bottom + 12}) rotate(-40)" text-anchor="end"
          >${shortened(label, 16)}</text
        >`
      : html`<text x="${at}" y="${bottom + 16}" text-anchor="middle">${label}</text>`;
  });
  const y = bottom + (turned ? 78 : 34);
  return html`<line
      class="axis"
      x1="${LEFT}"
      x2="${WIDTH - RIGHT}"
      y1="${bottom}"
      y2="${bottom}"
    />${labels}<text
      class="axis-title"
      x="${round((LEFT + WIDTH - RIGHT) / 2)}"
      y="${y}"
      text-anchor="middle"
      >${x.title}</text
    >`;
}

export function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

const LEGEND_GAP = 34;

function entryWidth({ name }: LegendEntry): number {
  return name.length * 6.4 + LEGEND_GAP;
}

/** Entries in as many lines as they need. */
function legendRows(legend: readonly LegendEntry[]): LegendEntry[][] {
  const rows: LegendEntry[][] = [];
  let room = 0;
  for (const entry of legend) {
    if (room < entryWidth(entry) || rows.length === 0) {
      rows.push([]);
      room = WIDTH - LEFT - RIGHT;
    }
    rows.at(-1)!.push(entry);
    room -= entryWidth(entry);
  }
  return rows;
}

function legendRow(row: readonly LegendEntry[], y: number): Html[] {
  let x = LEFT;
  return row.map((entry) => {
    const at = x;
    x += entryWidth(entry);
    const { name, colour, dashed } = entry;
    const dash = dashed ? html` stroke-dasharray="4 3"` : null;
    return html`<line
        class="line ${ink(colour)}"
        x1="${at}"
        x2="${at + 16}"
        y1="${y - 4}"
        y2="${y - 4}"
        ${dash}
      /><text class="strong" x="${at + 21}" y="${y}">${name}</text>`;
  });
}

/** A vertical whisker. */
export function whisker(x: number, low: number, high: number, colour: Colour): Html {
  return html`<path
    class="whisker ${ink(colour)}"
    d="M${round(x - 3)} ${round(low)}h6M${round(x)} ${round(low)}V${round(high)}M${round(x - 3)} ${round(high)}h6"
  />`;
}
