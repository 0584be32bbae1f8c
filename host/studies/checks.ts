import { legalBlockSizes } from '../../engine/transforms/shuffle.ts';
import type { StudySpec, Training } from '../../contract/study.ts';
import { problem, unknownName, type Problem } from './issues.ts';
import type { WrittenStudy } from './parse.ts';

/** 1234 is added to the seed of a shuffle, within 32 bits. */
const HIGHEST_SHUFFLE_SEED = 0xffffffff - 1234;

type Path = readonly PropertyKey[];

/** What the schema cannot say: names that must exist, numbers that must fit each other. */
export function checkSpec(spec: StudySpec, written: WrittenStudy): Problem[] {
  return [
    ...checkData(spec),
    ...checkArms(spec),
    ...checkPretraining(spec, written),
    ...repeated(spec.seeds, ['seeds'], 'seed'),
    ...repeated(spec.shuffles, ['shuffles'], 'shuffle'),
    ...repeated(spec.analyses, ['analyses'], 'analysis'),
    ...checkShuffles(spec),
    ...checkShuffleSeeds(spec),
    ...checkRate(spec.training, written.training.lr, ['training', 'lr']),
    ...checkRecipe(spec.recipe, ['recipe']),
    ...checkAnalyses(spec),
  ];
}

function checkData({ data }: StudySpec): Problem[] {
  const problems: Problem[] = [];
  const { train, test } = data.split;
  if (train + test > 1 + 1e-9) {
    const sum = Number((train + test).toFixed(6));
    problems.push(problem(['data', 'split'], `train + test is ${sum}; at most 1 is possible`));
  }
  if (data.domain !== undefined && data.domains !== undefined) {
    problems.push(problem(['data', 'domains'], 'give either domain or domains, not both'));
  }
  return [...problems, ...repeated(data.domains ?? [], ['data', 'domains'], 'domain')];
}

/** A start: `random`, or which pretraining after how many epochs. */
export type Start = 'random' | { pretraining: string; epoch: number | 'last' };

/** Reads `NAME@last` or `NAME@EPOCH`; the name may itself hold an @. */
export function readStart(init: StudySpec['arms'][string]['init']): Start {
  if (init === 'random') return 'random';
  const at = init.checkpoint.lastIndexOf('@');
  const epoch = init.checkpoint.slice(at + 1);
  return {
    pretraining: init.checkpoint.slice(0, at),
    epoch: epoch === 'last' ? 'last' : Number(epoch),
  };
}

/** The training of a pretraining: the study's, overridden key by key. */
export function pretrainingTraining(spec: StudySpec, name: string): Training {
  const own = spec.pretraining[name];
  const given = own?.epochs === undefined ? {} : { epochs: own.epochs };
  return { ...spec.training, ...own?.training, ...given } as Training;
}

function checkArms(spec: StudySpec): Problem[] {
  const seen = new Map<string, string>();
  return Object.entries(spec.arms).flatMap(([arm, { init }]) => {
    const start = readStart(init);
    const path = start === 'random' ? ['arms', arm, 'init'] : ['arms', arm, 'init', 'checkpoint'];
    const problems = start === 'random' ? [] : checkCheckpoint(spec, start, path);
    const key = startKey(spec, start);
    const twin = seen.get(key);
    seen.set(key, arm);
    if (twin !== undefined) problems.push(problem(path, `the same start as arm "${twin}"`));
    return problems;
  });
}

function startKey(spec: StudySpec, start: Start): string {
  if (start === 'random') return 'random';
  const last = pretrainingTraining(spec, start.pretraining).epochs;
  return `${start.pretraining}@${start.epoch === 'last' ? last : start.epoch}`;
}

function checkCheckpoint(spec: StudySpec, start: Exclude<Start, 'random'>, path: Path): Problem[] {
  const { pretraining, epoch } = start;
  if (!Object.hasOwn(spec.pretraining, pretraining)) {
    return [unknownName(path, 'pretraining', pretraining, Object.keys(spec.pretraining))];
  }
  const { epochs } = pretrainingTraining(spec, pretraining);
  if (epoch === 'last' || epoch <= epochs) return [];
  return [problem(path, `"${pretraining}" has ${epochs} epochs; there is no epoch ${epoch}`)];
}

/** Pretrainings that no arm names; none as long as an arm names one that does not exist. */
function unusedPretrainings({ arms, pretraining }: StudySpec): string[] {
  const used = Object.values(arms).flatMap(({ init }) => {
    const start = readStart(init);
    return start === 'random' ? [] : [start.pretraining];
  });
  if (used.some((name) => !Object.hasOwn(pretraining, name))) return [];
  return Object.keys(pretraining).filter((name) => !used.includes(name));
}

