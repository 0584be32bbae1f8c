/** Scores of starts before training, against what fine-tuning them came to. */
import { CarryoverError } from '../../../../contract/errors.ts';
import type { Figure, Quantity, Table } from '../../../../contract/figures.ts';
import {
  TRANSFER_SCORES,
  type TransferScore,
} from '../../../../engine/analysis/transfer-scores.ts';
import { weightedTauEstimate, type TauEstimate } from '../../../../engine/analysis/weighted-tau.ts';
import { scoreName } from '../arm-values.ts';
import type { AnalysisDefinition, StudyView } from '../definition.ts';
import { overSeeds } from '../intervals.ts';
import { behind, runLink } from '../links.ts';
import { armRuns } from '../pairs.ts';
import { plannedOf, targetImages } from '../samples.ts';
import type { ScoredStart, Transferability, TransferabilityJob } from './measure.ts';
import { scoredStarts } from './starts.ts';

type Definition = AnalysisDefinition<'transferability', TransferabilityJob, Transferability>;
type Options = Parameters<Definition['plan']>[1];

const TITLES: Record<TransferScore, string> = {
  leep: 'LEEP',
  nce: 'NCE',
  'h-score': 'H-score',
  'h-score-regularised': 'H-score, regularised',
  logme: 'LogME',
};

function plan(view: StudyView, { images: most, replicates }: Options) {
  if (view.study.sides.findings !== null) {
    throw new CarryoverError('unsupported', 'transferability needs images of one class each', {
      wayOut: 'leave transferability out: its scores are of classes, not of findings',
    });
  }
  const starts = scoredStarts(view);
  const [first] = armRuns(view);
  if (starts.length < 2 || !first) {
    throw new CarryoverError('unsupported', 'transferability needs two starts or more to rank', {
      wayOut: 'add arms, or the analyses checkpoints or low-level-statistics, which add starts',
    });
  }
  const { images, groups } = targetImages(view, first.id, 'train', most);
  const networks = starts.flatMap((start) => [
    ...start.starts,
    ...(start.source ? [start.source] : []),
  ]);
  const outcomes = starts.flatMap((start) => start.outcomes.map(({ run }) => run));
  const uses = [...new Set([...networks.map(({ run }) => run), ...outcomes, first.id])];
  return { job: { starts, images, groups, replicates }, uses };
}

/** A start with one of its scores and its outcome. */
interface Point {
  start: ScoredStart;
  score: number;
  outcome: number;
}

function pointsOf(job: TransferabilityJob, found: Transferability, name: TransferScore): Point[] {
  return job.starts.flatMap((start, at) => {
    const value = found.scores[at]![name].value;
    const outcome = overSeeds(outcomesOf(start)).value;
    return value === null || outcome === null ? [] : [{ start, score: value, outcome }];
  });
}

const outcomesOf = ({ outcomes }: ScoredStart) =>
  outcomes.map(({ run, seed, score: value }) => ({ run, seed, value }));

function present(view: StudyView, _: Options, found: Transferability, job: TransferabilityJob) {
  const taus = TRANSFER_SCORES.map((name) => {
    const points = pointsOf(job, found, name);
    const [x, y] = [points.map(({ score }) => score), points.map(({ outcome }) => outcome)];
    const estimate = weightedTauEstimate(x, y, { replicates: job.replicates, seed: 0 });
    return { name, n: points.length, ...estimate };
  });
  return {
    quantities: [...taus.map((tau) => tauQuantity(tau, job)), ...scoreQuantities(job, found)],
    figures: [
      ...TRANSFER_SCORES.flatMap((name) => scatter(view, job, found, name)),
      tauFigure(view, job, taus),
    ],
    tables: [tableOf(view, job, found)],
    notes: notesOf(view, job, found),
  };
}

type Tau = TauEstimate & { name: TransferScore; n: number };

function tauQuantity({ name, n, tau, interval }: Tau, job: TransferabilityJob): Quantity {
  return {
    ...{ key: `transferability.tau.${name}`, title: `weighted tau of ${TITLES[name]}`, unit: '' },
    ...{ value: tau, interval, n },
    method:
      interval === null
        ? `${n} starts, too few to resample`
        : `bootstrap over ${n} starts, ${job.replicates} replicates`,
  };
}

