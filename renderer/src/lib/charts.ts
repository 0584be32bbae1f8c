import type { ChartConfiguration, ChartDataset, TooltipItem } from 'chart.js';

export interface Point {
  x: number;
  y: number;
}

/** One line of a chart. Lines of one group share a colour and a place in the legend. */
export interface Series {
  key: string;
  label: string;
  group: string;
  /** Name of a CSS variable. */
  colour: string;
  dashed: boolean;
  points: Point[];
}

export interface ChartText {
  x: string;
  y: string;
  /** Values are shares in [0, 1], shown as percentages. */
  share: boolean;
  /** Equal ratios take equal room along x; the y axis then holds the values, not zero. */
  log?: boolean;
  /** What is higher is cut off. */
  top?: number;
}

/** Looks a CSS variable up, so that charts follow the theme. */
export type Palette = (variable: string) => string;

/** The Chart.js form of the series. */
export function datasets(
  series: readonly Series[],
  palette: Palette,
): ChartDataset<'line', Point[]>[] {
  return series.map((one) => ({
    label: one.label,
    data: one.points,
    borderColor: palette(one.colour),
    backgroundColor: palette(one.colour),
    borderDash: one.dashed ? [5, 3] : [],
    borderWidth: 1.75,
    pointRadius: one.points.length === 1 ? 3 : 0,
    pointHoverRadius: 4,
    pointHitRadius: 8,
    tension: 0,
  }));
}

/** A line chart without animation, its own legend off (the page draws one). */
export function lineChart(
  series: readonly Series[],
  text: ChartText,
  palette: Palette,
): ChartConfiguration<'line', Point[]> {
  return {
    type: 'line',
    data: { datasets: datasets(series, palette) },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      parsing: false,
      interaction: { mode: 'nearest', intersect: false },
      scales: axes(text, palette),
      plugins: { legend: { display: false }, tooltip: tooltip(text) },
    },
  };
}

function axes(text: ChartText, palette: Palette) {
  const color = palette('--ink-3');
  const tick = (y: number) =>
    text.share ? `${Math.round(100 * y)} %` : String(Number(y.toPrecision(3)));
  const decade = (x: number | string) =>
    Number.isInteger(Math.log10(Number(x))) ? Number(x).toExponential(0) : null;
  return {
    x: {
      type: text.log ? ('logarithmic' as const) : ('linear' as const),
      grid: { display: false },
      border: { color: palette('--line-strong') },
      ticks: text.log ? { color, callback: decade } : { color, maxTicksLimit: 10 },
      title: { display: true, text: text.x, color },
    },
    y: {
      beginAtZero: !text.log,
      ...(text.top !== undefined && { max: text.top }),
      grid: { color: palette('--line') },
      border: { display: false },
      ticks: { color, maxTicksLimit: 6, callback: (y: number | string) => tick(Number(y)) },
      title: { display: true, text: text.y, color },
    },
  };
}

function tooltip(text: ChartText) {
  const value = (y: number) => (text.share ? `${(100 * y).toFixed(1)} %` : y.toPrecision(3));
  return {
    callbacks: {
      title: ([item]: TooltipItem<'line'>[]) =>
        `${text.x} ${text.log ? item?.parsed.x?.toPrecision(2) : (item?.parsed.x ?? '')}`,
      label: (item: TooltipItem<'line'>) =>
        ` ${item.dataset.label ?? ''}: ${value(item.parsed.y ?? NaN)}`,
    },
  };
}

/** Every line as a column over the union of the x values; null where a line has no point. */
export function asTable(series: readonly Series[], x: string) {
  const places = [...new Set(series.flatMap((one) => one.points.map((point) => point.x)))].toSorted(
    (a, b) => a - b,
  );
  const columns = series.map((one) => new Map(one.points.map((point) => [point.x, point.y])));
  return {
    header: [x, ...series.map((one) => one.label)],
    rows: places.map((place) => [place, ...columns.map((column) => column.get(place) ?? null)]),
  };
}
