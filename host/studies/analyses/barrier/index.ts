/** Loss and accuracy on the straight line between two runs (paper, Figs. 4 and 16). */
import { CarryoverError } from '../../../../contract/errors.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import { lambdasOf } from '../../../../engine/analysis/barrier.ts';
import { hasBatchNorm } from '../../../../engine/models/registry.ts';
import type { AnalysisDefinition, StudyRun, StudyView } from '../definition.ts';
import { armRuns, runPairs } from '../pairs.ts';
import type { BarrierJob, BarrierMeasured } from './measure.ts';
import { presented, type LinePair } from './present.ts';

type Options = AnalysisOptions<'barrier'>;

/** All pairs of seeds within an arm; of two arms those of one seed, as lines are dear. */
function linesOf(view: StudyView): LinePair[] {
  return runPairs(view)
    .filter(({ a, b }) => a.arm === b.arm || a.seed === b.seed)
    .map((pair) => ({ ...pair, sameStart: startOf(view, pair.a) === startOf(view, pair.b) }));
}

/** What tells two starts apart; the head, which is drawn anew from the seed, does not. */
function startOf({ study }: StudyView, { id, seed }: StudyRun): string {
  const start = study.runs.find((run) => run.id === id)?.spec.start;
  return start === 'random' ? `random ${seed}` : JSON.stringify(start);
}

function plan(view: StudyView, options: Options) {
  const runs = armRuns(view);
  const lines = linesOf(view);
  const [first] = runs;
  if (lines.length === 0 || !first) {
    const message = 'barrier needs two runs that are not shuffled: two seeds, or two arms';
    throw new CarryoverError('unsupported', message, {
      wayOut: 'add a seed to seeds, and none to shuffles',
    });
  }
  const job: BarrierJob = {
    train: { run: first.id, split: 'train', most: options.images },
    test: { run: first.id, split: 'test', most: options.images },
    lambdas: lambdasOf(options.points, options.beyond),
    pairs: lines.map(({ a, b }) => ({ a: a.result, b: b.result })),
    recalibrated: hasNorm(view) && options['batch-norm'] === 'recalibrated',
    basins: options.basin ? basinsOf(lines) : [],
  };
  return { job, uses: runs.map(({ id }) => id) };
}

function basinsOf(lines: readonly LinePair[]): BarrierJob['basins'] {
  const own = lines.filter(({ a, b, sameStart }) => sameStart && a.arm === b.arm);
  return [...Map.groupBy(own, ({ a }) => a.arm)].map(([arm, pairs]) => {
    const runs = new Map(pairs.flatMap(({ a, b }) => [a, b]).map((run) => [run.id, run.result]));
    return { arm, networks: [...runs.values()] };
  });
}

function hasNorm({ study }: StudyView): boolean {
  return hasBatchNorm(study.spec.architecture);
}

export const barrier: AnalysisDefinition<'barrier', BarrierJob, BarrierMeasured> = {
  name: 'barrier',
  title: 'Between two networks',
  version: 4,
  plan,
  present: (view, options, measured, job) =>
    presented({
      view,
      lines: linesOf(view),
      measured,
      job,
      batchNorm: hasNorm(view) ? options['batch-norm'] : null,
    }),
};
