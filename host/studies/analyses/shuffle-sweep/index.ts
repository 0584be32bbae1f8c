/** Accuracy and optimisation speed of every arm by block size (paper, Fig. 3). */
import { CarryoverError } from '../../../../contract/errors.ts';
import type { Quantity, Table } from '../../../../contract/figures.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import { contrasts, score, scoreName, type Contrast } from '../arm-values.ts';
import type { AnalysisDefinition, StudyView } from '../definition.ts';
import { overSeeds, paired, pairedOverSeeds, quantity } from '../intervals.ts';
import type { SeedValue } from '../intervals.ts';
import { runLink } from '../links.ts';
import { dropOf, sweepFigures } from './figures.ts';
import type { ShuffleSweepJob } from './measure.ts';

function plan(view: StudyView) {
  const { arms } = view.study.spec;
  const own = view.runs.filter(({ arm, kind }) => kind === 'target' && Object.hasOwn(arms, arm));
  const runs = own.flatMap((run) => {
    const value = score(run);
    if (value === null) return [];
    const { id, arm, shuffle, seed, optimisationSpeed } = run;
    return [{ run: id, arm, shuffle, seed, score: value, speed: optimisationSpeed }];
  });
  if (runs.length === 0) {
    throw new CarryoverError('unsupported', 'shuffle-sweep needs runs with test images', {
      wayOut: 'leave some of the images to test',
    });
  }
  return { job: { runs }, uses: runs.map(({ run }) => run) };
}

/** Reads numbers of arms out of the job. */
export interface Sweep {
  view: StudyView;
  /** Largest block first, pixels last. */
  shuffles: string[];
  arms: string[];
  scores(arm: string, shuffle: string): SeedValue[];
  speeds(arm: string, shuffle: string): SeedValue[];
}

function sweepOf(view: StudyView, { runs }: ShuffleSweepJob): Sweep {
  const of = (arm: string, shuffle: string) =>
    runs.filter((run) => run.arm === arm && run.shuffle === shuffle);
  return {
    view,
    shuffles: [...new Set(view.study.spec.shuffles.map(String))].sort((a, b) => size(b) - size(a)),
    arms: Object.keys(view.study.spec.arms),
    scores: (arm, shuffle) =>
      of(arm, shuffle).map(({ run, seed, score: value }) => ({ run, seed, value })),
    speeds: (arm, shuffle) =>
      of(arm, shuffle).flatMap(({ run, seed, speed }) =>
        speed === null ? [] : [{ run, seed, value: speed }],
      ),
  };
}

function size(shuffle: string): number {
  if (shuffle === 'none') return Infinity;
  return shuffle === 'pixel' ? 0 : Number(shuffle);
}

function present(
  view: StudyView,
  { overlay }: AnalysisOptions<'shuffle-sweep'>,
  _: null,
  job: ShuffleSweepJob,
) {
  const sweep = sweepOf(view, job);
  const all = contrasts(view);
  return {
    quantities: [...ofArms(sweep), ...all.flatMap((contrast) => ofContrast(sweep, contrast))],
    figures: sweepFigures(sweep, all[0] ?? null, overlay),
    tables: [tableOf(sweep, job)],
    notes: notesOf(sweep, job, all.length),
  };
}

function ofArms({ view, arms, shuffles, scores, speeds }: Sweep): Quantity[] {
  const { name, unit } = scoreName(view);
  return arms.flatMap((arm) =>
    shuffles.flatMap((shuffle) => [
      quantity(
        `shuffle-sweep.accuracy.${arm}.${shuffle}`,
        `${name} of ${arm}, shuffle ${shuffle}`,
        unit,
        overSeeds(scores(arm, shuffle)),
      ),
      quantity(
        `shuffle-sweep.speed.${arm}.${shuffle}`,
        `optimisation speed of ${arm}, shuffle ${shuffle}`,
        '%',
        overSeeds(speeds(arm, shuffle)),
      ),
    ]),
  );
}

/** Gains of one pretrained arm over a random one, by shuffle. */
function ofContrast(sweep: Sweep, { pretrained, random, suffix }: Contrast): Quantity[] {
  const { view, shuffles, scores, speeds } = sweep;
  const { name, unit } = scoreName(view);
  const of = `${pretrained} less that of ${random}`;
  const gains = (shuffle: string, values: Sweep['scores']) =>
    paired(values(pretrained, shuffle), values(random, shuffle));
  return shuffles.flatMap((shuffle) => {
    const [first, second] = [scores(pretrained, shuffle), scores(random, shuffle)];
    const found = [
      quantity(
        `shuffle-sweep.gain.${shuffle}${suffix}`,
        `${name} of ${of}, shuffle ${shuffle}`,
        unit,
        pairedOverSeeds(first, second),
      ),
      quantity(
        `shuffle-sweep.relative-drop.${shuffle}${suffix}`,
        `share of the ${name} of ${pretrained} that ${random} lacks, in percent, shuffle ${shuffle}`,
        '',
        dropOf(first, second),
      ),
      quantity(
        `shuffle-sweep.speed-gain.${shuffle}${suffix}`,
        `optimisation speed of ${of}, shuffle ${shuffle}`,
        '%',
        pairedOverSeeds(speeds(pretrained, shuffle), speeds(random, shuffle)),
      ),
    ];
    if (shuffle === 'none' || !shuffles.includes('none')) return found;
    const lost = pairedOverSeeds(gains('none', scores), gains(shuffle, scores));
    const title = `gain in ${name} without shuffling less that with shuffle ${shuffle}`;
    return [...found, quantity(`shuffle-sweep.gain-lost.${shuffle}${suffix}`, title, unit, lost)];
  });
}

function tableOf({ view }: Sweep, { runs }: ShuffleSweepJob): Table {
  const { name, unit } = scoreName(view);
  return {
    id: 'runs',
    title: 'Runs by shuffle',
    columns: [
      { key: 'shuffle', title: 'Shuffle' },
      { key: 'arm', title: 'Arm' },
      { key: 'seed', title: 'Seed', digits: 0 },
      { key: 'score', title: name, unit },
      { key: 'speed', title: 'optimisation speed', unit: '%' },
    ],
    rows: runs.map(({ shuffle, arm, seed, score: value, speed }) => ({
      ...{ shuffle, arm, seed, score: value, speed },
    })),
    links: runs.map(({ run }) => runLink(view.id, run)),
  };
}

function notesOf({ shuffles, view }: Sweep, { runs }: ShuffleSweepJob, many: number): string[] {
  const notes = [
    'Optimisation speed is the mean clean training accuracy over the epochs. One permutation per seed, ' +
      'the same for every image; runs with a shuffle are trained without augmentation.',
  ];
  if (many === 0) notes.push('There is no pretrained arm beside a random one: nothing is gained.');
  if (shuffles.length === 1) notes.push(`There is one shuffle only, ${shuffles[0]!}.`);
  if (runs.some(({ speed }) => speed === null)) {
    notes.push('Some runs have no training accuracies: they have no optimisation speed.');
  }
  if (view.study.spec.seeds.length === 1) notes.push('One seed: no number has an interval.');
  return notes;
}

export const shuffleSweep: AnalysisDefinition<'shuffle-sweep', ShuffleSweepJob, null> = {
  name: 'shuffle-sweep',
  title: 'Block shuffles',
  version: 2,
  plan,
  present,
};