function scoreQuantities(job: TransferabilityJob, found: Transferability): Quantity[] {
  const groups = new Set(job.groups).size;
  return job.starts.flatMap(({ arm }, at) =>
    TRANSFER_SCORES.flatMap((name): Quantity[] => {
      const { value, interval } = found.scores[at]![name];
      if (value === null) return [];
      return [
        {
          ...{ key: `transferability.${name}.${arm}`, title: `${TITLES[name]} of ${arm}'s start` },
          ...{ value, interval, n: found.images, unit: '' },
          method: `jackknife over blocks of ${groups} groups`,
        },
      ];
    }),
  );
}

function scatter(
  view: StudyView,
  job: TransferabilityJob,
  found: Transferability,
  name: TransferScore,
): Figure[] {
  const points = pointsOf(job, found, name);
  if (points.length === 0) return [];
  const { name: outcome, unit } = scoreName(view);
  const own = Object.keys(view.study.spec.arms);
  return [
    {
      ...{ kind: 'scatter', id: name, title: `${TITLES[name]} and what came of it` },
      caption: `Each mark is a start. ${TITLES[name]} on ${found.images} training images of the target, before training; means over seeds after it.`,
      x: { title: TITLES[name] },
      y: { title: outcome, unit },
      series: points.map(({ start, score: x, outcome: y }) => {
        const base = own.findIndex((arm) => start.arm === arm || start.arm.startsWith(`${arm} `));
        return {
          ...{ name: start.arm, colour: base < 0 ? own.length : base },
          points: [{ x, y, label: start.arm, ...behind(view.id, start.outcomes) }],
        };
      }),
    },
  ];
}

function tauFigure(view: StudyView, job: TransferabilityJob, taus: readonly Tau[]): Figure {
  const link = behind(view.id, ...job.starts.map(({ outcomes }) => outcomes));
  return {
    ...{ kind: 'intervals', id: 'tau', title: 'Which score ranks the starts', zero: 0 },
    caption:
      'Weighted Kendall tau of score and outcome: 1 where the order is the same, 0 by chance. 95 % ' +
      'bootstrap over starts where there are five; p: share of all orders that do as well.',
    x: { title: 'weighted tau', include: [-1, 1] },
    rows: taus.flatMap(({ name, n, tau, interval, p }, colour) => {
      if (tau === null) return [];
      const note = `${n} starts${p === null ? '' : `, p ${p.toFixed(3)}`}`;
      return [{ label: TITLES[name], value: tau, interval, colour, note, ...link }];
    }),
  };
}

function tableOf(view: StudyView, job: TransferabilityJob, found: Transferability): Table {
  const { name, unit } = scoreName(view);
  return {
    ...{ id: 'starts', title: 'Starts and their scores' },
    columns: [
      { key: 'arm', title: 'Start of' },
      ...TRANSFER_SCORES.map((key) => ({ key, title: TITLES[key], digits: 3 })),
      { key: 'outcome', title: name, unit },
      { key: 'seeds', title: 'Seeds', digits: 0 },
    ],
    rows: job.starts.map((start, at) => ({
      arm: start.arm,
      ...Object.fromEntries(TRANSFER_SCORES.map((key) => [key, found.scores[at]![key].value])),
      ...{ outcome: overSeeds(outcomesOf(start)).value, seeds: start.outcomes.length },
    })),
    links: job.starts.map(({ outcomes }) => runLink(view.id, outcomes[0]!.run)),
  };
}

function notesOf(view: StudyView, job: TransferabilityJob, found: Transferability): string[] {
  const notes = [
    `Scores are of ${found.images} training images of the target, features below the head, no training. ` +
      'LEEP and NCE need the head that the source was told by; starts without one have none.',
    'No score is to be trusted alone: in published comparisons their order of networks ranged from good to worse than chance.',
  ];
  if (job.starts.length < 8) {
    notes.push(`${job.starts.length} starts: a rank correlation of so few says little.`);
  }
  const recipe = (id: string | undefined) => JSON.stringify(plannedOf(view, id)?.spec.recipe);
  const sources = job.starts.flatMap(({ source }) => (source ? [source.run] : []));
  if (sources.some((run) => recipe(run) !== recipe(job.images.run))) {
    notes.push(
      "A pretraining has another recipe than the target: its head sees images in the target's.",
    );
  }
  return notes;
}

export const transferability: Definition = {
  name: 'transferability',
  title: 'Transferability before training',
  version: 2,
  plan,
  present,
};
