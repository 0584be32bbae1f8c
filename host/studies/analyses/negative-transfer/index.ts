/** The error with the pretrained start less the error without. */
import { CarryoverError } from '../../../../contract/errors.ts';
import type { Figure, Quantity, Table } from '../../../../contract/figures.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import { benjaminiHochberg } from '../../../../engine/analysis/multiple-testing.ts';
import { armTraining } from '../../overrides.ts';
import { armValues, contrasts, score, scoreName, type Contrast } from '../arm-values.ts';
import type { AnalysisDefinition, StudyView } from '../definition.ts';
import { pairedOverSeeds, quantity, type Estimate } from '../intervals.ts';
import { behind } from '../links.ts';
import { bootstrapMethod, plainRuns, saidBy, testGroups } from '../said.ts';
import type { Measured, NegativeTransferJob } from './measure.ts';

type Options = AnalysisOptions<'negative-transfer'>;

function plan(view: StudyView, { replicates }: Options) {
  const own = plainRuns(view, 'negative-transfer');
  const all = contrasts(view);
  if (all.length === 0) {
    throw new CarryoverError(
      'unsupported',
      'negative-transfer needs a pretrained and a random arm',
      {
        wayOut: 'add an arm with init: random, and one that starts from a checkpoint',
      },
    );
  }
  const at = (arm: string, seed: number) =>
    own.findIndex((run) => run.arm === arm && run.seed === seed);
  const job: NegativeTransferJob = {
    runs: saidBy(view, own),
    contrasts: all.map(({ pretrained, random }) =>
      view.study.spec.seeds.map((seed) => [at(pretrained, seed), at(random, seed)]),
    ),
    groups: testGroups(view),
    replicates,
  };
  return { job, uses: view.runs.filter(({ kind }) => kind === 'target').map(({ id }) => id) };
}

/** Over seeds: errors are 1 less what the runs are judged by. */
function gapOf(view: StudyView, { pretrained, random }: Contrast, shuffle: string): Estimate {
  const error = (arm: string) =>
    armValues(view, arm, shuffle, (run) => {
      const value = score(run);
      return value === null ? null : 1 - value;
    });
  return pairedOverSeeds(error(pretrained), error(random));
}

function present(view: StudyView, _: Options, measured: Measured, job: NegativeTransferJob) {
  const all = contrasts(view);
  const method = bootstrapMethod(measured.images, job.groups, job.replicates);
  const found = all.map((contrast, at) => quantitiesOf(view, contrast, measured, at, method));
  return {
    quantities: found.flat(),
    figures: [gapsFigure(view, found, all, method)],
    tables: measured.gaps[0]!.classes.length === 0 ? [] : [classTable(measured, all)],
    notes: all.flatMap((contrast) => tuningNote(view, contrast)),
    alerts: found.flatMap((own, at) => flags(own, all[at]!)),
  };
}

function quantitiesOf(
  view: StudyView,
  contrast: Contrast,
  { gaps, images }: Measured,
  at: number,
  method: string,
): Quantity[] {
  const { pretrained, random, suffix } = contrast;
  const { name, unit } = scoreName(view);
  const title = `1 less ${name}: ${pretrained} less ${random}`;
  const { value, interval } = gaps[at]!.whole;
  const ofImages = { value, interval, method, n: images };
  return [
    ...view.study.spec.shuffles.map((shuffle) => {
      const under = shuffle === 'none' ? '' : `.${shuffle}`;
      return quantity(
        `negative-transfer.gap${under}${suffix}`,
        shuffle === 'none' ? title : `${title}, shuffle ${shuffle}`,
        unit,
        gapOf(view, contrast, String(shuffle)),
      );
    }),
    quantity(
      `negative-transfer.gap.images${suffix}`,
      `share of wrong answers: ${pretrained} less ${random}, these runs on other images`,
      '%',
      ofImages,
    ),
  ];
}

/** Said where a whole interval is above 0. */
function flags(own: Quantity[], { pretrained, random }: Contrast): string[] {
  return own.flatMap(({ title, value, interval, method }) => {
    if (interval === null || interval[0] <= 0) return [];
    const [gap, low, high] = [value!, ...interval].map((each) => (100 * each).toFixed(1));
    return [
      `Negative transfer: ${pretrained} errs more than ${random}. ${title}: ${gap} points, 95 % from ${low} to ${high} (${method}).`,
    ];
  });
}

function tuningNote({ study: { spec } }: StudyView, { pretrained, random }: Contrast): string[] {
  const trained = (arm: string) => JSON.stringify(armTraining(spec, arm));
  if (trained(pretrained) === trained(random)) return [];
  return [
    `${pretrained} and ${random} are trained by different settings: the gap is of start and settings together.`,
  ];
}

function gapsFigure(view: StudyView, found: Quantity[][], all: Contrast[], method: string): Figure {
  return {
    kind: 'intervals',
    id: 'gaps',
    title: 'Error with the pretrained start less error without',
    caption: `Right of 0: negative transfer. Over seeds: paired t intervals; over images: ${method}.`,
    x: { title: 'difference of errors', unit: '%' },
    zero: 0,
    rows: found.flatMap((own, at) => {
      const { pretrained, random } = all[at]!;
      return own.flatMap(({ title, value, interval }, colour) => {
        const shuffle = String(view.study.spec.shuffles[colour] ?? 'none');
        const runs = [pretrained, random].map((arm) => armValues(view, arm, shuffle, score));
        const link = behind(view.id, ...runs);
        return value === null ? [] : [{ label: title, value, interval, colour, ...link }];
      });
    }),
  };
}

function classTable({ gaps, classNames }: Measured, all: Contrast[]): Table {
  const rows = gaps.flatMap(({ classes }, at) => {
    const { pretrained, random } = all[at]!;
    const tested = classes.flatMap((gap, c) => (gap.p === null ? [] : [{ c, p: gap.p }]));
    const adjusted = benjaminiHochberg(tested.map(({ p }) => p));
    return classes.map(({ value, interval, p, images }, c) => ({
      ...{ pair: `${pretrained} less ${random}`, name: classNames[c]!, images, gap: value },
      ...{ low: interval?.[0] ?? null, high: interval?.[1] ?? null, p },
      adjusted: adjusted[tested.findIndex((each) => each.c === c)] ?? null,
    }));
  });
  return {
    id: 'classes',
    title: 'Gap by class',
    columns: [
      { key: 'pair', title: 'Arms' },
      { key: 'name', title: 'Class' },
      { key: 'images', title: 'Images', digits: 0 },
      { key: 'gap', title: 'Gap', unit: '%' },
      { key: 'low', title: 'from', unit: '%' },
      { key: 'high', title: 'to', unit: '%' },
      { key: 'p', title: 'p (bootstrap)', digits: 4 },
      { key: 'adjusted', title: 'p (Benjamini-Hochberg)', digits: 4 },
    ],
    rows,
  };
}

export const negativeTransfer: AnalysisDefinition<
  'negative-transfer',
  NegativeTransferJob,
  Measured
> = {
  name: 'negative-transfer',
  title: 'Negative transfer',
  version: 3,
  plan,
  present,
};
