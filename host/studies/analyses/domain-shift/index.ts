/** How far domains are from each other in a network's features. */
import { CarryoverError } from '../../../../contract/errors.ts';
import type { Figure, Quantity, Table } from '../../../../contract/figures.ts';
import type { PairDistance } from '../../../../engine/analysis/domain-distances.ts';
import type { AnalysisDefinition, NetworkRef, StudyView } from '../definition.ts';
import { domainLink } from '../links.ts';
import { armRuns, comparedArms } from '../pairs.ts';
import { plannedOf, samplesOf, type Sample } from '../samples.ts';
import type { DomainShift, DomainShiftJob } from './measure.ts';

/** Fewer images tell nothing. */
const LEAST_IMAGES = 16;

type Definition = AnalysisDefinition<'domain-shift', DomainShiftJob, DomainShift>;
type Options = Parameters<Definition['plan']>[1];

function plan(view: StudyView, options: Options) {
  const network = networkOf(view, options.features);
  const samples = samplesOf(view, options.images).filter(
    ({ groups }) => groups.length >= LEAST_IMAGES && new Set(groups).size > 3,
  );
  if (samples.length < 2) {
    throw new CarryoverError(
      'unsupported',
      `domain-shift needs two domains of ${LEAST_IMAGES} images`,
    );
  }
  const { permutations, replicates } = options;
  const uses = new Set([network.run, ...samples.map(({ images }) => images.run)]);
  return { job: { network, samples, permutations, replicates }, uses: [...uses] };
}

function networkOf(view: StudyView, named: string | undefined): NetworkRef {
  const own = armRuns(view);
  if (named !== undefined) {
    const run = own.find(({ arm }) => arm === named) ?? view.runs.find(({ id }) => id === named);
    if (run) return run.result;
    throw new CarryoverError('bad-input', `features: no arm or run "${named}" in this study`, {
      wayOut: `name one of ${[...new Set(own.map(({ arm }) => arm))].join(', ')}`,
    });
  }
  const { pretrained } = comparedArms(view);
  const run = own.find(({ arm }) => arm === pretrained);
  if (run) return run.start;
  throw new CarryoverError('unsupported', 'no arm of this study starts pretrained', {
    wayOut: 'name an arm or a run whose features are to be looked at: features: NAME',
  });
}

function present(view: StudyView, _options: Options, found: DomainShift, job: DomainShiftJob) {
  const quantities = found.pairs.flatMap((pair) => quantitiesOf(pair, job));
  return {
    quantities,
    figures: [
      heatmap(found, job, {
        ...{ id: 'mmd2', title: 'MMD²', digits: 3, of: ({ mmd2 }: PairDistance) => mmd2.value },
        caption: 'Unbiased; about 0 for domains that do not differ.',
      }),
      heatmap(found, job, {
        ...{ id: 'frechet', title: 'Fréchet distance', digits: 2 },
        of: ({ frechet }) => frechet.corrected ?? frechet.value,
        caption: 'Squared, without the bias of few images (jackknife).',
      }),
      heatmap(found, job, {
        ...{ id: 'proxy-a', title: 'Proxy A-distance', digits: 2, of: ({ proxy }) => proxy.value },
        caption: 'By a held-out linear classifier: 2 told apart without error, 0 not at all.',
      }),
      intervals(found, job),
    ],
    tables: [tableOf(found, job)],
    notes: notesOf(view, found, job),
  };
}

function nameOf({ a, b }: PairDistance, { samples }: DomainShiftJob): string {
  return `${samples[a]!.name}/${samples[b]!.name}`;
}

function quantitiesOf(pair: PairDistance, job: DomainShiftJob): Quantity[] {
  const name = nameOf(pair, job);
  const own = [job.samples[pair.a]!, job.samples[pair.b]!];
  const n = own[0]!.groups.length + own[1]!.groups.length;
  const groups = new Set(own.flatMap((sample) => sample.groups)).size;
  const jackknifed = `jackknife over blocks of ${groups} groups`;
  const { frechet, mmd2, proxy } = pair;
  const common = { n, unit: '' as const };
  return [
    {
      ...{ key: `domain-shift.mmd2.${name}`, title: `MMD² of ${name}`, ...common },
      ...{ value: mmd2.value, interval: mmd2.interval, method: jackknifed },
    },
    {
      ...{ key: `domain-shift.frechet.${name}`, title: `Fréchet distance of ${name}`, ...common },
      ...{ value: frechet.corrected, interval: aroundCorrected(frechet), method: jackknifed },
    },
    {
      ...{ key: `domain-shift.proxy-a.${name}`, title: `proxy A-distance of ${name}`, ...common },
      ...{ value: proxy.value, interval: proxy.interval },
      method: `bootstrap over ${groups} groups, ${job.replicates} replicates`,
    },
  ];
}

function aroundCorrected({ value, interval, corrected }: PairDistance['frechet']) {
  if (value === null || interval === null || corrected === null) return null;
  const shift = corrected - value;
  return [interval[0] + shift, interval[1] + shift] as [number, number];
}

