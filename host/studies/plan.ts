import type { Database } from 'better-sqlite3';
import type { CheckpointSummary } from '../../contract/checkpoints.ts';
import type { Recipe, Shuffle, StudyPlan, StudySpec, Training } from '../../contract/study.ts';
import { listSummaries } from '../datasets/read.ts';
import { countByClass, imagesOf, lookUpDataset } from './data.ts';
import type { StudyDataset, StudyImage } from './data.ts';
import { leakWarnings, withoutTested, type Tested } from './leaks.ts';
import { ENGINE_FORMAT, runIdOf, sha256 } from './identity.ts';
import { problem, unknownName, type Problem } from './issues.ts';
import { armTraining, pretrainingTraining } from './overrides.ts';
import { classWeightProblems, runNotes, specWarnings } from './plan-warnings.ts';
import { checkpointOf, pretrainingOf, readStart } from './starts.ts';
import { stagesOf } from './checks-training.ts';
import {
  feedingWarnings,
  fitProblems,
  writtenCheckpoints,
  writtenPretrainings,
} from './checkpoint-defaults.ts';
import { lookUpCheckpoint, listCheckpoints } from '../checkpoints/store.ts';
import { divide, withoutSmallClasses, type Sides } from './sides.ts';

/** Everything that determines the numbers of a run; its hash is the run's id. */
export type RunSpec = {
  format: number;
  kind: 'pretraining' | 'target';
  architecture: StudySpec['architecture'];
  classNames: string[];
  recipe: Recipe;
  training: Training;
  seed: number;
  shuffle: Shuffle;
  /** `checkpoint`: SHA-256 of the weights of an imported one. */
  start: 'random' | { run: string; epoch: number } | { checkpoint: string };
  data: {
    domains: string[];
    train: ItemsDigest;
    validation: ItemsDigest | null;
    test: ItemsDigest | null;
  };
};

/** Content hashes and class indices of a list of images, hashed in their order. */
export interface ItemsDigest {
  images: number;
  sha256: string;
}

export interface PlannedRun {
  id: string;
  /** `P`, or the arm. */
  arm: string;
  spec: RunSpec;
  dataset: StudyDataset;
  train: StudyImage[];
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
  warnings: string[];
}

export type Expansion =
  { study: ExpandedStudy; problems: [] } | { study: null; problems: Problem[] };

/** Lays a specification out over the data in the database, or says what does not fit. */
export function expandStudy(db: Database, spec: StudySpec): Expansion {
  const problems: Problem[] = [];
  const target = resolveTarget(db, spec, problems);
  const checkpoints = resolveCheckpoints(db, spec, problems);
  const sides = target && divide(spec, target.dataset, target.images);
  const pretraining = Object.keys(spec.pretraining).map((name) =>
    planPretraining(
      db,
      spec,
      name,
      { datasetId: target?.dataset.id, test: sides?.test ?? [] },
      problems,
    ),
  );
  if (!target || !sides || problems.length > 0) return { study: null, problems };
  if (sides.problems.length > 0) return { study: null, problems: sides.problems };
  const sources = pretraining.flatMap((each) => (each === null ? [] : [each]));
  problems.push(...classWeightProblems(spec, sides.classNames, sources));
  if (problems.length > 0) return { study: null, problems };
  const { dataset, domains } = target;
  return assemble({ spec, dataset, domains, sides, checkpoints }, sources);
}

interface Target {
  dataset: StudyDataset;
  domains: string[];
  images: StudyImage[];
}

function resolveTarget(db: Database, spec: StudySpec, problems: Problem[]): Target | null {
  const dataset = resolveSet(db, spec.data.set, ['data', 'set'], problems);
  if (!dataset) return null;
  const named = spec.data.domain === undefined ? spec.data.domains : [spec.data.domain];
  const path = ['data', spec.data.domain === undefined ? 'domains' : 'domain'];
  const before = problems.length;
  const domains = resolveDomains(dataset, named, path, problems);
  if (problems.length > before) return null;
  return { dataset, domains, images: imagesOf(db, dataset, domains) };
}

interface Source {
  name: string;
  run: PlannedRun;
  warnings: string[];
}

type Layout = Pick<TargetPlace, 'spec' | 'dataset' | 'domains' | 'sides' | 'checkpoints'>;

