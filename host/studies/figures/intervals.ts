import type { IntervalsFigure } from '../../../contract/figures.ts';
import type { Html } from '../report/html.ts';
import { html } from '../report/html.ts';
import { drawing, ink, linked, RIGHT, shortened, WIDTH } from './frame.ts';
import { intervalText, round, scaleOf, tickText, valueText, type Scale } from './scale.ts';

const ROW = 24;
const TOP = 10;
const MOST_LABEL = 40;

/** Estimates with their intervals, one below the other. */
export function drawIntervals(figure: IntervalsFigure): Html {
  const { x, rows, zero, title } = figure;
  const longest = Math.max(0, ...rows.map(({ label }) => Math.min(MOST_LABEL, label.length)));
  const left = Math.min(260, 20 + 6.2 * longest);
  const values = rows.flatMap(({ value, interval }) => [value, ...(interval ?? [])]);
  const xs = scaleOf(
    x,
    zero === undefined ? values : [...values, zero],
    left + 8,
    WIDTH - RIGHT - 70,
  );
  const bottom = TOP + rows.length * ROW;
  const marks = rows.map((row, at) => drawRow(row, TOP + (at + 0.5) * ROW, left, xs, figure));
  const axis = html`<text
    class="axis-title"
    x="${round((left + WIDTH - RIGHT - 70) / 2)}"
    y="${bottom + 32}"
    text-anchor="middle"
    >${x.title}</text
  >`;
  return drawing(title, bottom + 38, grid(figure, xs, bottom), marks, axis);
}

function drawRow(
  { label, value, interval, colour, note, link }: IntervalsFigure['rows'][number],
  y: number,
  left: number,
  xs: Scale,
  { x }: IntervalsFigure,
): Html {
  const told = `${label}: ${valueText(value, x.unit)}${interval ? ` ${intervalText(interval, x.unit)}` : ''}${note ? `, ${note}` : ''}`;
  const bar =
    interval &&
    html`<line
      class="interval ${ink(colour)}"
      x1="${round(xs.at(interval[0]))}"
      x2="${round(xs.at(interval[1]))}"
      y1="${y}"
      y2="${y}"
    />`;
  const mark = html`<g
    ><title>${told}</title>${bar}<circle
      class="point ${ink(colour)}"
      cx="${round(xs.at(value))}"
      cy="${y}"
      r="4"
  /></g>`;
  return html`<text class="strong" x="${left}" y="${y + 4}" text-anchor="end"
      >${shortened(label, MOST_LABEL)}</text
    >${linked(link, mark, told)}<text x="${WIDTH - 8}" y="${y + 4}" text-anchor="end"
      >${valueText(value, x.unit)}</text
    >`;
}

/** Ticks over all rows, and the line of no effect. */
function grid({ x, zero }: IntervalsFigure, xs: Scale, bottom: number): Html {
  const upright = (at: number, kind: string): Html =>
    html`<line class="${kind}" x1="${at}" x2="${at}" y1="${TOP}" y2="${bottom}" />`;
  const ticks = xs.ticks.map((tick) => {
    const at = round(xs.at(tick));
    const label = html`<text x="${at}" y="${bottom + 15}" text-anchor="middle"
      >${tickText(tick, x)}</text
    >`;
    return html`${upright(at, 'grid')}${label}`;
  });
  return html`${ticks}${zero === undefined ? null : upright(round(xs.at(zero)), 'mark')}`;
}
