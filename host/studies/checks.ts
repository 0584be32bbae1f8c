import { legalBlockSizes } from '../../engine/transforms/shuffle.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { splitKindOf, type StudySpec } from '../../contract/study.ts';
import { entryName } from '../../contract/study-analyses.ts';
import { analysisArms } from './analysis-arms.ts';
import { checkSources } from './checks-sources.ts';
import { checkArms, checkKeptStages } from './checks-starts.ts';
import { checkOverrides, checkTrainings, stagesOf } from './checks-training.ts';
import { problem, type Problem } from './issues.ts';
import type { WrittenStudy } from './parse.ts';
import { checkpointOf, pretrainingOf, readStart } from './starts.ts';

/** 1234 is added to the seed of a shuffle, within 32 bits. */
const HIGHEST_SHUFFLE_SEED = 0xffffffff - 1234;

type Path = readonly PropertyKey[];

/** What the schema cannot say: names that must exist, numbers that must fit each other. */
export function checkSpec(spec: StudySpec, written: WrittenStudy): Problem[] {
  const overrides = checkOverrides(spec);
  const architecture = checkArchitecture(spec);
  const sound = overrides.length === 0 && architecture.length === 0;
  const problems = [
    ...overrides,
    ...architecture,
    ...checkData(spec, written),
    ...(overrides.length === 0 ? checkArms(spec) : []),
    ...(sound ? [...checkKeptStages(spec), ...checkSources(spec)] : []),
    ...checkPretraining(spec),
    ...repeated(spec.seeds, ['seeds'], 'seed'),
    ...repeated(spec.shuffles, ['shuffles'], 'shuffle'),
    ...repeated(spec.analyses.map(entryName), ['analyses'], 'analysis'),
    ...checkShuffles(spec),
    ...checkShuffleSeeds(spec),
    ...(sound ? checkTrainings(spec, written) : []),
    ...checkRecipe(spec.recipe, ['recipe']),
  ];
  if (problems.length > 0) return problems;
  return analysisArms(spec).problems;
}

/** What keeps the network from being built. */
function checkArchitecture({ architecture }: StudySpec): Problem[] {
  try {
    stagesOf(architecture);
    return [];
  } catch (error) {
    if (!(error instanceof CarryoverError)) throw error;
    const { value, wayOut } = error.detail;
    const key = (['stem', 'dialect'] as const).find((each) => architecture[each] === value);
    const message = wayOut === undefined ? error.message : `${error.message}: ${wayOut}`;
    return [problem(['architecture', key ?? 'image'], message)];
  }
}

function checkData({ data }: StudySpec, written: WrittenStudy): Problem[] {
  const problems = checkSplit(data.split, written);
  const { train, test } = data.split;
  if (splitKindOf(data.split) !== 'given' && train + test > 1 + 1e-9) {
    const sum = Number((train + test).toFixed(6));
    problems.push(problem(['data', 'split'], `train + test is ${sum}; at most 1 is possible`));
  }
  if (data.domain !== undefined && data.domains !== undefined) {
    problems.push(problem(['data', 'domains'], 'give either domain or domains, not both'));
  }
  return [
    ...problems,
    ...repeated(data.domains ?? [], ['data', 'domains'], 'domain'),
    ...repeated(data.subgroups, ['data', 'subgroups'], 'attribute'),
  ];
}

function checkSplit(split: StudySpec['data']['split'], { data }: WrittenStudy): Problem[] {
  const { kind, column } = split;
  const problems: Problem[] = [];
  const at = (key: string, message: string) =>
    problems.push(problem(['data', 'split', key], message));
  const says = (key: string) => data?.split?.[key] !== undefined;
  if (kind !== undefined && says('grouped')) {
    at('grouped', `the kind ${kind} says whether groups are kept; leave this out`);
  }
  if (kind === 'temporal' && column === undefined) {
    problems.push(
      problem(
        ['data', 'split', 'kind'],
        'a temporal split needs the attribute with the time: column',
      ),
    );
  }
  if (kind !== 'temporal' && column !== undefined) at('column', 'only for kind: temporal');
  const shares = kind === 'given' ? ['train', 'test'] : [];
  for (const share of shares.filter(says)) {
    at(share, 'the kind given takes the sides as the source has them; leave this out');
  }
  return problems;
}

/** Pretrainings that no arm names; none as long as an arm names one that does not exist. */
function unusedPretrainings({ arms, pretraining }: StudySpec): string[] {
  const starts = Object.values(arms).map(({ init }) => readStart(init));
  const used = [
    ...starts.flatMap((start) => pretrainingOf(start)?.pretraining ?? []),
    ...Object.values(arms).flatMap(({ source }) => source?.images ?? []),
  ];
  if (used.some((name) => !Object.hasOwn(pretraining, name))) return [];
  // An epoch that was forgotten is said where the arm is.
  used.push(...starts.flatMap((start) => checkpointOf(start) ?? []));
  return Object.keys(pretraining).filter((name) => !used.includes(name));
}

function checkPretraining(spec: StudySpec): Problem[] {
  const unused = unusedPretrainings(spec);
  return Object.entries(spec.pretraining).flatMap(([name, each]) => {
    const path = ['pretraining', name];
    const problems: Problem[] = [
      ...repeated(each.data.domains ?? [], [...path, 'data', 'domains'], 'domain'),
      ...(each.recipe ? checkRecipe(each.recipe, [...path, 'recipe']) : []),
    ];
    if (each.task !== 'supervised' && each.labels === 'random') {
      problems.push(problem([...path, 'labels'], `the task ${each.task} uses no labels`));
    }
    if (unused.includes(name)) {
      problems.push(problem(path, 'no arm starts from this pretraining'));
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
