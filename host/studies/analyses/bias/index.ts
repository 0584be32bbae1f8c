/** Accuracy, calibration and agreement by subgroup, and what the pretrained start changed there. */
import { CarryoverError } from '../../../../contract/errors.ts';
import type { Quantity, Unit } from '../../../../contract/figures.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import { FEW_IMAGES } from '../../../../contract/study-results.ts';
import { benjaminiHochberg, holm } from '../../../../engine/analysis/multiple-testing.ts';
import { attributeNames, attributeValues } from '../../data.ts';
import { subgroupsOf } from '../../subgroups.ts';
import { contrasts, scoreName } from '../arm-values.ts';
import type { AnalysisDefinition, StudyView } from '../definition.ts';
import { testedLink } from '../links.ts';
import { bootstrapMethod, plainRuns, saidBy, testGroups } from '../said.ts';
import { biasFigures, biasTables } from './figures.ts';
import type { BiasJob, Estimated, Measured } from './measure.ts';

type Options = AnalysisOptions<'bias'>;

function plan(view: StudyView, { attributes, replicates }: Options) {
  const { spec, dataset, sides } = view.study;
  const { db } = view.context;
  const wanted = attributes ?? spec.data.subgroups;
  const known = attributeNames(db, dataset.id);
  const missing = wanted.find((name) => !known.includes(name));
  if (wanted.length === 0 || missing !== undefined) {
    const what =
      missing === undefined ? 'bias needs attributes' : `there is no attribute ${missing}`;
    throw new CarryoverError('bad-input', what, {
      ...(missing !== undefined && { value: missing }),
      wayOut: `name some in data.subgroups; ${dataset.name} has ${known.join(', ') || 'none'}`,
    });
  }
  const ids = sides.test.map(({ id }) => id);
  const own = plainRuns(view, 'bias');
  const arms = Object.keys(spec.arms).map((arm) => ({
    arm,
    runs: [...own.keys()].filter((at) => own[at]!.arm === arm),
  }));
  const place = (arm: string) => arms.findIndex((each) => each.arm === arm);
  const job: BiasJob = {
    runs: saidBy(view, own),
    subgroups: wanted.flatMap((name) => subgroupsOf(db, dataset.id, name, ids)),
    arms,
    contrasts: contrasts(view).map(({ pretrained, random }) => [place(pretrained), place(random)]),
    groups: testGroups(view),
    replicates,
  };
  return { job, uses: own.map(({ id }) => id) };
}

/** One number of a subgroup, named. */
export interface Cell extends Estimated {
  what: 'score' | 'ece' | 'gap' | 'gain' | 'gain-gap' | 'agreement';
  /** The arm, or `P-T minus RI-T`. */
  of: string;
  arms: string[];
  subgroup: string;
  images: number;
  /** Of gaps: over all of their kind. */
  adjusted: number | null;
}

/** What is tested against 0. */
const TESTED = ['gap', 'gain-gap'] as const;

function cellsOf(measured: Measured, job: BiasJob, correction: Options['correction']): Cell[] {
  const cells = job.subgroups.flatMap(({ attribute, value, positions }, at) => {
    const { arms, contrasts: compared } = measured.subgroups[at]!;
    const place = { subgroup: `${attribute}=${value}`, images: positions.length, adjusted: null };
    const ofArms = job.arms.flatMap(({ arm }, i) =>
      (['score', 'ece', 'gap'] as const).map((what): Cell => ({
        ...{ ...place, what, of: arm, arms: [arm] },
        ...arms[i]![what],
      })),
    );
    const ofContrasts = job.contrasts.flatMap(([a, b], i): Cell[] => {
      const both = [job.arms[a]!.arm, job.arms[b]!.arm];
      const common = { ...place, of: both.join(' minus '), arms: both };
      const { gain, gainGap, agreement } = compared[i]!;
      return [
        { ...common, what: 'gain', ...gain },
        { ...common, what: 'gain-gap', ...gainGap },
        { ...common, what: 'agreement', ...agreement },
      ];
    });
    return [...ofArms, ...ofContrasts];
  });
  for (const what of TESTED) adjust(cells, what, correction);
  return cells;
}

