import type { Figure, Quantity, Table } from '../../../../contract/figures.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import {
  criticalityOf,
  type Criticality,
  type Grid,
} from '../../../../engine/analysis/criticality.ts';
import { mean } from '../../../../engine/analysis/metrics.ts';
import { tInterval } from '../../../../engine/analysis/t-interval.ts';
import { hasBatchNorm } from '../../../../engine/models/registry.ts';
import type { Presented, StudyRun, StudyView } from '../definition.ts';
import { runLink } from '../links.ts';
import { overSeeds, pairedOverSeeds, type SeedValue } from '../intervals.ts';
import { comparedArms } from '../pairs.ts';
import type { CriticalityMeasured, MeasuredRun, PathKind } from './measure.ts';

type Options = AnalysisOptions<'criticality'>;

/** Of the bootstrap over draws of noise. */
const BOOTSTRAP = { replicates: 500, seed: 0 };
/** Module that stands for all of them. */
const NETWORK = 'whole network';

interface Row {
  run: StudyRun;
  measured: MeasuredRun;
}

interface Judged {
  run: StudyRun;
  module: string;
  path: PathKind;
  grid: Grid;
  criticality: Criticality;
}

interface Shown {
  view: StudyView;
  rows: Row[];
  arms: string[];
  modules: string[];
  judged: Judged[];
  options: Options;
  measured: CriticalityMeasured;
}

/** Figures, numbers and notes; runs in the order of the job. */
export function presented(
  view: StudyView,
  runs: readonly StudyRun[],
  options: Options,
  measured: CriticalityMeasured,
): Presented {
  const rows = runs.map((run, at): Row => ({ run, measured: measured.runs[at]! }));
  const judged = rows.flatMap(({ run, measured: own }) =>
    own.grids.map(({ module, path, grid }): Judged => {
      const most = own.whole.trainError + options.epsilon;
      return { run, module, path, grid, criticality: criticalityOf(grid, most, BOOTSTRAP) };
    }),
  );
  const shown: Shown = {
    ...{ view, rows, judged, options, measured },
    arms: [...new Set(runs.map(({ arm }) => arm))],
    modules: measured.runs[0]!.rewound.map(({ module }) => module),
  };
  return {
    quantities: [...rewindQuantities(shown), ...criticalityQuantities(shown)],
    figures: [rewindFigure(shown), ...rankings(shown), ...heatmaps(shown)],
    tables: [rewindTable(shown), ...(judged.length > 0 ? [criticalityTable(shown)] : [])],
    notes: notesOf(shown),
  };
}

/** Accuracy that rewinding a module costs a run; with findings the area under the ROC curve. */
function costOf({ measured: { whole, rewound } }: Row, module: string): number {
  const own = rewound.find((each) => each.module === module)!;
  return whole.auc !== null && own.auc !== null
    ? whole.auc - own.auc
    : whole.accuracy - own.accuracy;
}

type Named = Pick<Quantity, 'key' | 'title' | 'unit'>;

function ofArms(
  { arms, view }: Shown,
  values: readonly { run: StudyRun; value: number }[],
  named: (what: string) => Named,
): Quantity[] {
  const of = (arm: string): SeedValue[] =>
    values.flatMap(({ run, value }) => (run.arm === arm ? [{ seed: run.seed, value }] : []));
  const own = arms.map((arm): Quantity => ({ ...named(arm), ...overSeeds(of(arm)) }));
  const { pretrained, random } = comparedArms(view);
  if (pretrained === null || random === null) return own;
  const difference = named(`difference.${pretrained} minus ${random}`);
  return [...own, { ...difference, ...pairedOverSeeds(of(pretrained), of(random)) }];
}

function rewindQuantities(shown: Shown): Quantity[] {
  const { rows, modules } = shown;
  const unit = usesAuc(rows) ? '1' : '%';
  const quantities = (what: string, value: (row: Row) => number) =>
    ofArms(
      shown,
      rows.map((row) => ({ run: row.run, value: value(row) })),
      (arm) => ({
        ...{ key: `criticality.rewind.${arm}.${what}`, unit },
        title: `cost of rewinding ${what}, ${arm}`,
      }),
    );
  return [
    ...modules.flatMap((module) => quantities(module, (row) => costOf(row, module))),
    ...quantities('mean', (row) => mean(modules.map((module) => costOf(row, module)))),
  ];
}

