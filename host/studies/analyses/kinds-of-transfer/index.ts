/** Other kinds of transfer beside that of parameters: instances, features, pseudo-labels, no labels. */
import { CarryoverError } from '../../../../contract/errors.ts';
import type { Figure, Quantity, Table } from '../../../../contract/figures.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import { hasBatchNorm } from '../../../../engine/models/registry.ts';
import { numberGroups } from '../../group-numbers.ts';
import { armValues, colourOf, score } from '../arm-values.ts';
import type { AnalysisDefinition, NetworkRef, StudyRun, StudyView } from '../definition.ts';
import { overSeeds, pairedOverSeeds, quantity } from '../intervals.ts';
import { behind, runLink } from '../links.ts';
import { armRuns, comparedArms } from '../pairs.ts';
import { bootstrapMethod } from '../said.ts';
import { plannedOf } from '../samples.ts';
import type { KindsJob, KindsMeasured, Way, WayResult } from './measure.ts';
import {
  trainedFigures,
  trainedNotes,
  trainedQuantities,
  trainedRuns,
  trainedTables,
} from './trained.ts';

type Options = AnalysisOptions<'kinds-of-transfer'>;

const REPLICATES = 1000;
/** Source images whose features are looked at. */
const MOST_SOURCES = 2000;
const ROTATION = 'rotation';

const TITLES: Record<Way, string> = {
  'target-only': 'target images, with labels',
  'source-only': 'source images only',
  'importance-weights': 'both, source weighted by likeness',
  kliep: 'both, source weighted by KLIEP',
  tradaboost: 'both, boosted (TrAdaBoost)',
  coral: 'source images, aligned (CORAL)',
  'pseudo-labels': 'source images, pseudo-labels',
  'source-head': "the source's own head",
  adabn: "the source's own head, AdaBN",
};

async function plan(view: StudyView, { kinds, trained: asked, arm }: Options) {
  const { run, planned, start, pretraining } = material(view, arm);
  const [source = [], target = [], test = []] = numberGroups(
    ...[pretraining.train, planned.train, planned.test ?? []],
  );
  const trained = await trainedRuns(view, run.arm, asked);
  const job: KindsJob = {
    ways: waysOf(kinds, pretraining.spec.architecture),
    ...{ start: run.start, source: start },
    sourceImages: { run: start.run, split: 'train', most: MOST_SOURCES },
    target: { run: run.id, split: 'train' },
    test: { run: run.id, split: 'test' },
    groups: { source, target, test },
    replicates: REPLICATES,
    trained,
  };
  const uses = [...rotated(view).map(({ id }) => id), ...trained.runs.map((each) => each.run)];
  return { job, uses: [run.id, start.run, ...uses] };
}

/** A run of the arm, and the pretraining that it starts from, whose images the other kinds are of. */
function material(view: StudyView, arm: string | undefined) {
  const name = arm ?? comparedArms(view).pretrained;
  const run = armRuns(view).find((each) => each.arm === name);
  const planned = run && plannedOf(view, run.id);
  const start = planned?.spec.start;
  if (!run || !planned || start === undefined || typeof start === 'string' || !('run' in start)) {
    throw new CarryoverError(
      'unsupported',
      'kinds-of-transfer needs an arm that starts from a pretraining of this study',
      { wayOut: 'its source images are the other kinds’ material: add such an arm' },
    );
  }
  const pretraining = plannedOf(view, start.run);
  if (pretraining?.spec.kind !== 'pretraining' || planned.spec.findings) {
    throw new CarryoverError(
      'unsupported',
      'kinds-of-transfer is of sets with one class an image, whose start is a pretraining',
    );
  }
  return { run, planned, start: start satisfies NetworkRef, pretraining };
}

function waysOf(
  kinds: Options['kinds'],
  architecture: StudyView['study']['spec']['architecture'],
): Way[] {
  const ways: Way[] = ['target-only', 'source-only', 'source-head'];
  for (const kind of kinds) {
    if (kind === 'rotation') continue;
    if (kind === 'adabn' && !hasBatchNorm(architecture)) continue;
    ways.push(kind);
  }
  return ways;
}

function rotated({ runs }: StudyView): StudyRun[] {
  return runs.filter(({ arm, kind }) => arm === ROTATION && kind === 'target');
}

function present(view: StudyView, options: Options, measured: KindsMeasured, job: KindsJob) {
  const method = bootstrapMethod(measured.testImages, job.groups.test, job.replicates);
  return {
    quantities: [
      ...ofWays(measured, method),
      ...ofArms(view),
      ...trainedQuantities(view, job.trained),
    ],
    figures: [
      accuracies(view, measured, method, job),
      ...armFigures(view),
      ...trainedFigures(view, job.trained),
    ],
    tables: [tableOf(measured), ...trainedTables(view, job.trained)],
    notes: [...notesOf(options, measured, job), ...trainedNotes(job.trained)],
  };
}