function checkPretraining(spec: StudySpec, written: WrittenStudy): Problem[] {
  const unused = unusedPretrainings(spec);
  return Object.entries(spec.pretraining).flatMap(([name, each]) => {
    const path = ['pretraining', name];
    const own = written.pretraining?.[name];
    const problems: Problem[] = [
      ...repeated(each.data.domains ?? [], [...path, 'data', 'domains'], 'domain'),
      ...(each.recipe ? checkRecipe(each.recipe, [...path, 'recipe']) : []),
    ];
    if (unused.includes(name)) {
      problems.push(problem(path, 'no arm starts from this pretraining'));
    }
    if (own?.epochs !== undefined && own.training?.['epochs'] !== undefined) {
      problems.push(problem([...path, 'epochs'], 'epochs is also given under training'));
    }
    const rate = own?.training?.lr;
    if (rate) {
      const training = pretrainingTraining(spec, name);
      problems.push(...checkRate(training, rate, [...path, 'training', 'lr']));
    }
    return problems;
  });
}

function repeated(values: readonly (string | number)[], path: Path, what: string): Problem[] {
  return values.flatMap((value, index) =>
    values.indexOf(value) === index
      ? []
      : [problem([...path, index], `${what} ${value} is here twice`)],
  );
}

function checkShuffles({ shuffles, architecture }: StudySpec): Problem[] {
  const legal = legalBlockSizes(architecture.image);
  return shuffles.flatMap((shuffle, index) => {
    if (typeof shuffle === 'string' || legal.includes(shuffle)) return [];
    const message = `blocks of ${shuffle} do not divide ${architecture.image} pixels; legal: ${legal.join(', ')}`;
    return [problem(['shuffles', index], message)];
  });
}

function checkShuffleSeeds({ seeds, shuffles }: StudySpec): Problem[] {
  if (shuffles.every((shuffle) => shuffle === 'none')) return [];
  return seeds.flatMap((seed, index) =>
    seed <= HIGHEST_SHUFFLE_SEED
      ? []
      : [
          problem(
            ['seeds', index],
            `must be at most ${HIGHEST_SHUFFLE_SEED} where images are shuffled`,
          ),
        ],
  );
}

/** Keys of a schedule that another schedule needs, and those it has no use for. */
function checkRate(training: Training, written: Record<string, unknown>, path: Path): Problem[] {
  const { schedule, milestones, 'warmup-epochs': warmup } = training.lr;
  const problems: Problem[] = [];
  const useless = (key: string, where: string) => {
    if (!Object.hasOwn(written, key)) return;
    problems.push(problem([...path, key], `${key} applies to ${where} only, not to ${schedule}`));
  };
  if (schedule === 'multistep') {
    problems.push(...checkMilestones(milestones, training.epochs, path));
  } else {
    useless('milestones', 'multistep');
    useless('gamma', 'multistep');
  }
  if (schedule === 'one-cycle') useless('warmup-epochs', 'constant, multistep and cosine');
  else if (warmup > training.epochs) {
    const message = `the warm-up is longer than the ${training.epochs} epochs`;
    problems.push(problem([...path, 'warmup-epochs'], message));
  }
  return problems;
}

function checkMilestones(milestones: number[] | undefined, epochs: number, path: Path): Problem[] {
  if (milestones === undefined || milestones.length === 0) {
    return [problem([...path, 'milestones'], 'is missing (multistep needs a list of epochs)')];
  }
  return milestones.flatMap((milestone, index) => {
    const before = milestones[index - 1] ?? 0;
    const where = [...path, 'milestones', index];
    if (milestone <= before)
      return [problem(where, `milestones must rise: ${milestone} after ${before}`)];
    if (milestone < epochs) return [];
    return [problem(where, `never reached: training has ${epochs} epochs`)];
  });
}

function checkRecipe(recipe: StudySpec['recipe'], path: Path): Problem[] {
  const problems: Problem[] = [];
  recipe.std.forEach((value, index) => {
    if (value <= 0) problems.push(problem([...path, 'std', index], 'must be more than 0'));
  });
  const crop = recipe.augment === 'none' ? undefined : recipe.augment['random-resized-crop'];
  for (const key of ['scale', 'ratio'] as const) {
    const [low, high] = crop?.[key] ?? [0, 0];
    if (low > high) {
      const where = [...path, 'augment', 'random-resized-crop', key];
      problems.push(problem(where, `the first number must not exceed the second`));
    }
  }
  return problems;
}

function checkAnalyses({ analyses, seeds, shuffles }: StudySpec): Problem[] {
  const index = analyses.indexOf('barrier');
  if (index < 0) return [];
  const needs = (what: string) => [problem(['analyses', index], `barrier needs ${what}`)];
  if (seeds.length < 2) return needs('two seeds: the line runs between two runs of an arm');
  return shuffles.includes('none') ? [] : needs('the shuffle none: other seeds shuffle otherwise');
}
