import type { ScatterFigure } from '../../../contract/figures.ts';
import type { Html } from '../report/html.ts';
import { html } from '../report/html.ts';
import { chart, ink, LEFT, linked, RIGHT, shortened, TOP, WIDTH, type Plot } from './frame.ts';
import { round, scaleOf, valueText } from './scale.ts';

const BOTTOM = 280;
/** With more points than these, labels would cover each other. */
const LABELLED = 16;

/** Points of several series; those with a label are named where there are few. */
export function drawScatter({ x, y, series, diagonal, title }: ScatterFigure): Html {
  const points = series.flatMap((each) => each.points);
  const xs = scaleOf(
    x,
    points.map((point) => point.x),
    LEFT + 8,
    WIDTH - RIGHT - 8,
  );
  const ys = scaleOf(
    y,
    points.map((point) => point.y),
    BOTTOM,
    TOP + 6,
  );
  const plot: Plot = { x, y, xs, ys, bottom: BOTTOM };
  const named = points.length <= LABELLED;
  const dots = series.flatMap(({ name, colour, points: own }) =>
    own.map((point) => {
      const told = `${point.label ?? name}: ${valueText(point.x, x.unit)}, ${valueText(point.y, y.unit)}`;
      const [px, py] = [round(xs.at(point.x)), round(ys.at(point.y))];
      const circle = html`<circle class="point ${ink(colour)}" cx="${px}" cy="${py}" r="4"
        ><title>${told}</title></circle
      >`;
      return html`${linked(point.link, circle, told)}${named && point.label ? label(px, py, point.label) : null}`;
    }),
  );
  return chart(title, plot, html`${diagonal ? identity(plot) : null}${dots}`, series);
}

function label(x: number, y: number, text: string): Html {
  const end = x > WIDTH - 150;
  return html`<text x="${end ? x - 7 : x + 7}" y="${y - 5}" text-anchor="${end ? 'end' : 'start'}"
    >${shortened(text, 24)}</text
  >`;
}

function identity({ xs, ys }: Plot): Html | null {
  const low = Math.max(xs.domain[0], ys.domain[0]);
  const high = Math.min(xs.domain[1], ys.domain[1]);
  if (low >= high) return null;
  return html`<line
    class="mark"
    x1="${round(xs.at(low))}"
    y1="${round(ys.at(low))}"
    x2="${round(xs.at(high))}"
    y2="${round(ys.at(high))}"
  />`;
}
