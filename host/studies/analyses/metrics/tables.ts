import type { Table } from '../../../../contract/figures.ts';
import { perClassMetrics, type ClassMetrics } from '../../../../engine/analysis/confusion.ts';
import { holm } from '../../../../engine/analysis/multiple-testing.ts';
import type { StudyView } from '../definition.ts';
import { runLink } from '../links.ts';
import { METRICS } from './list.ts';
import type { Measured, MetricsJob } from './measure.ts';

/** Every run with its intervals over the images. */
export function runTable(view: StudyView, { runs }: Measured, job: MetricsJob): Table {
  const shown = METRICS.filter(({ key }) => runs.some((run) => run[key] !== null));
  return {
    id: 'runs',
    title: 'Runs',
    columns: [
      { key: 'arm', title: 'Arm' },
      { key: 'seed', title: 'Seed', digits: 0 },
      ...shown.flatMap(({ key, title, unit }) => [
        { key, title, unit },
        { key: `${key}Low`, title: 'from', unit },
        { key: `${key}High`, title: 'to', unit },
      ]),
      { key: 'pluginEce', title: 'ECE, plug-in', unit: '1' },
    ],
    rows: job.runs.map(({ arm, seed }, at) => ({
      ...{ arm, seed, pluginEce: runs[at]!.pluginEce },
      ...Object.fromEntries(
        shown.flatMap(({ key }) => {
          const { value = null, interval = null } = runs[at]![key] ?? {};
          return [
            [key, value],
            [`${key}Low`, interval?.[0] ?? null],
            [`${key}High`, interval?.[1] ?? null],
          ];
        }),
      ),
    })),
    links: job.runs.map(({ run }) => runLink(view.id, run)),
  };
}

/** Every class or finding of every run. */
export function classTable({ runs, classNames }: Measured, job: MetricsJob): Table {
  const rows = job.runs.flatMap(({ arm, seed }, at) => {
    const { confusion, areas } = runs[at]!;
    const own = confusion && perClassMetrics(Float64Array.from(confusion), classNames.length);
    return classNames.map((name, c) => ({
      ...{ arm, seed, name, ...shares(own?.[c] ?? null) },
      auc: areas[c]!.value,
      low: areas[c]!.interval?.[0] ?? null,
      high: areas[c]!.interval?.[1] ?? null,
    }));
  });
  const single = runs[0]?.confusion !== null;
  return {
    id: 'classes',
    title: single ? 'Classes' : 'Findings',
    columns: [
      { key: 'arm', title: 'Arm' },
      { key: 'seed', title: 'Seed', digits: 0 },
      { key: 'name', title: single ? 'Class' : 'Finding' },
      ...(single
        ? ([
            { key: 'images', title: 'Images', digits: 0 },
            { key: 'precision', title: 'Precision', unit: '%' },
            { key: 'recall', title: 'Recall', unit: '%' },
            { key: 'f1', title: 'F1', unit: '1' },
          ] as const)
        : []),
      { key: 'auc', title: 'AUC', unit: '1' },
      { key: 'low', title: 'from (DeLong)', unit: '1' },
      { key: 'high', title: 'to', unit: '1' },
    ],
    rows,
  };
}

function shares(own: ClassMetrics | null) {
  if (own === null) return { images: null, precision: null, recall: null, f1: null };
  const { support: images, precision, recall, f1 } = own;
  return { images, precision, recall, f1 };
}

/** DeLong's paired test of the areas, pretrained less random, adjusted over the whole table. */
export function areaTable({ pairs, classNames }: Measured, job: MetricsJob): Table {
  const cells = pairs.flatMap((own, pair) =>
    own.flatMap((found, c) => (found === null ? [] : [{ found, c, pair }])),
  );
  const adjusted = holm(cells.map(({ found }) => found.p));
  return {
    id: 'area-differences',
    title: 'Differences of areas under the ROC curve',
    columns: [
      { key: 'name', title: 'Of' },
      { key: 'pair', title: 'Pair' },
      { key: 'seed', title: 'Seed', digits: 0 },
      { key: 'difference', title: 'Difference', unit: '1' },
      { key: 'low', title: 'from (DeLong)', unit: '1' },
      { key: 'high', title: 'to', unit: '1' },
      { key: 'p', title: 'p', digits: 4 },
      { key: 'adjusted', title: 'p (Holm)', digits: 4 },
    ],
    rows: cells.map(({ found, c, pair }, at) => {
      const [a, b] = job.pairs[pair]!.map((run) => job.runs[run]!);
      return {
        name: classNames[c]!,
        pair: `${a!.arm} less ${b!.arm}`,
        seed: a!.seed,
        difference: found.difference,
        low: found.interval[0],
        high: found.interval[1],
        p: found.p,
        adjusted: adjusted[at]!,
      };
    }),
  };
}
