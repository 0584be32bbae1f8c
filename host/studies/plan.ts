import type { Database } from 'better-sqlite3';
import type { CheckpointSummary } from '../../contract/checkpoints.ts';
import type { SourceWay } from '../../contract/source.ts';
import type {
  Recipe,
  Redrawn,
  Shuffle,
  StudyPlan,
  StudySpec,
  Training,
  Unsupervised,
} from '../../contract/study.ts';
import type { StudyDataset, StudyImage } from './data.ts';
import { leakWarnings } from './leaks.ts';
import { problem, type Problem } from './issues.ts';
import type { ChosenFindings } from './labelling.ts';
import {
  armDataWarnings,
  classWeightProblems,
  findingWarnings,
  specWarnings,
} from './plan-warnings.ts';
import { sourceProblems } from './plan-sources.ts';
import { TargetPlanner, type TargetLayout } from './plan-targets.ts';
import { planPretraining, type Source } from './plan-pretraining.ts';
import { keepStarts } from './planned-run.ts';
import { withAnalysisArms } from './analysis-arms.ts';
import { stagesOf } from './checks-training.ts';
import { resolveCheckpoints, resolveTarget } from './resolve.ts';
import { divide, type Sides } from './sides.ts';
import { subgroupProblems } from './subgroups.ts';

/** Everything that determines the numbers of a run; its hash is the run's id. */
export type RunSpec = {
  format: number;
  kind: 'pretraining' | 'target';
  /** Absent: the labels. */
  task?: Unsupervised;
  architecture: StudySpec['architecture'];
  classNames: string[];
  /** Multi-label: how the findings, which are the classes then, become targets. */
  findings?: Omit<ChosenFindings, 'names'>;
  recipe: Recipe;
  training: Training;
  seed: number;
  shuffle: Shuffle;
  /** `checkpoint`: SHA-256 of the weights of an imported one. */
  start: 'random' | (({ run: string; epoch: number } | { checkpoint: string }) & Taken);
  data: {
    domains: string[];
    train: ItemsDigest;
    validation: ItemsDigest | null;
    test: ItemsDigest | null;
  };
  /** Source images that are learnt from besides, or instead of, the training images. */
  source?: ItemsDigest & { way: SourceWay };
};

/** What of its start a run takes, where that is not all but the head, as it is. */
export interface Taken {
  weights?: Redrawn;
  'keep-to'?: string;
  head?: true;
}

/** Content hashes and class indices (or targets) of a list of images, hashed in their order. */
export interface ItemsDigest {
  images: number;
  sha256: string;
}

export interface PlannedRun {
  id: string;
  /** `P` (with what is unusual about a pretraining), or the arm. */
  arm: string;
  spec: RunSpec;
  dataset: StudyDataset;
  train: StudyImage[];
  source?: StudyImage[];
  validation: StudyImage[] | null;
  test: StudyImage[] | null;
  /** The imported checkpoint that it starts from. */
  checkpoint: CheckpointSummary | null;
  /** Epochs whose weights other runs of the study start from. */
  keepEpochs: number[];
  notes: string[];
}

/** A study laid out over its data. */
export interface ExpandedStudy {
  spec: StudySpec;
  dataset: StudyDataset;
  /** Pretraining runs first, so that every run comes after what it starts from. */
  runs: PlannedRun[];
  sides: Sides;
  /** Arms that analyses ask for whose runs are those of another arm. */
  shared: { arm: string; run: string }[];
  /** What was tested and seen before although it should not have been; among the warnings too. */
  leaks: string[];
  warnings: string[];
}

export type Expansion =
  { study: ExpandedStudy; problems: [] } | { study: null; problems: Problem[] };

