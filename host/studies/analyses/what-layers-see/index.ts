/** Filters, activations and attribution of a pretrained and of a random run, side by side. */
import { CarryoverError } from '../../../../contract/errors.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import { deepestFineMap, mapsOf } from '../../../../engine/analysis/visual/graphs.ts';
import { FEW_UNITS } from '../../../../engine/analysis/bootstrap.ts';
import { readLogits } from '../../predictions.ts';
import type { AnalysisDefinition, Planned, Presented, StudyRun, StudyView } from '../definition.ts';
import { armRuns, comparedArms } from '../pairs.ts';
import { clearest, disagreementsOf } from './disagreements.ts';
import { disagreementsTable, figuresOf } from './figures.ts';
import type { Seen, SeeJob, Side } from './measured.ts';
import { SIDES } from './measured.ts';
import type { Named } from './names.ts';
import { namedOf } from './names.ts';
import { filterQuantities, mapQuantities, signalQuantities, unitsFor } from './numbers.ts';

type Options = AnalysisOptions<'what-layers-see'>;

/** The first pretrained and the first random run, of the study's first seed. */
function seenRuns(view: StudyView): Record<Side, StudyRun> {
  const { pretrained, random } = comparedArms(view);
  const [seed] = view.study.spec.seeds;
  const find = (wanted: string | null) =>
    armRuns(view).find((run) => run.arm === wanted && run.seed === seed);
  const [a, b] = [find(pretrained), find(random)];
  if (a && b) return { a, b };
  const message =
    'what-layers-see needs a pretrained and a random arm whose images are not shuffled';
  throw new CarryoverError('unsupported', message, {
    wayOut: 'add an arm with init: random, one with a checkpoint, and none to shuffles',
  });
}

function layerOf({ study }: StudyView, { layer }: Options): string {
  const { spec, sides } = study;
  const classes = sides.classNames.length;
  const options = { architecture: spec.architecture, classes, batch: 1 };
  if (layer === undefined) return deepestFineMap(options);
  const known = [...mapsOf(options).keys()];
  if (known.includes(layer)) return layer;
  const message = `${spec.architecture.name} has no layer "${layer}" with positions`;
  throw new CarryoverError('bad-input', message, {
    value: layer,
    wayOut: `take one of ${known.join(', ')}`,
  });
}

function plan(view: StudyView, options: Options): Planned<SeeJob> {
  const runs = seenRuns(view);
  const [a, b] = SIDES.map((side) => readLogits(view.context, runs[side].id, 'test'));
  const disagreements = disagreementsOf(a!, b!);
  const networks = {
    a: { result: runs.a.result, start: runs.a.start },
    b: { result: runs.b.result, start: runs.b.start },
  };
  return {
    job: {
      ...{ networks, disagreements, layer: layerOf(view, options) },
      shown: clearest(disagreements, options.images),
      channels: options.channels,
    },
    uses: [runs.a.id, runs.b.id],
  };
}

function present(view: StudyView, _: Options, seen: Seen, job: SeeJob): Presented {
  const named = namedOf(view, seenRuns(view));
  const { maps } = seen;
  const correlations = [
    ...(maps ? mapQuantities(named, job, maps) : []),
    ...signalQuantities(named, seen),
  ];
  return {
    quantities: [...correlations, ...filterQuantities(named, seen)],
    figures: figuresOf(named, job, seen, correlations),
    tables: maps ? [disagreementsTable(named, job, maps)] : [],
    notes: notesOf(named, job, seen),
  };
}

function notesOf(named: Named, job: SeeJob, { maps, channels }: Seen): string[] {
  const { names, runs } = named;
  const notes = [
    `One run of each arm (seed ${runs.a.seed}): intervals are over images or channels, not over trainings.`,
    'Drawn weights: the architecture as initialised, BatchNorm with its first statistics. A method whose ' +
      'maps do not change with the weights shows edges of the image, not what was learnt; the deconvnet ' +
      'is close to that, and guided backpropagation, which fails, is left out.',
  ];
  if (!maps) return [...notes, `${names.a} and ${names.b} are right about the same test images.`];
  const { units, what } = unitsFor(named, job);
  if (units.count < FEW_UNITS) {
    notes.push(`Few ${what} (${units.count}): the bootstrap's intervals are too narrow.`);
  }
  for (const side of SIDES) {
    if (maps.empty[side] > 0) {
      const which = `${maps.empty[side]} maps of ${names[side]}`;
      notes.push(
        `${which} are zero all over: no position speaks for the truth. They have no correlation.`,
      );
    }
    if (channels[side].length < job.channels) {
      notes.push(
        `${names[side]} has only ${channels[side].length} active channels in ${job.layer}.`,
      );
    }
  }
  return notes;
}

export const whatLayersSee: AnalysisDefinition<'what-layers-see', SeeJob, Seen> = {
  name: 'what-layers-see',
  title: 'What layers see',
  version: 1,
  plan,
  present,
};
