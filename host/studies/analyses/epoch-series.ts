/** Runs that differ in the epoch that they start from: figure 7 of the paper, and rewinding. */
import { CarryoverError } from '../../../contract/errors.ts';
import type { AnalysisName } from '../../../contract/study-analyses.ts';
import type { Figure, Quantity, Table, Unit } from '../../../contract/figures.ts';
import { plateau, type Plateau } from '../../../engine/analysis/change-point.ts';
import { tInterval } from '../../../engine/analysis/t-interval.ts';
import type { Presented, StudyRun, StudyView } from './definition.ts';
import { overSeeds } from './intervals.ts';
import { runLink } from './links.ts';

/** What a series is called. */
export interface SeriesText {
  name: AnalysisName;
  /** `pretraining epoch`. */
  epoch: string;
  /** Of the figures. */
  title: string;
  /** What the last epoch of the series stands for, in a caption. */
  about: string;
}

export interface SeriesRun {
  epoch: number;
  run: StudyRun;
}

/**
 * Runs of the arms whose name is `prefix` and an epoch, by epoch, then seed.
 * @throws unsupported with fewer than three epochs
 */
export function seriesOf(view: StudyView, prefix: string, name: AnalysisName): SeriesRun[] {
  const found = view.runs.flatMap((run): SeriesRun[] => {
    const epoch = run.arm.startsWith(prefix) ? run.arm.slice(prefix.length) : '';
    return /^\d+$/.test(epoch) && run.shuffle === 'none' ? [{ epoch: Number(epoch), run }] : [];
  });
  found.sort((a, b) => a.epoch - b.epoch || a.run.seed - b.run.seed);
  if (new Set(found.map(({ epoch }) => epoch)).size >= 3) return found;
  throw new CarryoverError('unsupported', `${name} needs three epochs or more to start from`, {
    wayOut: `give more epochs: ${name}: { epochs: [...] }`,
  });
}

/** The arm that the analysis is about: as named, else the first that starts from a checkpoint. */
export function baseArm({ study: { spec } }: StudyView, named: string | undefined): string {
  const first = Object.entries(spec.arms).find(
    ([, { init }]) => init !== 'random' && 'checkpoint' in init,
  );
  return named ?? first?.[0] ?? '';
}

interface Measure {
  key: 'accuracy' | 'speed';
  title: string;
  unit: Unit;
  of: (run: StudyRun) => number | null;
}

function measuresOf({ study }: StudyView): Measure[] {
  const findings = study.sides.findings !== null;
  return [
    {
      key: 'accuracy',
      title: findings ? 'final mean test AUC' : 'final test accuracy',
      unit: findings ? '1' : '%',
      of: ({ testAuc, testAccuracy }) => testAuc ?? testAccuracy,
    },
    {
      key: 'speed',
      title: 'optimisation speed (mean training accuracy)',
      unit: '%',
      of: (run) => run.optimisationSpeed,
    },
  ];
}

/** One measure over the series: seeds that have it at every epoch. */
interface Curve {
  measure: Measure;
  epochs: number[];
  /** [seed][epoch] */
  values: number[][];
  /** In epochs; null where there are too few values for one. */
  plateau: Plateau | null;
}

function curveOf(measure: Measure, series: readonly SeriesRun[]): Curve {
  const epochs = [...new Set(series.map(({ epoch }) => epoch))];
  const bySeed = Map.groupBy(series, ({ run }) => run.seed);
  const values = [...bySeed.values()]
    .map((own) =>
      epochs.flatMap((epoch) => {
        const run = own.find((each) => each.epoch === epoch)?.run;
        return (run && measure.of(run)) ?? [];
      }),
    )
    .filter((row) => row.length === epochs.length);
  const df = values.length * (epochs.length - 1) - 2;
  const found = df < 1 ? null : plateau({ x: epochs.map(toScale), y: values });
  return { measure, epochs, values, plateau: found && inEpochs(found) };
}

/** Early epochs change more: the change point is sought over log2(1 + epoch). */
function toScale(epoch: number): number {
  return Math.log2(1 + epoch);
}

function inEpochs(found: Plateau): Plateau {
  // Rounded, so that the last epoch is that epoch.
  const back = (place: number): number => Math.round((2 ** place - 1) * 1e9) / 1e9;
  return {
    ...found,
    from: found.from === null ? null : back(found.from),
    interval: found.interval && [back(found.interval[0]), back(found.interval[1])],
  };
}

