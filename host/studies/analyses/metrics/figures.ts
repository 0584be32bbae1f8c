import type { Figure, HeatmapFigure } from '../../../../contract/figures.ts';
import { colourOf, contrasts } from '../arm-values.ts';
import type { StudyView } from '../definition.ts';
import { runLink, testedLink } from '../links.ts';
import { METRICS } from './list.ts';
import type { Measured, MetricsJob } from './measure.ts';

export function metricsFigures(
  view: StudyView,
  measured: Measured,
  job: MetricsJob,
  interval: string,
): Figure[] {
  return [
    runsFigure(view, measured, job, interval),
    reliability(view, measured, job),
    ...confusions(view, measured, job),
  ];
}

/** Each run's numbers, with their intervals. */
function runsFigure(
  view: StudyView,
  { runs }: Measured,
  job: MetricsJob,
  interval: string,
): Figure {
  const shown = METRICS.filter(({ key }) => runs.some((run) => run[key] !== null));
  return {
    kind: 'bars',
    id: 'metrics',
    title: 'Metrics of every run',
    caption: `A bar a run. Intervals: ${interval}; the mean AUC has none.`,
    x: { title: 'metric' },
    y: { title: 'value', unit: '1', include: [0, 1] },
    groups: shown.map(({ key, title }) => ({
      label: title,
      bars: job.runs.flatMap(({ run, arm, seed }, at) => {
        const { value = null, interval: own = null } = runs[at]![key] ?? {};
        if (value === null) return [];
        const name = `${arm}, seed ${seed}`;
        const link = runLink(view.id, run);
        return [{ name, colour: colourOf(view, arm), value, link, ...(own && { interval: own }) }];
      }),
    })),
  };
}

function reliability(view: StudyView, { runs }: Measured, job: MetricsJob): Figure {
  const single = runs[0]?.confusion !== null;
  return {
    kind: 'lines',
    id: 'reliability',
    title: 'Calibration',
    caption:
      `Bins of equal mass; dashed: ${single ? 'confidence is accuracy' : 'probability is share'}. ` +
      'Below it a network is surer than it is right.',
    x: { title: single ? 'mean confidence' : 'mean probability', unit: '1', include: [0, 1] },
    y: { title: single ? 'accuracy' : 'share with the finding', unit: '1', include: [0, 1] },
    series: [
      ...job.runs.map(({ run, arm, seed }, at) => ({
        name: `${arm}, seed ${seed}`,
        colour: colourOf(view, arm),
        points: runs[at]!.bins.map(({ confidence, accuracy }) => ({
          ...{ x: confidence, y: accuracy, link: runLink(view.id, run) },
        })),
      })),
      {
        ...{ name: 'calibrated', colour: Object.keys(view.study.spec.arms).length, dashed: true },
        points: [
          { x: 0, y: 0 },
          { x: 1, y: 1 },
        ],
      },
    ],
  };
}

/** Of each arm and of the differences: shares of the true class, means over seeds. */
function confusions(view: StudyView, measured: Measured, job: MetricsJob): Figure[] {
  if (measured.runs[0]?.confusion === null) return [];
  const arms = [...new Set(job.runs.map(({ arm }) => arm))];
  const shares = new Map(arms.map((arm) => [arm, meanShares(measured, job, arm)]));
  const own = arms.map((arm) =>
    heatmap(view, measured, shares.get(arm)!, {
      id: `confusion-${arms.indexOf(arm)}`,
      title: `Confusion of ${arm}`,
      caption: 'Share of the images of the true class that are told so, mean over seeds.',
      ...{ range: [0, 1], scale: 'sequential' },
    }),
  );
  const differences = contrasts(view).flatMap(({ pretrained, random }, at) => {
    const [first, second] = [shares.get(pretrained), shares.get(random)];
    if (!first || !second) return [];
    const values = first.map((value, cell) => {
      const other = second[cell] ?? null;
      return value === null || other === null ? null : value - other;
    });
    const most = Math.max(0.01, ...values.map((value) => Math.abs(value ?? 0)));
    return [
      heatmap(view, measured, values, {
        id: `confusion-difference-${at}`,
        title: `Confusion of ${pretrained} less that of ${random}`,
        caption:
          'Difference of the shares. On the diagonal above 0: the pretrained start helps the class.',
        ...{ range: [-most, most], scale: 'diverging' },
      }),
    ];
  });
  return [...own, ...differences];
}

function meanShares({ runs, classNames }: Measured, job: MetricsJob, arm: string) {
  const classes = classNames.length;
  const own = runs.filter((_, at) => job.runs[at]!.arm === arm);
  return Array.from({ length: classes * classes }, (_, cell) => {
    const row = Math.floor(cell / classes) * classes;
    let sum = 0;
    for (const { confusion } of own) {
      const all = confusion!.slice(row, row + classes).reduce((total, n) => total + n, 0);
      if (all === 0) return null;
      sum += confusion![cell]! / all;
    }
    return sum / own.length;
  });
}

function heatmap(
  view: StudyView,
  { classNames }: Measured,
  cells: (number | null)[],
  rest: Pick<HeatmapFigure, 'id' | 'title' | 'caption' | 'range' | 'scale'>,
): HeatmapFigure {
  const classes = classNames.length;
  return {
    kind: 'heatmap',
    ...rest,
    x: { title: 'told', unit: '%' },
    y: { title: 'true', unit: '%' },
    rows: classNames,
    columns: classNames,
    values: classNames.map((_, row) => cells.slice(row * classes, (row + 1) * classes)),
    links: classNames.map((label) => {
      const link = testedLink(view, { label: [label] });
      return classNames.map(() => link);
    }),
  };
}
