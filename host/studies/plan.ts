import type { Database } from 'better-sqlite3';
import type { CheckpointSummary } from '../../contract/checkpoints.ts';
import type { Recipe, Shuffle, StudyPlan, StudySpec, Training } from '../../contract/study.ts';
import { findingsSchema } from '../../contract/findings.ts';
import { listNames } from '../datasets/read.ts';
import { imagesOf } from './data.ts';
import type { StudyDataset, StudyImage } from './data.ts';
import { leakWarnings, withoutTested, type Tested } from './leaks.ts';
import { ENGINE_FORMAT, runIdOf, sha256 } from './identity.ts';
import { problem, type Problem } from './issues.ts';
import { chooseFindings, labelled, withoutSmallClasses } from './labelling.ts';
import type { ChosenFindings, Labelled } from './labelling.ts';
import { armTraining, pretrainingTraining } from './overrides.ts';
import { classWeightProblems, findingWarnings, runNotes, specWarnings } from './plan-warnings.ts';
import { checkpointOf, pretrainingOf, readStart } from './starts.ts';
import { stagesOf } from './checks-training.ts';
import { feedingWarnings } from './checkpoint-defaults.ts';
import { resolveCheckpoints, resolveDomains, resolveSet, resolveTarget } from './resolve.ts';
import { divide, type Sides } from './sides.ts';
import { subgroupProblems } from './subgroups.ts';

/** Everything that determines the numbers of a run; its hash is the run's id. */
export type RunSpec = {
  format: number;
  kind: 'pretraining' | 'target';
  architecture: StudySpec['architecture'];
  classNames: string[];
  /** Multi-label: how the findings, which are the classes then, become targets. */
  findings?: Omit<ChosenFindings, 'names'>;
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

/** Content hashes and class indices (or targets) of a list of images, hashed in their order. */
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
  /** What was tested and seen before although it should not have been; among the warnings too. */
  leaks: string[];
  warnings: string[];
}

export type Expansion =
  { study: ExpandedStudy; problems: [] } | { study: null; problems: Problem[] };

/** Lays a specification out over the data in the database, or says what does not fit. */
export function expandStudy(db: Database, spec: StudySpec): Expansion {
  const problems: Problem[] = [];
  const target = resolveTarget(db, spec, problems);
  const checkpoints = resolveCheckpoints(db, spec, problems);
  const sides = target && divide({ db, spec, dataset: target.dataset }, target.images);
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
  problems.push(
    ...classWeightProblems(spec, sides, sources),
    ...subgroupProblems(db, spec, target.dataset, sides.test),
  );
  if (problems.length > 0) return { study: null, problems };
  const { dataset, domains } = target;
  return assemble({ spec, dataset, domains, sides, checkpoints }, sources);
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
  const seenBy = new Map(
    sources.map(({ name, run }) => [
      name,
      leakWarnings(name, run.train, sides.test, run.dataset.id === dataset.id),
    ]),
  );
  const targets = Object.keys(spec.arms).flatMap((arm) =>
    spec.seeds.flatMap((seed) =>
      spec.shuffles.map((shuffle) =>
        planTarget({ ...layout, arm, seed, shuffle, parents, seenBy }),
      ),
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
  const seen = [...seenBy.values()].flat();
  const warnings = [
    ...sides.warnings,
    ...sources.flatMap((source) => source.warnings),
    ...seen,
    ...specWarnings(spec, [...checkpoints.values()]),
    ...(sides.findings ? findingWarnings(spec, sides.classNames) : []),
  ];
  const leaks = [...sides.leaks, ...seen];
  const runs = [...byId.values()];
  return { study: { spec, dataset, runs, sides, leaks, warnings }, problems: [] };
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
  const findings = pretrainedFindings(db, spec, dataset);
  const least = own.data['min-per-class'];
  const source = withoutSmallClasses(labelled(untested, findings), least, `"${name}"`, warnings);
  const left = source.classNames.length;
  if (left < (findings ? 1 : 2)) {
    const what = findings ? 'findings are left; one is' : 'classes are left; two or more are';
    problems.push(problem(path, `${left} ${what} needed`));
    return null;
  }
  const runSpec = pretrainingSpec(spec, name, domains, source);
  const keepEpochs = startEpochs(spec, name);
  const rest = { validation: null, test: null, checkpoint: null, keepEpochs };
  const run = plannedRun(runSpec, { arm: 'P', dataset, train: source.images, ...rest });
  return { name, run, warnings };
}

/** Of the study's own data set as the study says; of another all, uncertain ones left out. */
function pretrainedFindings(
  db: Database,
  spec: StudySpec,
  dataset: StudyDataset,
): ChosenFindings | null {
  if (dataset.task === 'single-label') return null;
  const own = spec.data.set === dataset.name || spec.data.set === dataset.id;
  const written = (own ? spec.data.findings : undefined) ?? findingsSchema.parse({});
  const known = listNames(db, 'classes', dataset.id);
  return chooseFindings(written, known, ['data', 'findings']).findings;
}

function pretrainingSpec(
  spec: StudySpec,
  name: string,
  domains: string[],
  { images: train, classNames, findings }: Labelled,
): RunSpec {
  const own = spec.pretraining[name]!;
  return {
    format: ENGINE_FORMAT,
    kind: 'pretraining',
    architecture: spec.architecture,
    classNames,
    ...policiesOf(findings),
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
  /** Leaks by the names of the pretrainings that saw what is tested. */
  seenBy: ReadonlyMap<string, string[]>;
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
    ...policiesOf(sides.findings),
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
  const feeding = checkpoint ? feedingWarnings(spec, runSpec.training, checkpoint) : [];
  const source = pretrainingOf(readStart(spec.arms[arm]!.init));
  const seen = source === null ? [] : (place.seenBy.get(source.pretraining) ?? []);
  const notes = [...sides.leaks, ...seen, ...feeding];
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

function policiesOf(findings: ChosenFindings | null): Pick<RunSpec, 'findings'> {
  if (findings === null) return {};
  const { uncertain, blank } = findings;
  return { findings: { uncertain, blank } };
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
  const labelOf = ({ labels, targets }: StudyImage) =>
    targets ? targets.map((target) => target ?? '-').join() : indices.get(labels[0]!);
  const lines = images.map((image) => `${image.sha256} ${labelOf(image)}\n`);
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