/** Figures and numbers of a series. */
export function presentSeries(
  view: StudyView,
  series: readonly SeriesRun[],
  text: SeriesText,
): Presented {
  const curves = measuresOf(view).map((measure) => curveOf(measure, series));
  return {
    quantities: curves.flatMap((curve) => quantitiesOf(curve, text)),
    figures: curves
      .filter(({ values }) => values.length > 0)
      .map((curve) => figureOf(view, series, curve, text)),
    tables: [tableOf(view, series, text)],
    notes: notesOf(curves, text),
  };
}

const METHOD = 'profile of the residual sum of squares, plateau over log2(1 + epoch)';

function quantitiesOf(curve: Curve, { name, epoch: of }: SeriesText): Quantity[] {
  const { measure, epochs, values, plateau: found } = curve;
  const last = epochs.length - 1;
  const n = values.length;
  const key = `${name}.${measure.key}`;
  const { unit } = measure;
  const over = (of: (row: number[]) => number) =>
    overSeeds(values.map((row, seed) => ({ seed, value: of(row) })));
  const at = epochs.map((epoch, i): Quantity => ({
    ...{ key: `${key}.${epoch}`, title: `${measure.title} from ${of} ${epoch}`, unit },
    ...over((row) => row[i]!),
  }));
  const gain = {
    ...{ key: `${key}.gain`, title: `${measure.title}, last ${of} less first`, unit },
    ...over((row) => row[last]! - row[0]!),
  };
  const from: Quantity = {
    ...{ key: `${key}.nothing-gained-from`, unit: '', method: METHOD, n: n * epochs.length },
    title: `${of} from which on nothing is gained, ${measure.title}`,
    value: found?.from ?? null,
    interval: found?.interval ?? null,
  };
  return [...at, gain, from];
}

function figureOf(
  view: StudyView,
  series: readonly SeriesRun[],
  { measure, epochs, values, plateau: found }: Curve,
  { epoch: of, title, about }: SeriesText,
): Figure {
  const points = epochs.map((x, i) => {
    const { mean: y, interval } = tInterval(values.map((row) => row[i]!));
    const { run } = series.find(({ epoch }) => epoch === x)!;
    return { x, y, ...(interval && { interval }), link: runLink(view.id, run.id) };
  });
  const [from, interval] = [found?.from ?? null, found?.interval ?? null];
  return {
    kind: 'lines',
    id: measure.key,
    title: `${title}: ${measure.title}`,
    caption: `Means over ${values.length} seeds, bands: 95 %, t over seeds. ${about} Vertical: from where on nothing is gained, with its 95 % interval.`,
    x: { title: of },
    y: { title: measure.title, unit: measure.unit },
    series: [{ name: measure.title, colour: 0, points }],
    ...(from !== null && {
      marks: [{ x: from, ...(interval && { interval }), label: 'nothing gained from here' }],
    }),
  };
}

function tableOf(view: StudyView, series: readonly SeriesRun[], { epoch: of }: SeriesText): Table {
  return {
    id: 'runs',
    title: 'Every run',
    columns: [
      { key: 'epoch', title: of, digits: 0 },
      { key: 'seed', title: 'Seed', digits: 0 },
      { key: 'accuracy', title: 'Test accuracy', unit: '%', digits: 1 },
      { key: 'auc', title: 'Test AUC', digits: 3 },
      { key: 'speed', title: 'Optimisation speed', unit: '%', digits: 1 },
    ],
    rows: series.map(({ epoch, run }) => ({
      ...{ epoch, seed: run.seed, accuracy: run.testAccuracy, auc: run.testAuc },
      speed: run.optimisationSpeed,
    })),
    links: series.map(({ run }) => runLink(view.id, run.id)),
  };
}

function notesOf(curves: readonly Curve[], { epoch: of }: SeriesText): string[] {
  const notes = [
    'The change point is where a line that rises over log2(1 + epoch) meets a level one, each seed with a level of its own; it is no better than that picture of the curve.',
  ];
  for (const { measure, epochs, plateau: found } of curves) {
    if (found === null) {
      notes.push(`${measure.title}: too few runs for a change point.`);
    } else if (!found.rises) {
      notes.push(`${measure.title}: no rise with the ${of} beyond chance, so no change point.`);
    } else if (found.interval && found.interval[1] >= epochs.at(-1)! - 1e-9) {
      notes.push(`${measure.title}: still rising at the last ${of}, as far as these runs tell.`);
    }
  }
  return notes;
}
