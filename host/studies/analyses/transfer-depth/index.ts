/** Where general ends and specific begins (Yosinski et al. 2014). */
import { CarryoverError } from '../../../../contract/errors.ts';
import type { Figure, Quantity, Table } from '../../../../contract/figures.ts';
import { colourOf, score, scoreName } from '../arm-values.ts';
import type { AnalysisDefinition, StudyView } from '../definition.ts';
import { overSeeds, pairedOverSeeds, quantity, type SeedValue } from '../intervals.ts';
import { behind, runLink } from '../links.ts';
import { comparedArms } from '../pairs.ts';
import type { TransferDepthJob } from './measure.ts';
import { howMuchToFreeze, type Suggestion } from './suggestion.ts';

type Definition = AnalysisDefinition<'transfer-depth', TransferDepthJob, null>;
type Options = Parameters<Definition['plan']>[1];

const KINDS = ['AnB', 'AnB+', 'BnB', 'BnB+'] as const;
type Kind = (typeof KINDS)[number];

function plan(view: StudyView, options: Options) {
  const { pretrained, random } = comparedArms(view);
  const base = options.arm ?? pretrained;
  if (base === null || random === null) {
    throw new CarryoverError('unsupported', 'transfer-depth needs a pretrained and a random arm', {
      wayOut: 'add an arm with init: random, and one that starts from a checkpoint',
    });
  }
  const named = view.runs.filter(({ arm }) => arm.startsWith('AnB '));
  const known = [...new Set(named.map(({ arm }) => arm.slice('AnB '.length)))];
  const cuts = options.cuts ? known.filter((cut) => options.cuts?.includes(cut)) : known;
  const arms = [base, random, ...cuts.flatMap((cut) => KINDS.map((kind) => `${kind} ${cut}`))];
  const runs = view.runs.flatMap((run) => {
    const value = score(run);
    if (value === null || run.shuffle !== 'none' || !arms.includes(run.arm)) return [];
    return [{ run: run.id, arm: run.arm, seed: run.seed, score: value }];
  });
  if (cuts.length === 0 || !runs.some(({ arm }) => arm === base)) {
    throw new CarryoverError('unsupported', 'transfer-depth found no runs of its arms', {
      wayOut: 'run the study again, with none among its shuffles',
    });
  }
  return { job: { base, random, cuts, runs }, uses: [...new Set(runs.map(({ run }) => run))] };
}

/** Scores by seed: of a kind at a cut, or of an arm. */
class Scores {
  readonly #job: TransferDepthJob;

  constructor(job: TransferDepthJob) {
    this.#job = job;
  }

  at(kind: Kind, cut: string): SeedValue[] {
    return this.of(`${kind} ${cut}`);
  }

  of(arm: string): SeedValue[] {
    const own = this.#job.runs.filter((run) => run.arm === arm);
    return own.map(({ run, seed, score: value }) => ({ run, seed, value }));
  }
}

function present(view: StudyView, _options: Options, _measured: null, job: TransferDepthJob) {
  const scores = new Scores(job);
  const frozen = job.cuts.map((cut) => ({ cut, scores: scores.at('AnB', cut) }));
  const suggestion = howMuchToFreeze(frozen, scores.of(job.base));
  return {
    quantities: quantitiesOf(view, job, scores, suggestion),
    figures: [depths(view, job, scores), gaps(view, job, scores)],
    tables: [tableOf(view, job)],
    notes: notesOf(view, job, scores, suggestion),
  };
}

/** The differences that a cut is judged by: key, words, first and second scores. */
function gapsAt({ base, random }: TransferDepthJob, scores: Scores, cut: string) {
  const [anb, bnb] = [scores.at('AnB', cut), scores.at('BnB', cut)];
  return [
    { key: 'co-adaptation', title: 'co-adaptation gap, B - BnB', of: [scores.of(random), bnb] },
    { key: 'specificity', title: 'specificity gap, BnB - AnB', of: [bnb, anb] },
    {
      ...{ key: 'fine-tuned-gain', title: 'AnB+ - BnB+' },
      of: [scores.at('AnB+', cut), scores.at('BnB+', cut)],
    },
    { key: 'freezing', title: `AnB - ${base}, all fine-tuned`, of: [anb, scores.of(base)] },
  ] as { key: string; title: string; of: [SeedValue[], SeedValue[]] }[];
}

function quantitiesOf(
  view: StudyView,
  job: TransferDepthJob,
  scores: Scores,
  suggestion: Suggestion,
): Quantity[] {
  const { name, unit } = scoreName(view);
  const own = job.cuts.flatMap((cut) => [
    ...KINDS.map((kind) => {
      const key = `transfer-depth.accuracy.${kind} ${cut}`;
      return quantity(key, `${name} of ${kind} at ${cut}`, unit, overSeeds(scores.at(kind, cut)));
    }),
    ...gapsAt(job, scores, cut).map(({ key, title, of }) =>
      quantity(`transfer-depth.${key}.${cut}`, `${title}, at ${cut}`, unit, pairedOverSeeds(...of)),
    ),
  ]);
  const title = `suggested freezing (${suggestion.cut ?? 'nothing'}) less fine-tuning all`;
  return [...own, quantity('transfer-depth.suggestion', title, unit, suggestion.cost)];
}

