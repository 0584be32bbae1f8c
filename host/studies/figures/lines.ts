import type { LinesFigure } from '../../../contract/figures.ts';
import type { Html } from '../report/html.ts';
import { html } from '../report/html.ts';
import { chart, ink, LEFT, linked, RIGHT, TOP, WIDTH, type Plot } from './frame.ts';
import { intervalText, round, scaleOf, shownEnds, tickText, valueText } from './scale.ts';

const BOTTOM = 260;

type Series = LinesFigure['series'][number];

/** Lines with bands where their points have intervals, and vertical marks. */
export function drawLines(figure: LinesFigure): Html {
  const { x, y, series, marks = [], title } = figure;
  const points = series.flatMap((each) => each.points);
  const xs = scaleOf(
    x,
    [...points.map((point) => point.x), ...marks.map((mark) => mark.x)],
    LEFT + 6,
    WIDTH - RIGHT - 6,
  );
  const heights = points.map((point) => point.y);
  const intervals = points.flatMap(({ interval }) => (interval ? [interval] : []));
  const isFree = heights.length === 0 || y.scale === 'log';
  const ends = isFree ? heights : shownEnds(heights, intervals);
  const ys = scaleOf(y, ends, BOTTOM, TOP);
  const plot: Plot = { x, y, xs, ys, bottom: BOTTOM };
  const drawn = html`${marks.map((mark) => drawMark(mark, plot))}${series.map((each) => band(each, plot))}${series.map((each) => line(each, plot))}`;
  return chart(title, plot, drawn, series);
}

function band({ colour, points }: Series, { xs, ys }: Plot): Html | null {
  const own = points.filter((point) => point.interval);
  if (own.length < 2) return null;
  const place = (x: number, end: number) =>
    `${round(xs.at(x))} ${round(Math.min(BOTTOM, Math.max(TOP, ys.at(end))))}`;
  const upper = own.map((point) => place(point.x, point.interval![1]));
  const lower = own.map((point) => place(point.x, point.interval![0]));
  return html`<path
    class="band ${ink(colour)}"
    d="M${[...upper, ...lower.reverse()].join('L')}Z"
  />`;
}

function line({ name, colour, dashed, points }: Series, plot: Plot): Html {
  const { x, y, xs, ys } = plot;
  const finite = points.filter((point) => Number.isFinite(point.y));
  const path = finite.map((point) => `${round(xs.at(point.x))} ${round(ys.at(point.y))}`);
  const dash = dashed ? html` stroke-dasharray="5 3"` : null;
  const dots = finite.map((point) => {
    const interval = point.interval ? ` ${intervalText(point.interval, y.unit)}` : '';
    const told = `${name}, ${x.title} ${tickText(point.x, x)}: ${valueText(point.y, y.unit)}${interval}`;
    const circle = html`<circle
      class="point ${ink(colour)}"
      cx="${round(xs.at(point.x))}"
      cy="${round(ys.at(point.y))}"
      r="${finite.length > 40 ? 1.5 : 3}"
      ><title>${told}</title></circle
    >`;
    return linked(point.link, circle, told);
  });
  return html`<path class="line ${ink(colour)}" d="M${path.join('L')}" ${dash} />${dots}`;
}

function drawMark(
  { x, interval, label }: NonNullable<LinesFigure['marks']>[number],
  plot: Plot,
): Html {
  const { xs, bottom } = plot;
  const at = round(xs.at(x));
  const shade =
    interval &&
    html`<rect
      class="shade"
      x="${round(xs.at(interval[0]))}"
      y="${TOP}"
      width="${round(xs.at(interval[1]) - xs.at(interval[0]))}"
      height="${bottom - TOP}"
    />`;
  const end = at > WIDTH - 140;
  return html`${shade ?? null}<line
      class="mark"
      x1="${at}"
      x2="${at}"
      y1="${TOP}"
      y2="${bottom}"
    /><text
      class="strong"
      x="${end ? at - 5 : at + 5}"
      y="${TOP + 10}"
      text-anchor="${end ? 'end' : 'start'}"
      >${label}</text
    >`;
}
