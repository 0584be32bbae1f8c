import type { Html, Part } from './html.ts';
import { fixed, html, percent } from './html.ts';

export interface Line {
  name: string;
  colour: string;
  points: { x: number; y: number }[];
}

export interface Bar {
  name: string;
  colour: string;
  mean: number;
  /** The single values behind the mean, drawn as dots. */
  values: number[];
}

export interface BarGroup {
  label: string;
  /** Over the bars, such as a relative drop. */
  note: string | null;
  bars: Bar[];
}

const WIDTH = 480;
const HEIGHT = 250;
const LEFT = 42;
const RIGHT = 12;
const TOP = 22;
const BOTTOM = 34;

/** How shares are written: in percent, or from 0 to 1. */
export type Unit = '%' | '1';

interface Axis {
  y: Scale;
  unit: Unit;
}

function shown(value: number, unit: Unit): string {
  return unit === '%' ? percent(value) : fixed(value, 3);
}

interface Scale {
  (value: number): number;
}

/** Lines over epochs or the like; the y axis holds shares from 0. */
export function lineChart(title: string, xTitle: string, lines: Line[], unit: Unit = '%'): Html {
  const top = niceTop(lines.flatMap(({ points }) => points.map(({ y }) => y)));
  const last = Math.max(1, ...lines.flatMap(({ points }) => points.map(({ x }) => x)));
  const x: Scale = (value) => LEFT + (value / last) * (WIDTH - LEFT - RIGHT);
  const y = yScale(top);
  const ticks = niceTicks(last).map(
    (tick) =>
      html`<text x="${round(x(tick))}" y="${HEIGHT - 16}" text-anchor="middle">${tick}</text>`,
  );
  const paths = lines.map(({ name, colour, points }) => {
    const path = points.map(
      (point, i) => `${i === 0 ? 'M' : 'L'}${round(x(point.x))} ${round(y(point.y))}`,
    );
    return html`<path
      d="${path.join('')}"
      fill="none"
      stroke-width="1.8"
      stroke-linejoin="round"
      style="stroke:${colour}"
      ><title>${name}</title></path
    >`;
  });
  const label = html`<text x="${WIDTH - RIGHT}" y="${HEIGHT - 2}" text-anchor="end"
    >${xTitle}</text
  >`;
  return frame(title, [shareAxis(y, top, unit), ticks, label, paths]);
}

/** Groups of bars with a dot per single value; the y axis holds shares from 0. */
export function barChart(
  title: string,
  xTitle: string,
  groups: BarGroup[],
  unit: Unit = '%',
): Html {
  const top = niceTop(groups.flatMap(({ bars }) => bars.flatMap(({ values }) => values)));
  const y = yScale(top);
  const slot = (WIDTH - LEFT - RIGHT) / groups.length;
  const parts = groups.map((group, index) =>
    barGroup(group, LEFT + index * slot, slot, { y, unit }),
  );
  const label = html`<text x="${WIDTH - RIGHT}" y="${HEIGHT - 2}" text-anchor="end"
    >${xTitle}</text
  >`;
  return frame(title, [shareAxis(y, top, unit), parts, label]);
}

function barGroup({ label, note, bars }: BarGroup, left: number, slot: number, axis: Axis): Html {
  const { y } = axis;
  const width = Math.min(38, (slot * 0.72) / bars.length);
  const start = left + (slot - width * bars.length) / 2;
  const middle = round(left + slot / 2);
  const highest = Math.max(...bars.flatMap(({ mean, values }) => [mean, ...values]));
  const over =
    note === null
      ? null
      : html`<text class="strong" x="${middle}" y="${round(y(highest) - 8)}" text-anchor="middle"
          >${note}</text
        >`;
  const drawn = bars.map((bar, index) => oneBar(bar, start + index * width, width, axis));
  return html`${drawn}${over}<text x="${middle}" y="${HEIGHT - 16}" text-anchor="middle"
      >${label}</text
    >`;
}

function oneBar(
  { name, colour, mean, values }: Bar,
  left: number,
  width: number,
  { y, unit }: Axis,
): Html {
  const middle = left + width / 2;
  const dots = values.map(
    (value) =>
      html`<circle
        cx="${round(middle)}"
        cy="${round(y(value))}"
        r="2.6"
        stroke-width="1.2"
        style="fill:var(--card);stroke:${colour}"
        ><title>${name}: ${shown(value, unit)}</title></circle
      >`,
  );
  return html`<rect
      x="${round(left + 1)}"
      y="${round(y(mean))}"
      width="${round(width - 2)}"
      height="${round(y(0) - y(mean))}"
      rx="2"
      opacity=".82"
      style="fill:${colour}"
      ><title>${name}: ${shown(mean, unit)}</title></rect
    >${dots}`;
}

/** An interval with its estimate on a line from -1 to 1. */
export function intervalMark(value: number, [low, high]: [number, number], colour: string): Html {
  const x: Scale = (each) => 4 + ((Math.max(-1, Math.min(1, each)) + 1) / 2) * 112;
  return html`<svg
    viewBox="0 0 120 14"
    style="width:120px"
    role="img"
    aria-label="${value.toFixed(2)}, ${low.toFixed(2)} to ${high.toFixed(2)}"
  >
    <line class="grid" x1="4" x2="116" y1="7" y2="7" />
    <line class="axis" x1="60" x2="60" y1="3" y2="11" />
    <line
      x1="${round(x(low))}"
      x2="${round(x(high))}"
      y1="7"
      y2="7"
      stroke-width="3"
      stroke-linecap="round"
      opacity=".45"
      style="stroke:${colour}"
    />
    <circle cx="${round(x(value))}" cy="7" r="3.4" style="fill:${colour}" />
  </svg>`;
}

/** A round share that holds all values with a little room, at most 1. */
function niceTop(values: number[]): number {
  const highest = Math.max(0, ...values) * 1.08;
  return [0.1, 0.2, 0.4, 0.6, 0.8].find((top) => top >= highest) ?? 1;
}

function yScale(top: number): Scale {
  return (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP);
}

function shareAxis(y: Scale, top: number, unit: Unit): Html[] {
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => part * top);
  return ticks.map(
    (tick) =>
      html`<line
          class="${tick === 0 ? 'axis' : 'grid'}"
          x1="${LEFT}"
          x2="${WIDTH - RIGHT}"
          y1="${round(y(tick))}"
          y2="${round(y(tick))}"
        /><text x="${LEFT - 7}" y="${round(y(tick) + 4)}" text-anchor="end"
          >${unit === '%' ? `${Number((100 * tick).toFixed(1))} %` : Number(tick.toFixed(3))}</text
        >`,
  );
}

/** About five round numbers from 0 to `last`. */
function niceTicks(last: number): number[] {
  const rough = last / 5;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? last;
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, index) => index * step);
}

function frame(title: string, parts: readonly Part[]): Html {
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
    ${parts}
  </svg>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