function assemble(layout: Layout, sources: Source[]): Expansion {
  const { spec, dataset, sides, checkpoints } = layout;
  const parents = new Map(sources.map(({ name, run }) => [name, run]));
  const targets = Object.keys(spec.arms).flatMap((arm) =>
    spec.seeds.flatMap((seed) =>
      spec.shuffles.map((shuffle) => planTarget({ ...layout, arm, seed, shuffle, parents })),
    ),
  );
  const byId = new Map<string, PlannedRun>();
  for (const run of [...sources.map((source) => source.run), ...targets]) {
    const twin = byId.get(run.id);
    if (twin && twin.spec.kind === 'target') {
      const message = `arms "${twin.arm}" and "${run.arm}" are the same runs: they start from the same weights`;
      return { study: null, problems: [problem(['arms', run.arm], message)] };
    }
    if (twin) run.keepEpochs = [...new Set([...twin.keepEpochs, ...run.keepEpochs])];
    byId.set(run.id, run);
  }
  const warnings = [
    ...sides.warnings,
    ...sources.flatMap(({ name, run, warnings: own }) => [
      ...own,
      ...leakWarnings(name, run.train, sides.test, run.dataset.id === dataset.id),
    ]),
    ...specWarnings(spec, [...checkpoints.values()]),
  ];
  return { study: { spec, dataset, runs: [...byId.values()], sides, warnings }, problems: [] };
}

function resolveSet(
  db: Database,
  set: string,
  path: string[],
  problems: Problem[],
): StudyDataset | null {
  const dataset = lookUpDataset(db, set);
  if (!dataset) {
    const names = listSummaries(db).map(({ name }) => name);
    problems.push(unknownName(path, 'data set', set, names));
  }
  return dataset;
}

/** The imported checkpoints that arms start from, by name; what is not there or does not fit is a problem. */
function resolveCheckpoints(
  db: Database,
  spec: StudySpec,
  problems: Problem[],
): Map<string, CheckpointSummary> {
  const found = new Map<string, CheckpointSummary>();
  for (const [arm, { init }] of Object.entries(spec.arms)) {
    const name = checkpointOf(readStart(init));
    if (name === null) continue;
    const path = ['arms', arm, 'init', 'checkpoint'];
    const checkpoint = lookUpCheckpoint(db, name);
    if (checkpoint === null) {
      problems.push(unknownCheckpoint(db, arm, name, Object.keys(spec.pretraining)));
      continue;
    }
    problems.push(...fitProblems(path, spec.architecture, checkpoint));
    found.set(name, checkpoint);
  }
  return found;
}

function unknownCheckpoint(
  db: Database,
  arm: string,
  name: string,
  pretrainings: readonly string[],
): Problem {
  const own = pretrainings.map((each) => `${each}@last`);
  const imported = listCheckpoints(db).map((each) => each.name);
  const path = ['arms', arm, 'init', 'checkpoint'];
  return unknownName(path, 'checkpoint', name, [...own, ...imported]);
}

/** Checkpoints that are not there, of a study as written that does not make a specification. */
export function unknownCheckpoints(db: Database, written: object): Problem[] {
  const pretrainings = writtenPretrainings(written);
  return writtenCheckpoints(written)
    .filter(({ name }) => !pretrainings.includes(name) && lookUpCheckpoint(db, name) === null)
    .map(({ arm, name }) => unknownCheckpoint(db, arm, name, pretrainings));
}

/** The named domains, or all; unknown ones are problems. */
function resolveDomains(
  dataset: StudyDataset,
  named: string[] | undefined,
  path: PropertyKey[],
  problems: Problem[],
): string[] {
  const unknown = (named ?? []).filter((domain) => !dataset.domainNames.includes(domain));
  problems.push(...unknown.map((each) => unknownName(path, 'domain', each, dataset.domainNames)));
  return dataset.domainNames.filter((domain) => named === undefined || named.includes(domain));
}

function planPretraining(
  db: Database,
  spec: StudySpec,
  name: string,
  tested: Tested,
  problems: Problem[],
): Source | null {
  const own = spec.pretraining[name]!;
  const path = ['pretraining', name, 'data'];
  const dataset = resolveSet(db, own.data.set, [...path, 'set'], problems);
  if (!dataset) return null;
  const domains = resolveDomains(dataset, own.data.domains, [...path, 'domains'], problems);
  if (domains.length < (own.data.domains?.length ?? 0)) return null;
  const warnings: string[] = [];
  const all = imagesOf(db, dataset, domains);
  const held = own.data['hold-out-test-groups'];
  const untested = held ? withoutTested(all, dataset.id, tested, name, warnings) : all;
  const train = withoutSmallClasses(untested, own.data['min-per-class'], `"${name}"`, warnings);
  const classNames = [...countByClass(train).keys()];
  if (classNames.length < 2) {
    problems.push(
      problem(path, `${classNames.length} classes are left; a classifier needs two or more`),
    );
    return null;
  }
  const runSpec = pretrainingSpec(spec, name, domains, classNames, train);
  const keepEpochs = startEpochs(spec, name);
  const rest = { validation: null, test: null, checkpoint: null, keepEpochs };
  const run = plannedRun(runSpec, { arm: 'P', dataset, train, ...rest });
  return { name, run, warnings };
}