function adjust(cells: Cell[], what: Cell['what'], correction: Options['correction']): void {
  const tested = cells.filter((cell) => cell.what === what && cell.p !== null);
  const p = tested.map((cell) => cell.p!);
  const adjusted = correction === 'holm' ? holm(p) : benjaminiHochberg(p);
  tested.forEach((cell, at) => {
    cell.adjusted = adjusted[at]!;
  });
}

function present(view: StudyView, { correction }: Options, measured: Measured, job: BiasJob) {
  const method = bootstrapMethod(measured.images, job.groups, job.replicates);
  const cells = cellsOf(measured, job, correction);
  return {
    quantities: cells.map((cell) => quantityOf(view, cell, method)),
    figures: biasFigures(view, cells, method),
    tables: biasTables(view, cells, correction, imageLinks(view, job)),
    notes: notesOf(cells, correction),
  };
}

/** Values of an attribute that fit into an address. */
const MOST_VALUES = 100;

/** To the images of each subgroup. */
function imageLinks(view: StudyView, { subgroups }: BiasJob): Map<string, string> {
  const { dataset, sides } = view.study;
  const found = new Map<string, string>();
  for (const { attribute, value, positions } of subgroups) {
    const values = attributeValues(view.context.db, dataset.id, attribute);
    const own = new Set(positions.flatMap((at) => values.get(sides.test[at]?.id ?? -1) ?? []));
    if (own.size > MOST_VALUES) continue;
    found.set(`${attribute}=${value}`, testedLink(view, { [`a.${attribute}`]: [...own] }));
  }
  return found;
}

function quantityOf(view: StudyView, cell: Cell, method: string): Quantity {
  const { name, unit } = scoreName(view);
  const { what, of, subgroup, value, interval, images: n } = cell;
  const titles: Record<Cell['what'], [string, Unit]> = {
    score: [`${name} of ${of}`, unit],
    ece: [`calibration error (debiased) of ${of}`, '1'],
    gap: [`${name} of ${of} less that on the others`, unit],
    gain: [`${name}: ${of}`, unit],
    'gain-gap': [`${name}: ${of}, less the same on the others`, unit],
    agreement: [`error consistency (kappa) of ${of.replace(' minus ', ' and ')}`, '1'],
  };
  const key = `bias.${what === 'score' ? 'accuracy' : what}.${of}.${subgroup}`;
  const [title, own] = titles[what];
  return { key, title: `${title}, ${subgroup}`, value, interval, method, n, unit: own };
}

function notesOf(cells: Cell[], correction: Options['correction']): string[] {
  const by = correction === 'holm' ? 'Holm' : 'Benjamini and Hochberg';
  const found = cells.filter(({ adjusted }) => adjusted !== null && adjusted < 0.05);
  const count = cells.filter(({ adjusted }) => adjusted !== null).length;
  const few = [
    ...new Set(cells.filter(({ images }) => images < FEW_IMAGES).map((c) => c.subgroup)),
  ];
  return [
    `Of ${count} gaps ${found.length} are below p = 0.05 after the adjustment of ${by} (within each kind of gap).`,
    ...found.map(
      ({ subgroup, what, of, value, adjusted }) =>
        `${subgroup}: ${what === 'gap' ? 'gap' : 'gap of the gain'} of ${of} ${(100 * value!).toFixed(1)} points, adjusted p = ${adjusted!.toFixed(3)}.`,
    ),
    'Intervals and p are of these trained runs on other images; seeds are averaged. Gaps are to the other images that have the attribute.',
    ...(few.length > 0 ? [`Fewer than ${FEW_IMAGES} test images: ${few.join(', ')}.`] : []),
  ];
}

export const bias: AnalysisDefinition<'bias', BiasJob, Measured> = {
  name: 'bias',
  title: 'Subgroups',
  version: 2,
  plan,
  present,
};
