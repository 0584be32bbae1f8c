import type { BarsFigure } from '../../../contract/figures.ts';
import type { Html } from '../report/html.ts';
import { html } from '../report/html.ts';
import { chart, ink, LEFT, linked, RIGHT, TOP, whisker, WIDTH, type Plot } from './frame.ts';
import { intervalText, round, scaleOf, shownEnds, valueText, type Scale } from './scale.ts';

const BOTTOM = 260;

type Group = BarsFigure['groups'][number];
type Bar = Group['bars'][number];

/** Groups of bars with their single values as dots; faded bars stand behind, wider. */
export function drawBars(figure: BarsFigure): Html {
  const { groups, title } = figure;
  const bars = groups.flatMap((group) => group.bars);
  const estimates = [0, ...bars.flatMap(({ value, values = [] }) => [value, ...values])];
  const intervals = bars.flatMap(({ interval }) => (interval ? [interval] : []));
  const reached = shownEnds(estimates, intervals);
  const y = { ...figure.y, include: [0, ...(figure.y.include ?? [])] };
  const x = { ...figure.x, categories: groups.map(({ label }) => label) };
  const ys = scaleOf(y, reached, BOTTOM, TOP + 10);
  const xs = scaleOf(x, [], LEFT, WIDTH - RIGHT);
  const plot: Plot = { x, y, xs, ys, bottom: BOTTOM };
  const slot = (WIDTH - LEFT - RIGHT) / Math.max(1, groups.length);
  const marks = groups.map((group, at) => drawGroup(group, xs.at(at), slot, ys, figure));
  const names = new Map(
    bars.filter(({ faded }) => !faded).map(({ name, colour }) => [name, colour]),
  );
  return chart(
    title,
    plot,
    marks,
    [...names].map(([name, colour]) => ({ name, colour })),
  );
}

function drawGroup(
  { bars, note }: Group,
  middle: number,
  slot: number,
  ys: Scale,
  { y }: BarsFigure,
): Html {
  const [behind, front] = [bars.filter(({ faded }) => faded), bars.filter(({ faded }) => !faded)];
  const width = Math.min(40, (slot * 0.78) / Math.max(1, behind.length, front.length));
  const draw = (own: Bar[], share: number) =>
    own.map((bar, at) => {
      const x = middle + (at - (own.length - 1) / 2) * width;
      return drawBar(bar, x, width * share, ys, y.unit ?? '');
    });
  const tops = bars.flatMap(({ value, interval = [], values = [] }) => [
    value,
    ...interval,
    ...values,
  ]);
  const over = note
    ? html`<text
        class="strong"
        x="${round(middle)}"
        y="${round(within(ys.at(Math.max(0, ...tops))) - 7)}"
        text-anchor="middle"
        >${note}</text
      >`
    : null;
  return html`${draw(behind, 1)}${draw(front, behind.length > 0 ? 0.62 : 0.9)}${over}`;
}

function drawBar(bar: Bar, x: number, width: number, ys: Scale, unit: '' | '%' | '1'): Html {
  const { name, colour, value, interval, values = [], faded, link } = bar;
  const [top, base] = [Math.min(ys.at(value), ys.at(0)), Math.max(ys.at(value), ys.at(0))];
  const told = `${name}: ${valueText(value, unit)}${interval ? ` ${intervalText(interval, unit)}` : ''}`;
  const dots = values.map(
    (each) =>
      html`<circle
        class="dot ${ink(colour)}"
        cx="${round(x)}"
        cy="${round(ys.at(each))}"
        r="2.4"
      />`,
  );
  const mark = html`<rect
    class="bar ${faded ? 'faded' : ''} ${ink(colour)}"
    x="${round(x - width / 2)}"
    y="${round(top)}"
    width="${round(width)}"
    height="${round(base - top)}"
    rx="1.5"
    ><title>${told}</title></rect
  >`;
  const whiskers =
    interval && whisker(x, within(ys.at(interval[0])), within(ys.at(interval[1])), colour);
  return html`${linked(link, mark, told)}${whiskers ?? null}${dots}`;
}

/** Within the plot. */
function within(y: number): number {
  return Math.min(BOTTOM, Math.max(TOP, y));
}
