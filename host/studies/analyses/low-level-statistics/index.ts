/** Starts that keep low-level statistics of the pretrained weights, beside the real one. */
import { CarryoverError } from '../../../../contract/errors.ts';
import type { Figure, Quantity, Table } from '../../../../contract/figures.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import { score, scoreName } from '../arm-values.ts';
import type { AnalysisDefinition, StudyView } from '../definition.ts';
import { ofMeans, overSeeds, pairedOverSeeds, quantity } from '../intervals.ts';
import type { SeedValue } from '../intervals.ts';
import { behind, runLink } from '../links.ts';
import { comparedArms } from '../pairs.ts';
import type { LowLevelJob } from './measure.ts';

type Options = AnalysisOptions<'low-level-statistics'>;

function plan(view: StudyView, { arm, controls }: Options) {
  const { pretrained, random } = comparedArms(view);
  const base = arm ?? pretrained;
  if (base === null || random === null) {
    throw new CarryoverError(
      'unsupported',
      'low-level-statistics needs a pretrained and a random arm',
      {
        wayOut: 'add an arm with init: random, and one that starts from a checkpoint',
      },
    );
  }
  const derived = controls.map(
    (control) => `${base} ${control.replace('random-labels', 'random labels')}`,
  );
  const arms = [base, ...derived, random];
  const runs = view.runs.flatMap((run) => {
    const value = score(run);
    if (value === null || run.shuffle !== 'none' || !arms.includes(run.arm)) return [];
    return [
      { run: run.id, arm: run.arm, seed: run.seed, score: value, speed: run.optimisationSpeed },
    ];
  });
  const present = arms.filter((each) => runs.some((run) => run.arm === each));
  if (present.length < 3) {
    throw new CarryoverError('unsupported', 'low-level-statistics found no runs of its controls', {
      wayOut: 'run the study again, with none among its shuffles',
    });
  }
  return { job: { arms: present, runs }, uses: runs.map(({ run }) => run) };
}

type Values = (arm: string) => SeedValue[];

function present(view: StudyView, _: Options, __: null, job: LowLevelJob) {
  const own = (arm: string) => job.runs.filter((run) => run.arm === arm);
  const scores: Values = (arm) =>
    own(arm).map(({ run, seed, score: value }) => ({ run, seed, value }));
  const speeds: Values = (arm) =>
    own(arm).flatMap(({ run, seed, speed }) =>
      speed === null ? [] : [{ run, seed, value: speed }],
    );
  const { name, unit } = scoreName(view);
  return {
    quantities: [
      ...quantitiesOf(job.arms, 'accuracy', name, unit, scores),
      ...quantitiesOf(job.arms, 'speed', 'optimisation speed', '%', speeds),
    ],
    figures: [
      barsOf(view, job.arms, scores, speeds),
      differencesOf(view, job.arms, 'accuracy', name, scores),
      differencesOf(view, job.arms, 'speed', 'optimisation speed', speeds),
    ],
    tables: [tableOf(view, job)],
    notes: [
      'Permuted: the values of each layer in another order. Gaussian: drawn anew with the mean and ' +
        'covariance of each layer. Random labels: pretrained on the same images with labels at random. ' +
        'What a control gains over the random start needs no learnt features.',
    ],
  };
}

function quantitiesOf(
  arms: string[],
  key: 'accuracy' | 'speed',
  name: string,
  unit: Quantity['unit'],
  values: Values,
): Quantity[] {
  const [base, random, controls] = [arms[0]!, arms.at(-1)!, arms.slice(1, -1)];
  const start = `low-level-statistics.${key}`;
  const minus = (first: string, second: string) =>
    quantity(
      `${start}.${first} minus ${second}`,
      `${name} of ${first} less that of ${second}`,
      unit,
      pairedOverSeeds(values(first), values(second)),
    );
  return [
    ...arms.map((arm) =>
      quantity(`${start}.${arm}`, `${name} of ${arm}`, unit, overSeeds(values(arm))),
    ),
    minus(base, random),
    ...controls.flatMap((control) => [
      minus(control, random),
      minus(base, control),
      quantity(
        `${start}.share.${control}`,
        `share of the gain in ${name} that ${control} keeps`,
        '1',
        ofMeans([values(control), values(base), values(random)], ([kept, whole, none]) =>
          whole === none ? null : (kept! - none!) / (whole! - none!),
        ),
      ),
    ]),
  ];
}

function barsOf(view: StudyView, arms: string[], scores: Values, speeds: Values): Figure {
  const { name } = scoreName(view);
  return {
    kind: 'bars',
    id: 'arms',
    title: `${name} and optimisation speed of the starts`,
    caption: 'Means over seeds with t intervals, seeds as dots; behind, transparent: speed.',
    x: { title: 'start' },
    y: { title: name, unit: '%', include: [0] },
    groups: arms.map((arm, colour) => {
      const { value, interval } = overSeeds(scores(arm));
      const speed = overSeeds(speeds(arm)).value;
      const values = scores(arm).map((each) => each.value);
      const link = behind(view.id, scores(arm));
      return {
        label: arm,
        bars: [
          ...(speed === null
            ? []
            : [{ name: `${arm}, speed`, colour, value: speed, faded: true, ...link }]),
          { name: arm, colour, value: value ?? 0, values, ...(interval && { interval }), ...link },
        ],
      };
    }),
  };
}

function differencesOf(
  view: StudyView,
  arms: string[],
  id: 'accuracy' | 'speed',
  name: string,
  values: Values,
): Figure {
  const random = arms.at(-1)!;
  return {
    kind: 'intervals',
    id: `gain-${id}`,
    title: `Gain in ${name} over ${random}`,
    caption: `Paired by seed, t intervals over seeds. Right of 0: better than ${random}.`,
    x: { title: `${name}, less that of ${random}`, unit: '%' },
    zero: 0,
    rows: arms.slice(0, -1).flatMap((arm, colour) => {
      const { value, interval } = pairedOverSeeds(values(arm), values(random));
      const link = behind(view.id, values(arm), values(random));
      return value === null ? [] : [{ label: arm, value, interval, colour, ...link }];
    }),
  };
}

function tableOf(view: StudyView, { arms, runs }: LowLevelJob): Table {
  const { name, unit } = scoreName(view);
  const rows = arms.flatMap((arm) => runs.filter((run) => run.arm === arm));
  return {
    id: 'runs',
    title: 'Runs by start',
    columns: [
      { key: 'arm', title: 'Start' },
      { key: 'seed', title: 'Seed', digits: 0 },
      { key: 'score', title: name, unit },
      { key: 'speed', title: 'optimisation speed', unit: '%' },
    ],
    rows: rows.map(({ arm, seed, score: value, speed }) => ({ arm, seed, score: value, speed })),
    links: rows.map(({ run }) => runLink(view.id, run)),
  };
}

export const lowLevelStatistics: AnalysisDefinition<'low-level-statistics', LowLevelJob, null> = {
  name: 'low-level-statistics',
  title: 'Low-level statistics',
  version: 2,
  plan,
  present,
};