function depths(view: StudyView, job: TransferDepthJob, scores: Scores): Figure {
  const { name, unit } = scoreName(view);
  const colours = { A: colourOf(view, job.base), B: colourOf(view, job.random) };
  const point = (values: SeedValue[], x: number) => {
    const { value, interval } = overSeeds(values);
    if (value === null) return [];
    return [{ x, y: value, ...(interval && { interval }), ...behind(view.id, values) }];
  };
  const of = (arm: (cut: string) => string) =>
    job.cuts.flatMap((cut, x) => point(scores.of(arm(cut)), x));
  const line = (kind: Kind, dashed: boolean) => ({
    ...{ name: kind, colour: kind.startsWith('A') ? colours.A : colours.B, dashed },
    points: of((cut) => `${kind} ${cut}`),
  });
  const own = Object.keys(view.study.spec.arms).length;
  return {
    ...{ kind: 'lines', id: 'depth', title: `${name} by depth of the cut` },
    caption:
      'The first stages up to the cut are copied, from the pretrained network (A) or from one ' +
      'trained on the target (B); the rest starts at random. AnB, BnB: copies frozen; with +: fine-tuned ' +
      `(dashed). B: ${job.random}, nothing copied. Means over seeds, bands: t intervals.`,
    x: { title: 'copied up to and with', categories: job.cuts },
    y: { title: name, unit },
    series: [
      ...[line('AnB', false), line('AnB+', true), line('BnB', false), line('BnB+', true)],
      { name: `B (${job.random})`, colour: own, dashed: true, points: of(() => job.random) },
    ],
  };
}

function gaps(view: StudyView, job: TransferDepthJob, scores: Scores): Figure {
  const { unit } = scoreName(view);
  return {
    ...{ kind: 'intervals', id: 'gaps', title: 'Co-adaptation and specificity', zero: 0 },
    caption:
      'Differences paired by seed, t intervals over seeds. B - BnB: what it costs to take copies of ' +
      'the same network apart from what grew with them. BnB - AnB: what it costs beyond that to have ' +
      'learnt them on the source.',
    x: { title: 'difference', unit },
    rows: job.cuts.flatMap((cut) =>
      gapsAt(job, scores, cut)
        .slice(0, 2)
        .flatMap(({ title, of }, at) => {
          const { value, interval } = pairedOverSeeds(...of);
          const colour = colourOf(view, at === 0 ? job.random : job.base);
          const link = behind(view.id, ...of);
          const label = `${cut}: ${title}`;
          return value === null ? [] : [{ label, value, interval, colour, ...link }];
        }),
    ),
  };
}

function tableOf(view: StudyView, { runs }: TransferDepthJob): Table {
  const { name, unit } = scoreName(view);
  return {
    ...{ id: 'runs', title: 'Runs by cut' },
    columns: [
      { key: 'arm', title: 'Arm' },
      { key: 'seed', title: 'Seed', digits: 0 },
      { key: 'score', title: name, unit },
    ],
    rows: runs.map(({ arm, seed, score: value }) => ({ arm, seed, score: value })),
    links: runs.map(({ run }) => runLink(view.id, run)),
  };
}

function notesOf(
  view: StudyView,
  job: TransferDepthJob,
  scores: Scores,
  { cut, cost }: Suggestion,
): string[] {
  const notes = [];
  const points = (value: number): string =>
    scoreName(view).unit === '%' ? `${(100 * value).toFixed(1)} points` : value.toFixed(3);
  if (scores.of(job.base).length < 2) {
    notes.push('One seed: there are no intervals, and nothing is suggested.');
  } else if (cut === null) {
    notes.push(
      'Freeze nothing: every cut with frozen copies is more than one standard error below fine-tuning all.',
    );
  } else {
    const [low, high] = cost.interval ?? [NaN, NaN];
    notes.push(
      `Freeze up to and with ${cut}: the deepest cut that is at most one standard error below fine-tuning all. ` +
        `It changes ${scoreName(view).name} by ${points(cost.value ?? NaN)} (${points(low)} to ${points(high)}, ${cost.method}).`,
    );
  }
  notes.push(
    `A is ${job.base}'s start, B is ${job.random} after its training. BnB starts from the trained ` +
      'target network of the same seed, so BnB+ shows what training on does by itself.',
  );
  return notes;
}

export const transferDepth: Definition = {
  name: 'transfer-depth',
  title: 'Where general ends and specific begins',
  version: 2,
  plan,
  present,
};
