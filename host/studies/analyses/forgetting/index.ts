/** What fine-tuning takes from the source: its accuracy with the old head, before and after. */
import { CarryoverError } from '../../../../contract/errors.ts';
import type { Figure, Quantity, Table } from '../../../../contract/figures.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import { groupNumbers } from '../../group-numbers.ts';
import { colourOf } from '../arm-values.ts';
import type { AnalysisDefinition, StudyView } from '../definition.ts';
import { overSeeds, quantity, type SeedValue } from '../intervals.ts';
import { behind, runLink } from '../links.ts';
import { comparedArms } from '../pairs.ts';
import { plainRuns } from '../said.ts';
import type { ForgettingJob, Source, SourceResult } from './measure.ts';

type Options = AnalysisOptions<'forgetting'>;

function plan(view: StudyView, { replicates }: Options) {
  const own = plainRuns(view, 'forgetting');
  const control = own.filter(({ arm }) => arm === comparedArms(view).random);
  const sources = new Map<string, Source>();
  for (const run of own) {
    const start = view.study.runs.find(({ id }) => id === run.id)?.spec.start;
    if (start === undefined || start === 'random' || !('run' in start)) continue;
    const key = `${start.run}@${start.epoch}`;
    const source = sources.get(key) ?? sourceOf(view, start);
    if (source === null) continue;
    sources.set(key, source);
    source.tuned.push({ arm: run.arm, seed: run.seed, network: run.result });
  }
  if (sources.size === 0) {
    throw new CarryoverError(
      'unsupported',
      'forgetting needs an arm that starts from a pretraining',
      {
        wayOut: 'start an arm from a pretraining of this study, whose head and images are known',
      },
    );
  }
  for (const { tuned } of sources.values()) {
    tuned.push(...control.map(({ arm, seed, result }) => ({ arm, seed, network: result })));
  }
  const all = [...sources.values()];
  const uses = all.flatMap(({ network, tuned }) => [
    network.run,
    ...tuned.map((each) => each.network.run),
  ]);
  return { job: { sources: all, replicates }, uses: [...new Set(uses)] };
}

/** Its test images, else those that it learnt from; null: it is not a pretraining of the study. */
function sourceOf({ study }: StudyView, network: { run: string; epoch: number }): Source | null {
  const planned = study.runs.find(({ id }) => id === network.run);
  if (planned?.spec.kind !== 'pretraining') return null;
  const split = planned.test === null ? 'train' : 'test';
  const groups = groupNumbers(planned[split]!);
  return { network, images: { run: network.run, split }, groups, tuned: [] };
}

interface Row {
  run: string;
  source: Source;
  result: SourceResult;
  arm: string;
  seed: number;
  after: SourceResult['after'][number];
}

function present(view: StudyView, _: Options, measured: SourceResult[], job: ForgettingJob) {
  const rows = job.sources.flatMap((source, at) =>
    source.tuned.map((tuned, i): Row => {
      const result = measured[at]!;
      const { arm, seed, network } = tuned;
      return { run: network.run, source, result, arm, seed, after: result.after[i]! };
    }),
  );
  return {
    quantities: quantitiesOf(rows, job),
    figures: [barsOf(view, rows), ...classFigures(view, rows)],
    tables: [runTable(view, rows), ...classTables(rows)],
    notes: notesOf(view, job, measured),
  };
}

/** Arms of one source, in order. */
function cells(rows: Row[]): { arm: string; own: Row[]; suffix: string }[] {
  const sources = [...new Set(rows.map(({ source }) => source))];
  return sources.flatMap((source, at) => {
    const suffix = at === 0 ? '' : `.${source.network.run}@${source.network.epoch}`;
    const ofSource = rows.filter((row) => row.source === source);
    const arms = [...new Set(ofSource.map(({ arm }) => arm))];
    return arms.map((arm) => ({ arm, own: ofSource.filter((row) => row.arm === arm), suffix }));
  });
}

function quantitiesOf(rows: Row[], { replicates }: ForgettingJob): Quantity[] {
  return cells(rows).flatMap(({ arm, own, suffix }) => {
    const values = (of: (row: Row) => number): SeedValue[] =>
      own.map((row) => ({ seed: row.seed, value: of(row) }));
    const before = own[0]!.result.before.accuracy;
    const { images } = own[0]!.result;
    const estimate = overSeeds(values(({ after }) => after.difference.value));
    const [only] = own;
    const alone = own.length === 1 && {
      interval: only!.after.difference.interval,
      method: `bootstrap over source images, ${replicates} replicates; one seed`,
    };
    const fixed = { value: before, interval: null, method: 'one network', n: images };
    return [
      quantity(`forgetting.before.${arm}${suffix}`, `source accuracy before ${arm}`, '%', fixed),
      quantity(
        `forgetting.after.${arm}${suffix}`,
        `source accuracy after ${arm}, old head`,
        '%',
        overSeeds(values(({ after }) => after.accuracy)),
      ),
      quantity(
        `forgetting.backward-transfer.${arm}${suffix}`,
        `backward transfer: source accuracy after ${arm} less before`,
        '%',
        { ...estimate, ...alone },
      ),
    ];
  });
}

