/** Accuracy by labelled images per class, and what the pretrained start is worth in them. */
import { CarryoverError } from '../../../../contract/errors.ts';
import type { Table } from '../../../../contract/figures.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import { learningCurve, resultEpoch } from '../../run-rows.ts';
import { contrasts, score, scoreName } from '../arm-values.ts';
import type { AnalysisDefinition, StudyRun, StudyView } from '../definition.ts';
import { overSeeds, quantity } from '../intervals.ts';
import { runLink } from '../links.ts';
import { curvesFigure, gainFigure } from './figures.ts';
import type { LowDataJob, LowDataRun, TimedPoint } from './measure.ts';
import { lowDataOf, timeQuantities, worthQuantities } from './worth.ts';

type Options = AnalysisOptions<'low-data'>;

function plan(view: StudyView, options: Options) {
  const { spec, sides } = view.study;
  const arms = options.arms ?? Object.keys(spec.arms);
  const classes = Math.max(1, sides.classNames.length);
  const runs = arms.flatMap((arm) =>
    ['all', ...options['per-class'].map(String)].flatMap((size) => {
      const name = size === 'all' ? arm : `${arm} ${size} per class`;
      return view.runs.flatMap((run): LowDataRun[] => {
        const value = score(run);
        if (run.arm !== name || run.shuffle !== 'none' || value === null) return [];
        const perClass = run.trainImages / classes;
        return [{ run: run.id, arm, seed: run.seed, perClass, size, score: value }];
      });
    }),
  );
  if (runs.every(({ size }) => size === 'all')) {
    throw new CarryoverError('unsupported', 'low-data found no runs on fewer images', {
      wayOut: 'run the study again, with none among its shuffles',
    });
  }
  const whole = view.runs.filter(({ id }) =>
    runs.some(({ run, size }) => run === id && size === 'all'),
  );
  const curves = whole.map((run) => ({
    ...{ run: run.id, arm: run.arm, seed: run.seed },
    points: timed(view, run),
  }));
  return { job: { runs, curves }, uses: runs.map(({ run }) => run) };
}

/** Epochs up to the result at which the test images were looked at. */
function timed({ context, study }: StudyView, run: StudyRun): TimedPoint[] {
  let seconds = 0;
  return learningCurve(context.db, run.id).flatMap((point) => {
    const { epoch, testAuc, testAccuracy } = point;
    if (epoch > 0) seconds += point.seconds;
    const value = study.sides.findings === null ? testAccuracy : testAuc;
    return epoch < 1 || epoch > resultEpoch(run) || value === null
      ? []
      : [{ epoch, seconds, score: value }];
  });
}

function present(view: StudyView, _: Options, __: null, job: LowDataJob) {
  const data = lowDataOf(job);
  const { name, unit } = scoreName(view);
  const compared = contrasts(view).filter(
    ({ pretrained, random }) => data.arms.includes(pretrained) && data.arms.includes(random),
  );
  const scores = data.arms.flatMap((arm) =>
    data.sizes.map((size) =>
      quantity(
        `low-data.accuracy.${arm}.${size}`,
        `${name} of ${arm} with ${size} images per class`,
        unit,
        overSeeds(data.values(arm, size)),
      ),
    ),
  );
  const found = compared.map((contrast) => ({
    worth: worthQuantities(data, contrast, name, unit),
    time: timeQuantities(job, contrast, name),
  }));
  return {
    quantities: [
      ...scores,
      ...found.flatMap(({ worth, time }) => [...worth.quantities, ...time.quantities]),
    ],
    figures: [
      curvesFigure(view, data, found[0]?.worth.breakEven ?? null),
      ...compared.slice(0, 1).map((contrast) => gainFigure(view, data, contrast)),
    ],
    tables: [tableOf(view, job)],
    notes: [...new Set(found.flatMap(({ worth, time }) => [...worth.notes, ...time.notes]))],
  };
}

function tableOf(view: StudyView, { runs }: LowDataJob): Table {
  const { name, unit } = scoreName(view);
  return {
    id: 'runs',
    title: 'Runs by images per class',
    columns: [
      { key: 'arm', title: 'Arm' },
      { key: 'size', title: 'Images per class' },
      { key: 'perClass', title: 'Mean images per class', digits: 1 },
      { key: 'seed', title: 'Seed', digits: 0 },
      { key: 'score', title: name, unit },
    ],
    rows: runs.map(({ arm, size, perClass, seed, score: value }) => ({
      ...{ arm, size, perClass, seed, score: value },
    })),
    links: runs.map(({ run }) => runLink(view.id, run)),
  };
}

export const lowData: AnalysisDefinition<'low-data', LowDataJob, null> = {
  name: 'low-data',
  title: 'Few labelled images',
  version: 2,
  plan,
  present,
};