/** Lays a specification out over the data in the database, or says what does not fit. */
export function expandStudy(db: Database, spec: StudySpec): Expansion {
  const problems: Problem[] = [];
  const whole = withAnalysisArms(spec);
  const target = resolveTarget(db, spec, problems);
  const checkpoints = resolveCheckpoints(db, spec, problems);
  const sides = target && divide({ db, spec: whole, dataset: target.dataset }, target.images);
  const tested = { datasetId: target?.dataset.id, test: sides?.test ?? [] };
  const pretraining = Object.keys(whole.pretraining).map((name) =>
    planPretraining({ db, spec: whole, tested }, name, problems),
  );
  if (!target || !sides || problems.length > 0) return { study: null, problems };
  if (sides.problems.length > 0) return { study: null, problems: sides.problems };
  const sources = pretraining.flatMap((each) => (each === null ? [] : [each]));
  problems.push(
    ...classWeightProblems(spec, sides, sources),
    ...subgroupProblems(db, spec, target.dataset, sides.test),
  );
  if (problems.length > 0) return { study: null, problems };
  const { dataset, domains } = target;
  return assemble({ spec: whole, dataset, domains, sides, checkpoints }, spec, sources);
}

/** `own`: the study without what analyses add. */
function assemble(
  layout: Omit<TargetLayout, 'parents' | 'seenBy'>,
  own: StudySpec,
  sources: Source[],
): Expansion {
  const { spec, dataset, sides, checkpoints } = layout;
  const parents = new Map(sources.map(({ name, run }) => [name, run]));
  const seenBy = new Map(
    sources.map(({ name, run }) => [
      name,
      leakWarnings(name, run.train, sides.test, run.dataset.id === dataset.id),
    ]),
  );
  const lacking = sourceProblems(spec, own.arms, sides, parents);
  if (lacking.length > 0) return { study: null, problems: lacking };
  const planner = new TargetPlanner({ ...layout, parents, seenBy });
  for (const arm of Object.keys(spec.arms)) {
    const shuffles = Object.hasOwn(own.arms, arm) ? own.shuffles : (['none'] as const);
    for (const seed of spec.seeds) {
      for (const shuffle of shuffles) planner.plan({ arm, seed, shuffle });
    }
  }
  const { runs, shared, problems } = distinct(own, [
    ...sources.map((source) => source.run),
    ...planner.runs,
  ]);
  if (problems.length > 0) return { study: null, problems };
  keepStarts(runs);
  const seen = [...seenBy.values()].flat();
  const warnings = [
    ...sides.warnings,
    ...sources.flatMap((source) => source.warnings),
    ...seen,
    ...specWarnings(own, [...checkpoints.values()]),
    ...armDataWarnings(own, sides),
    ...(sides.findings ? findingWarnings(own, sides.classNames) : []),
  ];
  const leaks = [...sides.leaks, ...seen];
  return { study: { spec: own, dataset, runs, sides, shared, leaks, warnings }, problems: [] };
}

/** Every run once. Arms of the study must not be the same runs; those that analyses add may. */
function distinct(own: StudySpec, all: readonly PlannedRun[]) {
  const byId = new Map<string, PlannedRun>();
  const shared: ExpandedStudy['shared'] = [];
  const problems: Problem[] = [];
  for (const run of all) {
    const twin = byId.get(run.id);
    if (!twin) byId.set(run.id, run);
    else if (run.spec.kind === 'pretraining') continue;
    else if (Object.hasOwn(own.arms, run.arm) && Object.hasOwn(own.arms, twin.arm)) {
      const message = `arms "${twin.arm}" and "${run.arm}" are the same runs: they start from the same weights`;
      return { runs: [], shared, problems: [problem(['arms', run.arm], message)] };
    } else shared.push({ arm: run.arm, run: twin.id });
  }
  return { runs: [...byId.values()], shared, problems };
}

/** The plan as people see it. `done` tells which runs need no more work. */
export function studyPlan(study: ExpandedStudy, done: (run: PlannedRun) => boolean): StudyPlan {
  const { sides, warnings } = study;
  return {
    trainImages: sides.train.length,
    validationImages: sides.validation.length,
    testImages: sides.test.length,
    classNames: sides.classNames,
    groupedBy: sides.groupedBy,
    stages: [...stagesOf(study.spec.architecture)],
    runs: study.runs.map((run) => ({
      id: run.id,
      arm: run.arm,
      seed: run.spec.seed,
      shuffle: String(run.spec.shuffle),
      kind: run.spec.kind,
      done: done(run),
    })),
    warnings,
  };
}
