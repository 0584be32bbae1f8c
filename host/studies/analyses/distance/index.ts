/** How far weights are from each other and from their start (paper, Table 2). */
import { CarryoverError } from '../../../../contract/errors.ts';
import type { Figure, Quantity, Table } from '../../../../contract/figures.ts';
import type { AnalysisDefinition, StudyRun, StudyView } from '../definition.ts';
import { pairLink, runLink } from '../links.ts';
import { armRuns, overPairs, pairDifference, runPairs, type PairValue } from '../pairs.ts';
import type { DistanceJob, Distances } from './measure.ts';

/** What is measured, in the order of the job: pairs of runs, then each run and its start. */
interface Pair {
  kind: string;
  a: StudyRun;
  b: StudyRun;
}

function pairsOf(view: StudyView): { between: Pair[]; moved: Pair[] } {
  const moved = armRuns(view).map((run) => ({ kind: `${run.arm}/start`, a: run, b: run }));
  return { between: runPairs(view), moved };
}

function plan(view: StudyView, { head }: { head: DistanceJob['head'] }) {
  const { between, moved } = pairsOf(view);
  if (moved.length === 0) {
    throw new CarryoverError('unsupported', 'distance needs runs that are not shuffled', {
      wayOut: 'add none to shuffles',
    });
  }
  const pairs = [
    ...between.map(({ a, b }) => ({ a: a.result, b: b.result })),
    ...moved.map(({ a }) => ({ a: a.result, b: a.start })),
  ];
  return { job: { head, pairs }, uses: armRuns(view).map(({ id }) => id) };
}

interface Row extends Pair {
  distance: Distances[number];
}

function present(view: StudyView, { head }: { head: DistanceJob['head'] }, measured: Distances) {
  const { between, moved } = pairsOf(view);
  const rows = [...between, ...moved].map((pair, at): Row => ({
    ...pair,
    distance: measured[at]!,
  }));
  const kinds = [...new Set(rows.map(({ kind }) => kind))];
  const counted = head === 'excluded' ? 'without the head' : 'with the head';
  return {
    quantities: quantitiesOf(rows, kinds),
    figures: [byModule(rows, kinds, counted), byPair(view.id, armRuns(view), rows, counted)],
    tables: [tableOf(rows)],
    notes: [
      `Distances are L2 ${counted}, which is drawn anew at every start. Running statistics of BatchNorm do not count. ` +
        'Relative: divided by the mean of the two norms.',
    ],
  };
}

function valuesOf(rows: readonly Row[], of: (row: Row) => number): PairValue[] {
  return rows.map((row) => ({ kind: row.kind, seeds: [row.a.seed, row.b.seed], value: of(row) }));
}

function quantitiesOf(rows: Row[], kinds: string[]): Quantity[] {
  const values = valuesOf(rows, ({ distance }) => distance.whole.absolute);
  const relative = valuesOf(rows, ({ distance }) => distance.whole.relative);
  const own = kinds.flatMap((kind): Quantity[] => [
    { key: `distance.${kind}`, title: `L2 of ${kind}`, ...overPairs(values, kind), unit: '' },
    {
      ...{ key: `distance.relative.${kind}`, title: `relative L2 of ${kind}` },
      ...{ ...overPairs(relative, kind), unit: '' },
    },
  ]);
  const differences = kinds.flatMap((first, at) =>
    kinds.slice(at + 1).map((second): Quantity => {
      const title = `L2 of ${first} less that of ${second}`;
      const key = `distance.difference.${first} minus ${second}`;
      return { key, title, ...pairDifference(values, first, second), unit: '' };
    }),
  );
  return [...own, ...differences];
}

function byModule(rows: Row[], kinds: string[], counted: string): Figure {
  const modules = rows[0]!.distance.modules.map(({ module }) => module);
  return {
    kind: 'lines',
    id: 'by-module',
    title: 'Distance by module',
    caption: `Relative L2, ${counted}; means over pairs of seeds, bands: 95 % jackknife over seeds.`,
    x: { title: 'module', categories: modules },
    y: { title: 'relative L2', include: [0] },
    series: kinds.map((kind, colour) => ({
      ...{ name: kind, colour },
      points: modules.map((_, x) => {
        const values = valuesOf(rows, ({ distance }) => distance.modules[x]!.relative);
        const { value, interval } = overPairs(values, kind);
        return { x, y: value ?? 0, ...(interval && { interval }) };
      }),
    })),
  };
}

/** All runs against all, and each against its start; a cell leads to its pair or run. */
function byPair(study: string, runs: StudyRun[], rows: Row[], counted: string): Figure {
  const known = new Map<string, number>(
    rows.flatMap(({ a, b, distance: { whole } }) => [
      [`${a.id} ${b.id}`, whole.absolute],
      [`${b.id} ${a.id}`, whole.absolute],
    ]),
  );
  const values = runs.map((a) => runs.map((b) => known.get(`${a.id} ${b.id}`) ?? null));
  const names = runs.map(({ arm, seed }) => `${arm} ${seed}`);
  return {
    kind: 'heatmap',
    id: 'by-pair',
    title: 'Distance by pair of runs',
    caption: `L2, ${counted}; arms with their seeds. On the diagonal: from the run's own start.`,
    ...{ x: { title: '' }, y: { title: '' }, rows: names, columns: names, values },
    range: [0, Math.max(0, ...values.flat().map((value) => value ?? 0))],
    scale: 'sequential',
    links: runs.map((a) =>
      runs.map((b) => (a.id === b.id ? runLink(study, a.id) : pairLink(a.id, b.id))),
    ),
  };
}

function tableOf(rows: Row[]): Table {
  const whole = 'whole network';
  const cells = rows.flatMap((row) => {
    const pair = { kind: row.kind, a: row.a.seed, b: row.b.seed };
    const all = [
      { module: whole, parameters: null, ...row.distance.whole },
      ...row.distance.modules,
    ];
    return all.map((each) => ({ ...pair, ...each }));
  });
  const links = rows.flatMap((row) => {
    const link = row.a === row.b ? null : pairLink(row.a.id, row.b.id);
    return Array.from({ length: row.distance.modules.length + 1 }, () => link);
  });
  return {
    id: 'distances',
    title: 'Distances',
    columns: [
      { key: 'kind', title: 'Pair' },
      { key: 'a', title: 'Seed', digits: 0 },
      { key: 'b', title: 'Seed', digits: 0 },
      { key: 'module', title: 'Module' },
      { key: 'parameters', title: 'Parameters', digits: 0 },
      { key: 'absolute', title: 'L2', digits: 3 },
      { key: 'relative', title: 'Relative L2', digits: 3 },
    ],
    rows: cells,
    links,
  };
}

export const distance: AnalysisDefinition<'distance', DistanceJob, Distances> = {
  name: 'distance',
  title: 'Distance of weights',
  version: 2,
  plan,
  present,
};