function barsOf(view: StudyView, rows: Row[]): Figure {
  return {
    kind: 'bars',
    id: 'source-accuracy',
    title: 'Source accuracy, old head',
    caption:
      'Before: the pretrained network. After: bodies as they were trained on the target, with its ' +
      'head; means over seeds with t intervals.',
    x: { title: 'network' },
    y: { title: 'accuracy on the source', unit: '%', include: [0] },
    groups: cells(rows).map(({ arm, own }) => {
      const seeds = own.map(({ run, seed, after }) => ({ run, seed, value: after.accuracy }));
      const { value, interval } = overSeeds(seeds);
      const colour = colourOf(view, arm);
      return {
        label: arm,
        bars: [
          {
            ...{ name: 'before', colour, value: own[0]!.result.before.accuracy, faded: true },
            link: runLink(view.id, own[0]!.source.network.run),
          },
          {
            ...{ name: 'after', colour, value: value ?? 0 },
            values: seeds.map((each) => each.value),
            ...(interval && { interval }),
            ...behind(view.id, seeds),
          },
        ],
      };
    }),
  };
}

/** Classes whose figures fit on a page. */
const MOST_CLASSES = 60;

function classFigures(view: StudyView, rows: Row[]): Figure[] {
  const first = cells(rows)[0]!;
  const link = behind(view.id, first.own);
  const { classNames, before } = first.own[0]!.result;
  if (before.classes.length === 0) return [];
  const classes = classNames
    .map((name, c) => ({ name, ...classChange(first.own, c) }))
    .filter((each) => each.change !== null)
    .sort((a, b) => a.change! - b.change!)
    .slice(0, MOST_CLASSES);
  return [
    {
      kind: 'intervals',
      id: 'by-class',
      title: `What ${first.arm} forgets, by source class`,
      caption: `Accuracy after less before, t intervals over seeds; the ${classes.length} that lose most.`,
      x: { title: 'accuracy after less before', unit: '%' },
      zero: 0,
      rows: classes.map(({ name, change, interval }) => ({
        ...{ label: name, value: change!, interval, colour: 0, ...link },
      })),
    },
  ];
}

function classChange(own: Row[], c: number) {
  const before = own[0]!.result.before.classes[c] ?? null;
  const values = own.flatMap(({ seed, after }) => {
    const value = after.classes[c] ?? null;
    return value === null || before === null ? [] : [{ seed, value: value - before }];
  });
  const { value: change, interval } = overSeeds(values);
  return { before, change, interval };
}

function runTable(view: StudyView, rows: Row[]): Table {
  return {
    id: 'runs',
    title: 'Runs',
    columns: [
      { key: 'arm', title: 'Arm' },
      { key: 'seed', title: 'Seed', digits: 0 },
      { key: 'before', title: 'Before', unit: '%' },
      { key: 'after', title: 'After', unit: '%' },
      { key: 'difference', title: 'Backward transfer', unit: '%' },
      { key: 'low', title: 'from (images)', unit: '%' },
      { key: 'high', title: 'to', unit: '%' },
      { key: 'aucBefore', title: 'AUC before', unit: '1' },
      { key: 'aucAfter', title: 'AUC after', unit: '1' },
    ],
    rows: rows.map(({ arm, seed, result: { before }, after }) => ({
      ...{ arm, seed, before: before.accuracy, after: after.accuracy },
      difference: after.difference.value,
      low: after.difference.interval?.[0] ?? null,
      high: after.difference.interval?.[1] ?? null,
      ...{ aucBefore: before.auc, aucAfter: after.auc },
    })),
    links: rows.map(({ run }) => runLink(view.id, run)),
  };
}

function classTables(rows: Row[]): Table[] {
  const found = cells(rows).flatMap(({ arm, own }) => {
    const { classNames, perClass } = own[0]!.result;
    if (perClass === null) return [];
    return classNames.map((name, c) => {
      const { before, change } = classChange(own, c);
      const after = before === null || change === null ? null : before + change;
      return { arm, name, images: perClass[c]!, before, after, change };
    });
  });
  if (found.length === 0) return [];
  return [
    {
      id: 'classes',
      title: 'Source classes',
      columns: [
        { key: 'arm', title: 'Arm' },
        { key: 'name', title: 'Class' },
        { key: 'images', title: 'Images', digits: 0 },
        { key: 'before', title: 'Before', unit: '%' },
        { key: 'after', title: 'After', unit: '%' },
        { key: 'change', title: 'Change', unit: '%' },
      ],
      rows: found,
    },
  ];
}

function notesOf(view: StudyView, { sources }: ForgettingJob, measured: SourceResult[]): string[] {
  const notes: string[] = [];
  if (sources.some(({ images }) => images.split === 'train')) {
    notes.push(
      'The source has no test images: accuracy is on the images that the pretraining learnt from, so before is flattering.',
    );
  }
  const { random } = comparedArms(view);
  const classes = measured[0]!.perClass?.length;
  if (random !== null) {
    const chance = classes ? ` Guessing is right in ${(100 / classes).toFixed(1)} %.` : '';
    notes.push(
      `${random} is the control: the old head on a body that never saw the source.${chance}`,
    );
  }
  notes.push(
    "With BatchNorm the body's running statistics are those of the target, which alone can cost source accuracy.",
  );
  return notes;
}

export const forgetting: AnalysisDefinition<'forgetting', ForgettingJob, SourceResult[]> = {
  name: 'forgetting',
  title: 'Forgetting',
  version: 3,
  plan,
  present,
};