function ofWays({ results, testImages: n }: KindsMeasured, method: string): Quantity[] {
  return results.flatMap(({ way, accuracy, interval, overTarget, overSource }) => {
    const made = (key: string, title: string, value: number, own: WayResult['interval']) =>
      quantity(`kinds-of-transfer.${key}.${way}`, title, '%', { value, interval: own, method, n });
    const title = TITLES[way];
    return [
      made('accuracy', `test accuracy: ${title}`, accuracy, interval),
      made(
        'over-target',
        `${title}, less target images only`,
        overTarget.value,
        overTarget.interval,
      ),
      made('over-source', `${title}, less the source alone`, overSource.value, overSource.interval),
    ];
  });
}

/** The start that was learnt without labels, beside the others. */
function ofArms(view: StudyView): Quantity[] {
  if (rotated(view).length === 0) return [];
  const { pretrained, random } = comparedArms(view);
  const values = (arm: string) => armValues(view, arm, 'none', score);
  const own = values(ROTATION);
  return [
    quantity('kinds-of-transfer.rotation', 'test accuracy of rotation', '%', overSeeds(own)),
    ...[pretrained, random].flatMap((arm) =>
      arm === null
        ? []
        : [
            quantity(
              `kinds-of-transfer.rotation minus ${arm}`,
              `test accuracy of rotation less that of ${arm}`,
              '%',
              pairedOverSeeds(own, values(arm)),
            ),
          ],
    ),
  ];
}

function accuracies(
  view: StudyView,
  { results }: KindsMeasured,
  method: string,
  { start }: KindsJob,
): Figure {
  return {
    kind: 'intervals',
    id: 'ways',
    title: 'What the labels and images of the source do',
    caption: `Test accuracy of linear heads on the start's features; 95 %, ${method}.`,
    x: { title: 'test accuracy', unit: '%' },
    rows: results.map(({ way, accuracy, interval, effectiveSources }) => ({
      ...{ label: TITLES[way], value: accuracy, interval, link: runLink(view.id, start.run) },
      colour: way === 'target-only' ? 0 : usesTarget(way) ? 2 : 1,
      ...(effectiveSources !== null && {
        note: `${effectiveSources.toFixed(0)} effective source images`,
      }),
    })),
  };
}

/** Ways that are told the labels of the target's training images. */
const TOLD_LABELS: readonly Way[] = ['target-only', 'importance-weights', 'kliep', 'tradaboost'];

function usesTarget(way: Way): boolean {
  return TOLD_LABELS.includes(way);
}

function armFigures(view: StudyView): Figure[] {
  if (rotated(view).length === 0) return [];
  const { pretrained, random } = comparedArms(view);
  const arms = [pretrained, ROTATION, random].flatMap((arm) => arm ?? []);
  const own = Object.keys(view.study.spec.arms);
  return [
    {
      kind: 'bars',
      id: 'unsupervised',
      title: 'A start without labels',
      caption:
        'Rotation: pretrained on the source images to tell how they are turned, without labels. Means over seeds with t intervals.',
      x: { title: 'start' },
      y: { title: 'test accuracy', unit: '%', include: [0] },
      groups: arms.map((arm) => {
        const colour = arm === ROTATION ? own.length : colourOf(view, arm);
        const values = armValues(view, arm, 'none', score);
        const { value, interval } = overSeeds(values);
        const bar = {
          name: arm,
          colour,
          value: value ?? 0,
          values: values.map((each) => each.value),
        };
        const rest = { ...(interval && { interval }), ...behind(view.id, values) };
        return { label: arm, bars: [{ ...bar, ...rest }] };
      }),
    },
  ];
}

function tableOf({ results }: KindsMeasured): Table {
  return {
    id: 'ways',
    title: 'Ways',
    columns: [
      { key: 'way', title: 'Way' },
      { key: 'labels', title: 'Target labels' },
      { key: 'accuracy', title: 'Test accuracy', unit: '%' },
      { key: 'low', title: 'from', unit: '%' },
      { key: 'high', title: 'to', unit: '%' },
      { key: 'effectiveSources', title: 'Effective source images', digits: 0 },
      { key: 'pseudoLabelled', title: 'Pseudo-labelled', digits: 0 },
    ],
    rows: results.map(({ way, accuracy, interval, effectiveSources, pseudoLabelled }) => ({
      ...{ way: TITLES[way], labels: usesTarget(way) ? 'used' : 'not used', accuracy },
      ...{ low: interval?.[0] ?? null, high: interval?.[1] ?? null },
      ...{ effectiveSources, pseudoLabelled },
    })),
  };
}

function notesOf({ kinds }: Options, measured: KindsMeasured, job: KindsJob): string[] {
  const { sourceImages, targetImages, sharedClasses } = measured;
  const notes = [
    `Linear heads on the features of the start, ${sourceImages} source images of the ${sharedClasses} classes that the target has, ${targetImages} target images. Importance weights come from a classifier of the domains that did not see the image's group, or from KLIEP; TrAdaBoost has 10 turns; CORAL and pseudo-labels see the target's training images without their labels.`,
  ];
  if (kinds.includes('adabn') && !job.ways.includes('adabn')) {
    notes.push('AdaBN is left out: the network has no BatchNorm.');
  }
  return notes;
}

export const kindsOfTransfer: AnalysisDefinition<'kinds-of-transfer', KindsJob, KindsMeasured> = {
  name: 'kinds-of-transfer',
  title: 'Other kinds of transfer',
  version: 3,
  plan,
  present,
};
