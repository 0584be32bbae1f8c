/** Balanced accuracy, F1, areas under ROC curves, calibration and confusion of every arm. */
import type { Quantity } from '../../../../contract/figures.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import { contrasts } from '../arm-values.ts';
import type { AnalysisDefinition, StudyView } from '../definition.ts';
import { overSeeds, pairedOverSeeds, quantity, type SeedValue } from '../intervals.ts';
import { bootstrapMethod, plainRuns, saidBy, testGroups } from '../said.ts';
import { metricsFigures } from './figures.ts';
import { METRICS, METRIC_NAMES } from './list.ts';
import type { Measured, MetricsJob } from './measure.ts';
import { areaTable, classTable, runTable } from './tables.ts';

type Options = AnalysisOptions<'metrics'>;

function plan(view: StudyView, { bins, replicates }: Options) {
  const own = plainRuns(view, 'metrics');
  const runs = saidBy(view, own);
  const at = (arm: string, seed: number) =>
    runs.findIndex((run) => run.arm === arm && run.seed === seed);
  const pairs = contrasts(view).flatMap(({ pretrained, random }) =>
    view.study.spec.seeds.flatMap((seed): [number, number][] => {
      const [a, b] = [at(pretrained, seed), at(random, seed)];
      return a < 0 || b < 0 ? [] : [[a, b]];
    }),
  );
  const job: MetricsJob = { runs, pairs, groups: testGroups(view), bins, replicates };
  return { job, uses: own.map(({ id }) => id) };
}

function present(view: StudyView, _: Options, measured: Measured, job: MetricsJob) {
  const interval = bootstrapMethod(measured.images, job.groups, job.replicates);
  return {
    quantities: quantitiesOf(view, measured, job, interval),
    figures: metricsFigures(view, measured, job, interval),
    tables: [
      runTable(view, measured, job),
      classTable(measured, job),
      ...(job.pairs.length > 0 ? [areaTable(measured, job)] : []),
    ],
    notes: notesOf(measured, job),
  };
}

function notesOf({ runs }: Measured, { groups }: MetricsJob): string[] {
  const notes = [
    `The calibration error has bins of equal mass and its bias removed: it may be below 0.${
      runs[0]?.confusion ? '' : ' It is over all known findings.'
    }`,
  ];
  if (groups !== null) {
    notes.push(
      "DeLong's intervals take images as independent; here several are of one group, so they are too narrow.",
    );
  }
  return notes;
}

function quantitiesOf(
  view: StudyView,
  { runs }: Measured,
  job: MetricsJob,
  images: string,
): Quantity[] {
  const arms = Object.keys(view.study.spec.arms);
  return METRICS.flatMap(({ key, title, unit }) => {
    const values = (arm: string): SeedValue[] =>
      job.runs.flatMap((run, at) => {
        const value = runs[at]![key]?.value ?? null;
        return run.arm === arm && value !== null ? [{ seed: run.seed, value }] : [];
      });
    const name = METRIC_NAMES[key];
    const own = arms.flatMap((arm) => {
      const found = values(arm);
      if (found.length === 0) return [];
      const estimate = overSeeds(found);
      const one = found.length === 1 ? runs[job.runs.findIndex((run) => run.arm === arm)] : null;
      const interval = one?.[key]?.interval ?? null;
      const alone = interval && { interval, method: `${images}; one seed` };
      const whole = `${title} of ${arm}`;
      return [quantity(`metrics.${name}.${arm}`, whole, unit, { ...estimate, ...alone })];
    });
    const differences = contrasts(view).flatMap(({ pretrained, random }) => {
      const [first, second] = [values(pretrained), values(random)];
      if (first.length === 0 || second.length === 0) return [];
      const whole = `${title} of ${pretrained} less that of ${random}`;
      const address = `metrics.difference.${name}.${pretrained} minus ${random}`;
      return [quantity(address, whole, unit, pairedOverSeeds(first, second))];
    });
    return [...own, ...differences];
  });
}

export const metrics: AnalysisDefinition<'metrics', MetricsJob, Measured> = {
  name: 'metrics',
  title: 'Metrics',
  version: 2,
  plan,
  present,
};
