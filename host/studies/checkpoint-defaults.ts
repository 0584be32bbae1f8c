/** What a study takes from the imported checkpoint that it starts from, and where it departs from it. */
import type { ArchitectureSpec } from '../../contract/architecture.ts';
import type { CheckpointSummary } from '../../contract/checkpoints.ts';
import type { StudySpec, Training } from '../../contract/study.ts';
import { problem, type Problem } from './issues.ts';
import type { FindCheckpoint } from './parse.ts';
import { checkpointOf, readStart } from './starts.ts';

type Mapping = Record<string, unknown>;

/**
 * A study as written, with what it leaves out of `architecture` and `recipe` taken from the first
 * imported checkpoint among its arms: for all arms alike, so that they differ in their start only.
 */
export function withCheckpointDefaults(written: object, findCheckpoint: FindCheckpoint): Mapping {
  const study = written as Mapping;
  const checkpoint = firstCheckpoint(study, findCheckpoint);
  if (checkpoint === null) return study;
  const architecture = mappingOf(study['architecture']);
  const recipe = mappingOf(study['recipe'] ?? {});
  return {
    ...study,
    ...(architecture && { architecture: filledArchitecture(architecture, checkpoint) }),
    ...(recipe && { recipe: { ...preprocessingOf(checkpoint), ...recipe } }),
  };
}

function firstCheckpoint(study: Mapping, find: FindCheckpoint): CheckpointSummary | null {
  for (const { name } of writtenCheckpoints(study)) {
    const found = find(name);
    if (found) return found;
  }
  return null;
}

/** The imported checkpoints that arms of a study as written start from, in the order of the arms. */
export function writtenCheckpoints(written: object): { arm: string; name: string }[] {
  return Object.entries(mappingOf((written as Mapping)['arms']) ?? {}).flatMap(([arm, each]) => {
    const checkpoint = mappingOf(mappingOf(each)?.['init'])?.['checkpoint'];
    const name = typeof checkpoint === 'string' ? checkpointOf(readStart({ checkpoint })) : null;
    return name === null ? [] : [{ arm, name }];
  });
}

/** Names of the pretrainings of a study as written. */
export function writtenPretrainings(written: object): string[] {
  return Object.keys(mappingOf((written as Mapping)['pretraining']) ?? {});
}

function filledArchitecture(written: Mapping, { architecture, preprocessing }: CheckpointSummary) {
  if (written['name'] !== undefined && written['name'] !== architecture.name) return written;
  return { ...architecture, image: preprocessing.size ?? architecture.image, ...written };
}

function preprocessingOf({ preprocessing }: CheckpointSummary): Mapping {
  const { mean, std, interpolation } = preprocessing;
  return {
    ...(mean && { mean }),
    ...(std && { std }),
    ...(interpolation && { interpolation }),
  };
}

function mappingOf(value: unknown): Mapping | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Mapping)
    : null;
}

/** Where the images that a study feeds differ from those that a checkpoint was trained on. */
export function feedingWarnings(
  spec: StudySpec,
  training: Training,
  checkpoint: CheckpointSummary,
): string[] {
  const { name, preprocessing } = checkpoint;
  const { recipe, architecture } = spec;
  const warnings: string[] = [];
  const compare = (what: string, own: unknown, theirs: unknown): void => {
    if (theirs === null || JSON.stringify(own) === JSON.stringify(theirs)) return;
    const [here, there] = [own, theirs].map((value) => String(value).replaceAll(',', ', '));
    warnings.push(`${what} is ${here}, but checkpoint "${name}" was trained with ${there}`);
  };
  compare('the image size', architecture.image, preprocessing.size);
  compare('the mean of the recipe', recipe.mean, preprocessing.mean);
  compare('the std of the recipe', recipe.std, preprocessing.std);
  compare('the interpolation of the recipe', recipe.interpolation, preprocessing.interpolation);
  const smallest = Math.min(...training['image-sizes'].map(({ image }) => image));
  if (preprocessing.size !== null && smallest < preprocessing.size) {
    warnings.push(
      `progressive resizing begins at ${smallest} px, below the ${preprocessing.size} px that checkpoint "${name}" was trained at: what it knows of fine detail may be lost`,
    );
  }
  if (architecture.channels !== checkpoint.architecture.channels) {
    warnings.push(channelNote(checkpoint, architecture.channels));
  }
  return warnings;
}

function channelNote({ name, architecture }: CheckpointSummary, channels: 1 | 3): string {
  const how =
    channels === 1
      ? 'the filters of its first layer are summed over red, green and blue'
      : 'a third of the filters of its first layer is given to each of red, green and blue';
  return `checkpoint "${name}" has ${architecture.channels} input channels, this network ${channels}: ${how}`;
}

/** What keeps a checkpoint from being the start of a network; image size and channels do not. */
export function fitProblems(
  path: readonly PropertyKey[],
  own: ArchitectureSpec,
  { name, architecture }: CheckpointSummary,
): Problem[] {
  const keys = ['name', 'width', 'stem', 'dialect'] as const;
  const differing = keys.filter((key) => own[key] !== architecture[key]);
  if (differing.length === 0) return [];
  const list = differing.map((key) => `${key} ${architecture[key]}, not ${own[key]}`).join('; ');
  return [problem(path, `checkpoint "${name}" does not fit the architecture: it has ${list}`)];
}