function usesAuc(rows: readonly Row[]): boolean {
  return rows[0]!.measured.whole.auc !== null;
}

/** log10(1 + criticality), in which modules differ by orders of magnitude; bounds where off the grid. */
function logOf({ value, atLeast }: Criticality): number {
  return Math.log10(1 + (value ?? atLeast));
}

function criticalityQuantities(shown: Shown): Quantity[] {
  const { judged, modules, rows } = shown;
  const paths = [...new Set(judged.map(({ path }) => path))];
  return paths.flatMap((path) => {
    const ofRun = (run: StudyRun, module: string) =>
      judged.find((each) => each.run === run && each.path === path && each.module === module)!
        .criticality;
    const sum = (run: StudyRun): Criticality => {
      const all = modules.map((module) => ofRun(run, module));
      const value = all.reduce((total, each) => total + (each.value ?? each.atLeast), 0);
      return { value, interval: null, at: null, atLeast: value };
    };
    const quantities = (what: string, of: (run: StudyRun) => Criticality) =>
      ofArms(
        shown,
        rows.map(({ run }) => ({ run, value: logOf(of(run)) })),
        (arm) => ({
          ...{ key: `criticality.${path}.${arm}.${what}`, unit: '' as const },
          title: `log10(1 + criticality) of ${what}, ${path} path, ${arm}`,
        }),
      );
    return [
      ...modules.flatMap((module) => quantities(module, (run) => ofRun(run, module))),
      ...quantities(NETWORK, sum),
    ];
  });
}

function rewindFigure(shown: Shown): Figure {
  const { rows, arms, modules, view, measured } = shown;
  const auc = usesAuc(rows);
  const value = ({ accuracy, auc: area }: { accuracy: number; auc: number | null }) =>
    area ?? accuracy;
  const scored = (row: Row, module: string | null) =>
    value(
      module === null
        ? row.measured.whole
        : row.measured.rewound.find((each) => each.module === module)!,
    );
  return {
    kind: 'bars',
    id: 'rewinding',
    title: 'Rewinding one module to its start',
    caption: `Of ${measured.images.test} test images, all other modules as trained; means over seeds, dots: seeds, bars of error: 95 %, t over seeds.`,
    x: { title: 'module' },
    y: { title: auc ? 'mean area under the ROC curve' : 'test accuracy', unit: auc ? '1' : '%' },
    groups: [null, ...modules].map((module) => ({
      label: module ?? 'none',
      bars: arms.map((arm, colour) => {
        const own = rows.filter(({ run }) => run.arm === arm);
        const values = own.map((row) => scored(row, module));
        const { mean: center, interval } = tInterval(values);
        return {
          ...{ name: arm, colour, value: center, values, link: runLink(view.id, own[0]!.run.id) },
          ...(interval && { interval }),
        };
      }),
    })),
  };
}

/** Modules of every arm, the most critical first; by arm and path. */
function rankings(shown: Shown): Figure[] {
  const { judged, arms, modules, view, options } = shown;
  const paths = [...new Set(judged.map(({ path }) => path))];
  return paths.flatMap((path) =>
    arms.map((arm, colour): Figure => {
      const own = judged.filter((each) => each.run.arm === arm && each.path === path);
      const rows = modules.map((module) => {
        const of = own.filter((each) => each.module === module);
        const values = of.map(({ criticality }) => logOf(criticality));
        const { mean: value, interval } = tInterval(values);
        const off = of.filter(({ criticality }) => criticality.value === null).length;
        const note = off > 0 ? `${off} of ${of.length} beyond the grid` : '';
        return {
          label: module,
          value,
          interval,
          colour,
          note,
          link: runLink(view.id, of[0]!.run.id),
        };
      });
      return {
        kind: 'intervals',
        id: `ranking-${path}-${arms.indexOf(arm) + 1}`,
        title: `Criticality of modules, ${arm}`,
        caption: `${path} path; the error rate may rise by ${options.epsilon}; means over seeds, 95 %, t over seeds.`,
        x: { title: 'log10(1 + criticality)', include: [0] },
        zero: 0,
        rows: rows.sort((a, b) => b.value - a.value),
      };
    }),
  );
}

