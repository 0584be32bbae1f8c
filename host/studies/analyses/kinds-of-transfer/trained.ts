/** Arms that were trained on the source's images, too. */
import type { Figure, Quantity, Table } from '../../../../contract/figures.ts';
import {
  controlOf,
  SOURCE_WAYS,
  type LearntFrom,
  type SourceWay,
} from '../../../../contract/source.ts';
import { readLearnt } from '../../../trainer/learnt.ts';
import { runFolder } from '../../run-files.ts';
import { armValues, score } from '../arm-values.ts';
import type { StudyView } from '../definition.ts';
import { overSeeds, pairedOverSeeds, quantity } from '../intervals.ts';
import { behind, runLink } from '../links.ts';

/** A run of an arm `<base> <way>`. */
export interface TrainedRun extends Pick<
  LearntFrom,
  'sources' | 'effectiveSources' | 'pseudoLabelled'
> {
  run: string;
  way: SourceWay;
  seed: number;
  accuracy: number | null;
}

/** By the arm that they differ from in what they learn from. */
export interface Trained {
  base: string;
  /** Controls first. */
  runs: TrainedRun[];
}

/** Runs of the ways that were asked for and of their controls. */
export async function trainedRuns(
  view: StudyView,
  base: string,
  asked: readonly SourceWay[],
): Promise<Trained> {
  const wanted = new Set(asked.flatMap((way) => [way, controlOf(way)]));
  const runs: TrainedRun[] = [];
  for (const way of SOURCE_WAYS.filter((each) => wanted.has(each))) {
    for (const run of view.runs) {
      if (run.arm !== armOf(base, way) || run.shuffle !== 'none') continue;
      const learnt = await readLearnt(runFolder(view.context, run.id));
      if (!learnt) continue;
      const { sources, effectiveSources, pseudoLabelled } = learnt;
      const found = { sources, effectiveSources, pseudoLabelled };
      runs.push({ run: run.id, way, seed: run.seed, accuracy: score(run), ...found });
    }
  }
  return { base, runs };
}

function armOf(base: string, way: SourceWay): string {
  return `${base} ${way}`;
}

function waysOf({ runs }: Trained): SourceWay[] {
  return [...new Set(runs.map(({ way }) => way))];
}

export function trainedQuantities(view: StudyView, trained: Trained): Quantity[] {
  const { base } = trained;
  const values = (arm: string) => armValues(view, arm, 'none', score);
  const key = (text: string) => `kinds-of-transfer.trained.${text}`;
  return waysOf(trained).flatMap((way) => {
    const own = values(armOf(base, way));
    const less = (name: string, arm: string) =>
      quantity(
        key(`${way} minus ${name}`),
        `test accuracy trained by ${way} less that of ${arm}`,
        '%',
        pairedOverSeeds(own, values(arm)),
      );
    const control = controlOf(way);
    return [
      quantity(key(way), `test accuracy trained by ${way}`, '%', overSeeds(own)),
      ...(way === control ? [] : [less(control, armOf(base, control))]),
      less(base, base),
    ];
  });
}

export function trainedFigures(view: StudyView, trained: Trained): Figure[] {
  const { base, runs } = trained;
  if (runs.length === 0) return [];
  const bars = [base, ...waysOf(trained)].flatMap((name, at) => {
    const arm = at === 0 ? base : armOf(base, name as SourceWay);
    const values = armValues(view, arm, 'none', score);
    const { value, interval } = overSeeds(values);
    if (value === null) return [];
    const colour = at === 0 ? 0 : controlOf(name as SourceWay) === 'joint' ? 2 : 1;
    const bar = { name, colour, value, values: values.map((each) => each.value) };
    const more = { ...(interval && { interval }), ...behind(view.id, values) };
    return [{ label: name, bars: [{ ...bar, ...more }] }];
  });
  return [
    {
      kind: 'bars',
      id: 'trained',
      title: "Trained on the source's images too",
      caption: `Whole networks from the start of ${base}; joint and source-only are the controls. Means over seeds with t intervals.`,
      x: { title: 'what was learnt from' },
      y: { title: 'test accuracy', unit: '%', include: [0] },
      groups: bars,
    },
  ];
}

export function trainedTables(view: StudyView, { runs }: Trained): Table[] {
  if (runs.length === 0) return [];
  return [
    {
      id: 'trained',
      title: 'Runs trained on source images',
      columns: [
        { key: 'way', title: 'Way' },
        { key: 'seed', title: 'Seed', digits: 0 },
        { key: 'accuracy', title: 'Test accuracy', unit: '%' },
        { key: 'sources', title: 'Source images', digits: 0 },
        { key: 'effectiveSources', title: 'Effective source images', digits: 0 },
        { key: 'given', title: 'Pseudo-labelled', digits: 0 },
        { key: 'right', title: 'of them right', digits: 0 },
      ],
      rows: runs.map(({ way, seed, accuracy, sources, effectiveSources, pseudoLabelled }) => ({
        ...{ way, seed, accuracy, sources, effectiveSources },
        ...{ given: pseudoLabelled?.given ?? null, right: pseudoLabelled?.right ?? null },
      })),
      links: runs.map(({ run }) => runLink(view.id, run)),
    },
  ];
}

export function trainedNotes({ base, runs }: Trained): string[] {
  if (runs.length === 0) return [];
  return [
    `Trained arms start like ${base}, run as many epochs and are compared seed by seed with their control, which passes through the same source images. An epoch on source images has more steps than one of ${base}: a difference from ${base} is also one of training longer.`,
  ];
}