function pretrainingSpec(
  spec: StudySpec,
  name: string,
  domains: string[],
  classNames: string[],
  train: readonly StudyImage[],
): RunSpec {
  const own = spec.pretraining[name]!;
  return {
    format: ENGINE_FORMAT,
    kind: 'pretraining',
    architecture: spec.architecture,
    classNames,
    recipe: own.recipe ?? spec.recipe,
    training: pretrainingTraining(spec, name),
    seed: own.seed,
    shuffle: 'none',
    start: 'random',
    data: { domains, train: digest(train, classNames), validation: null, test: null },
  };
}

/** Epochs of a pretraining that arms start from. */
function startEpochs(spec: StudySpec, name: string): number[] {
  const epochs = Object.values(spec.arms).flatMap(({ init }) => {
    const start = pretrainingOf(readStart(init));
    if (start?.pretraining !== name) return [];
    return [start.epoch === 'last' ? pretrainingTraining(spec, name).epochs : start.epoch];
  });
  return [...new Set(epochs)].sort((a, b) => a - b);
}

interface TargetPlace {
  spec: StudySpec;
  dataset: StudyDataset;
  domains: string[];
  sides: Sides;
  arm: string;
  seed: number;
  shuffle: Shuffle;
  /** By their names in the study. */
  parents: ReadonlyMap<string, PlannedRun>;
  checkpoints: ReadonlyMap<string, CheckpointSummary>;
}

function planTarget(place: TargetPlace): PlannedRun {
  const { spec, dataset, domains, sides, arm, seed, shuffle, checkpoints } = place;
  const { train, test, classNames } = sides;
  const validation = sides.validation.length === 0 ? null : sides.validation;
  const digests = {
    train: digest(train, classNames),
    validation: validation && digest(validation, classNames),
    test: digest(test, classNames),
  };
  const runSpec: RunSpec = {
    format: ENGINE_FORMAT,
    kind: 'target',
    architecture: spec.architecture,
    classNames,
    recipe: recipeUnder(spec.recipe, shuffle),
    training: armTraining(spec, arm),
    seed,
    shuffle,
    start: startOf(place),
    data: { domains, ...digests },
  };
  const name = checkpointOf(readStart(spec.arms[arm]!.init));
  const checkpoint = name === null ? null : checkpoints.get(name)!;
  const images = { train, validation, test };
  const notes = checkpoint ? feedingWarnings(spec, runSpec.training, checkpoint) : [];
  return plannedRun(runSpec, { arm, dataset, ...images, checkpoint, keepEpochs: [] }, notes);
}

function startOf({ spec, arm, parents, checkpoints }: TargetPlace): RunSpec['start'] {
  const start = readStart(spec.arms[arm]!.init);
  if (start === 'random') return 'random';
  if ('checkpoint' in start) return { checkpoint: checkpoints.get(start.checkpoint)!.sha256 };
  const parent = parents.get(start.pretraining)!;
  const epoch = start.epoch === 'last' ? parent.spec.training.epochs : start.epoch;
  return { run: parent.id, epoch };
}

/** As in the paper's code, a shuffled run is trained without augmentation (its `_noaug` recipes). */
export function recipeUnder(recipe: Recipe, shuffle: Shuffle): Recipe {
  return shuffle === 'none' ? recipe : { ...recipe, augment: 'none' };
}

function plannedRun(
  spec: RunSpec,
  rest: Omit<PlannedRun, 'id' | 'spec' | 'notes'>,
  notes: string[] = [],
): PlannedRun {
  return { id: runIdOf(spec), spec, ...rest, notes: [...runNotes(spec), ...notes] };
}

function digest(images: readonly StudyImage[], classNames: readonly string[]): ItemsDigest {
  const indices = new Map(classNames.map((name, index) => [name, index]));
  const lines = images.map((image) => `${image.sha256} ${indices.get(image.label)}\n`);
  return { images: images.length, sha256: sha256(lines.join('')) };
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