/** Error by place on the path and noise, of the first seed of every arm. */
function heatmaps({ judged, arms, view, measured, options }: Shown): Figure[] {
  const first = arms.map((arm) => judged.find(({ run }) => run.arm === arm)?.run.id);
  return judged
    .filter(({ run }) => first.includes(run.id))
    .map(({ run, module, path, grid }): Figure => ({
      kind: 'heatmap',
      id: `grid-${path}-${arms.indexOf(run.arm) + 1}-${module}`,
      title: `${module}, ${run.arm}, ${path} path`,
      caption: `Error rate on ${measured.images.train} training images with noise on this module; mean of ${options.samples} draws, seed ${run.seed}.`,
      x: { title: 'standard deviation of the noise' },
      y: { title: 'distance from the start (alpha)' },
      rows: grid.alphas.map(
        (alpha, i) =>
          `${alpha.toFixed(2)} (${Math.sqrt(grid.squaredDistances[i]!).toPrecision(2)})`,
      ),
      columns: grid.sigmas.map((sigma) => sigma.toPrecision(2)),
      values: grid.errors.map((row) => row.map((cell) => mean(cell))),
      range: [0, 1],
      scale: 'sequential',
      digits: 2,
      links: grid.errors.map((row) => row.map(() => runLink(view.id, run.id))),
    }));
}

function rewindTable({ rows, view, modules }: Shown): Table {
  return {
    id: 'rewinding',
    title: 'Rewinding, every run',
    columns: [
      { key: 'arm', title: 'Arm' },
      { key: 'seed', title: 'Seed', digits: 0 },
      { key: 'module', title: 'Module' },
      { key: 'accuracy', title: 'Test accuracy', unit: '%', digits: 1 },
      { key: 'auc', title: 'AUC', digits: 3 },
      { key: 'loss', title: 'Test loss', digits: 3 },
    ],
    rows: rows.flatMap(({ run, measured: { whole, rewound } }) =>
      [{ module: 'none', ...whole }, ...rewound].map(({ module, accuracy, auc, loss }) => ({
        ...{ arm: run.arm, seed: run.seed, module, accuracy, auc, loss },
      })),
    ),
    links: rows.flatMap(({ run }) => ['', ...modules].map(() => runLink(view.id, run.id))),
  };
}

function criticalityTable({ judged, view }: Shown): Table {
  return {
    id: 'criticality',
    title: 'Criticality, every run',
    columns: [
      { key: 'arm', title: 'Arm' },
      { key: 'seed', title: 'Seed', digits: 0 },
      { key: 'module', title: 'Module' },
      { key: 'path', title: 'Path' },
      { key: 'criticality', title: 'Criticality', digits: 3 },
      { key: 'low', title: '2.5 %', digits: 3 },
      { key: 'high', title: '97.5 %', digits: 3 },
      { key: 'alpha', title: 'at alpha', digits: 2 },
      { key: 'sigma', title: 'at sigma', digits: 4 },
      { key: 'atLeast', title: 'End of the grid', digits: 1 },
    ],
    rows: judged.map(({ run, module, path, criticality: { value, interval, at, atLeast } }) => ({
      ...{ arm: run.arm, seed: run.seed, module, path, criticality: value },
      ...{ low: interval?.[0] ?? null, high: interval?.[1] ?? null },
      ...{ alpha: at?.alpha ?? null, sigma: at?.sigma ?? null, atLeast },
    })),
    links: judged.map(({ run }) => runLink(view.id, run.id)),
  };
}

function notesOf({ view, judged, options, measured }: Shown): string[] {
  const notes = [
    `${measured.evaluations} evaluations. The head starts at random in every arm, so rewinding it costs most of the accuracy by itself.`,
  ];
  if (judged.length > 0) {
    notes.push(
      `A module is critical where it must move far, or little noise hurts: the least |theta^alpha - theta^0|^2 / sigma^2 at which the error rate stays within ${options.epsilon} of the trained network's. Intervals of single runs: bootstrap over ${options.samples} draws of noise.`,
    );
  }
  if (judged.some(({ criticality }) => criticality.value === null)) {
    notes.push(
      'Some modules are beyond the grid: nowhere is the error small enough; the end of the grid stands for them, as a lower bound.',
    );
  }
  if (hasBatchNorm(view.study.spec.architecture)) {
    notes.push(
      'BatchNorm: a rewound module takes its running statistics back with it; those of later modules stay as trained, which costs accuracy for that alone.',
    );
  }
  return notes;
}