interface Map {
  id: string;
  title: string;
  digits: number;
  caption: string;
  of: (pair: PairDistance) => number | null;
}

function heatmap({ pairs }: DomainShift, { samples }: DomainShiftJob, map: Map): Figure {
  const values: (number | null)[][] = samples.map(() => samples.map(() => null));
  for (const pair of pairs) {
    const value = map.of(pair);
    values[pair.a]![pair.b] = value;
    values[pair.b]![pair.a] = value;
  }
  const known = values.flat().filter((value) => value !== null);
  const names = samples.map(({ name, groups }) => `${name}, n ${groups.length}`);
  return {
    ...{ kind: 'heatmap', id: map.id, title: `${map.title} between domains`, digits: map.digits },
    caption: `${map.caption} n: images.`,
    ...{ x: { title: '' }, y: { title: '' }, rows: names, columns: names, values },
    ...{ range: [0, Math.max(1e-9, ...known)], scale: 'sequential' },
    links: samples.map((row) => samples.map((column) => linkOf(row === column ? row : column))),
  };
}

function linkOf({ datasetId, domain }: Sample): string {
  return domainLink(datasetId, domain);
}

function intervals({ pairs }: DomainShift, job: DomainShiftJob): Figure {
  return {
    ...{ kind: 'intervals', id: 'mmd2-intervals', title: 'MMD² and chance', zero: 0 },
    caption:
      `95 % jackknife over blocks of groups; beside it the 95 % quantile of ${job.permutations} exchanges ` +
      'of the domains at random.',
    x: { title: 'MMD²', include: [0] },
    rows: pairs.map((pair) => ({
      ...{ label: nameOf(pair, job), value: pair.mmd2.value ?? 0, interval: pair.mmd2.interval },
      colour: pair.a,
      ...(pair.permuted && {
        note: `chance up to ${pair.permuted.quantile.toFixed(4)}, p ${pair.permuted.p.toFixed(3)}`,
      }),
      link: linkOf(job.samples[pair.b]!),
    })),
  };
}

function tableOf({ pairs }: DomainShift, job: DomainShiftJob): Table {
  return {
    ...{ id: 'distances', title: 'Distances between domains' },
    columns: [
      { key: 'a', title: 'Domain' },
      { key: 'b', title: 'Domain' },
      { key: 'imagesA', title: 'Images', digits: 0 },
      { key: 'imagesB', title: 'Images', digits: 0 },
      { key: 'mmd2', title: 'MMD²', digits: 4 },
      { key: 'chance', title: 'Chance, 95 %', digits: 4 },
      { key: 'p', title: 'p', digits: 3 },
      { key: 'frechet', title: 'Fréchet, corrected', digits: 3 },
      { key: 'plain', title: 'Fréchet, plain', digits: 3 },
      { key: 'proxy', title: 'Proxy A', digits: 3 },
    ],
    rows: pairs.map((pair) => {
      const [a, b] = [job.samples[pair.a]!, job.samples[pair.b]!];
      return {
        ...{ a: a.name, b: b.name, imagesA: a.groups.length, imagesB: b.groups.length },
        ...{ mmd2: pair.mmd2.value, chance: pair.permuted?.quantile ?? null },
        ...{ p: pair.permuted?.p ?? null, frechet: pair.frechet.corrected },
        ...{ plain: pair.frechet.value, proxy: pair.proxy.value },
      };
    }),
    links: pairs.map(({ b }) => linkOf(job.samples[b]!)),
  };
}

function notesOf(
  view: StudyView,
  found: DomainShift,
  { network, samples }: DomainShiftJob,
): string[] {
  const run = view.runs.find(({ id }) => id === network.run);
  const whose = `${run?.arm ?? network.run}, epoch ${network.epoch}`;
  const notes = [
    `Features: ${found.features} averaged channels below the head, of ${whose}. Distances are of these features, not of the images as such.`,
  ];
  if (found.directions < found.features) {
    notes.push(
      `Fréchet distances are taken in the first ${found.directions} principal directions, ${(100 * found.variance).toFixed(1)} % of the variance: there are too few images, or too many features, for all.`,
    );
  }
  if (samples.some(({ role }) => role === 'source')) {
    notes.push(
      'The start was trained on the images marked (source); images it has seen can lie apart for that reason alone. Train and test images of one domain are the control: they should not differ.',
    );
  }
  const recipes = samples.map(({ images }) =>
    JSON.stringify(plannedOf(view, images.run)?.spec.recipe),
  );
  if (new Set(recipes).size > 1) {
    notes.push(
      'Pretraining and target have different recipes: what they do to images counts as shift.',
    );
  }
  const few = samples.filter(({ groups }) => new Set(groups).size < 20);
  if (few.length > 0) {
    notes.push(
      `Fewer than 20 groups: ${few.map(({ name }) => name).join(', ')}; intervals are too narrow.`,
    );
  }
  return notes;
}

export const domainShift: Definition = {
  name: 'domain-shift',
  title: 'Domain shift',
  version: 1,
  plan,
  present,
};
