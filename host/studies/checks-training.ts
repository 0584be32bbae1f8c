/** What the schema cannot say about a study's trainings. */
import { buildModel } from '../../engine/models/registry.ts';
import type { ArchitectureSpec } from '../../contract/architecture.ts';
import type { StudySpec, Training, TrainingOverride } from '../../contract/study.ts';
import { studySchema } from '../../contract/study.ts';
import { problem, schemaProblems, unknownName, type Problem } from './issues.ts';
import { armTraining, inheritedByPretraining, merged, pretrainingTraining } from './overrides.ts';
import type { WrittenStudy } from './parse.ts';

type Path = readonly PropertyKey[];

/** Parts of a network that are frozen or slowed down as one, from the images to the head. */
export function stagesOf(architecture: ArchitectureSpec): readonly string[] {
  return buildModel({ architecture, classes: 2, batch: 1 }).stages;
}

/** Overrides that do not make a training together with what they override. */
export function checkOverrides(spec: StudySpec): Problem[] {
  const arms = Object.entries(spec.arms).flatMap(([name, { training }]) =>
    checkMerged(spec, spec.training, training, ['arms', name, 'training']),
  );
  const inherited = inheritedByPretraining(spec.training);
  const pretrainings = Object.entries(spec.pretraining).flatMap(([name, { training }]) =>
    checkMerged(spec, inherited, training, ['pretraining', name, 'training']),
  );
  return [...arms, ...pretrainings];
}

function checkMerged(
  spec: StudySpec,
  base: Record<string, unknown>,
  override: TrainingOverride | undefined,
  path: Path,
): Problem[] {
  if (override === undefined) return [];
  const whole = { ...spec, training: merged(base, override) };
  const parsed = studySchema.safeParse(whole);
  if (parsed.success) return [];
  return schemaProblems(parsed.error, whole)
    .filter((each) => each.path[0] === 'training')
    .map((each) => ({ ...each, path: [...path, ...each.path.slice(1)] }));
}

/** All trainings of the study, once every override makes one. */
export function checkTrainings(spec: StudySpec, written: WrittenStudy): Problem[] {
  const { training } = spec;
  return [
    ...checkRate(training, written.training.lr, ['training', 'lr']),
    ...checkTarget(spec, training, ['training']),
    ...Object.keys(spec.arms).flatMap((name) => checkArm(spec, name)),
    ...Object.entries(written.pretraining ?? {}).flatMap(([name, own]) =>
      checkPretraining(spec, name, own),
    ),
  ];
}

function checkArm(spec: StudySpec, name: string): Problem[] {
  const override = spec.arms[name]?.training;
  if (override === undefined) return [];
  const path = ['arms', name, 'training'];
  const training = armTraining(spec, name);
  const rate = override.lr ? checkRate(training, override.lr, [...path, 'lr']) : [];
  const own = checkTarget(spec, training, path);
  const known = new Set(checkTarget(spec, spec.training, path).map(({ message }) => message));
  return [...rate, ...own.filter(({ message }) => !known.has(message))];
}

function checkPretraining(
  spec: StudySpec,
  name: string,
  own: NonNullable<WrittenStudy['pretraining']>[string],
): Problem[] {
  const path = ['pretraining', name, 'training'];
  const problems: Problem[] = [];
  const refuse = (key: string, why: string): void => {
    if (own.training?.[key] !== undefined) problems.push(problem([...path, key], why));
  };
  refuse('fine-tuning', 'fine-tuning is for the arms: a pretraining starts at random');
  refuse('early-stopping', 'a pretraining has no validation images to stop by');
  if (own.epochs !== undefined && own.training?.['epochs'] !== undefined) {
    problems.push(problem(['pretraining', name, 'epochs'], 'epochs is also given under training'));
  }
  const training = pretrainingTraining(spec, name);
  if (own.training?.lr) problems.push(...checkRate(training, own.training.lr, [...path, 'lr']));
  return [...problems, ...checkImageSizes(spec, training, path)];
}

/** What only trainings of the target can have. */
function checkTarget(spec: StudySpec, training: Training, path: Path): Problem[] {
  const problems = [
    ...checkFineTuning(spec, training, [...path, 'fine-tuning']),
    ...checkImageSizes(spec, training, path),
  ];
  const { kind, validation } = spec.data.split;
  if (training['early-stopping'] && validation === 0 && kind !== 'given') {
    const message =
      'early stopping needs validation images: set data.split.validation, such as 0.15';
    problems.push(problem([...path, 'early-stopping'], message));
  }
  return problems;
}

function checkFineTuning(spec: StudySpec, training: Training, path: Path): Problem[] {
  const last = training['fine-tuning']['freeze-to'];
  if (last === undefined) return [];
  const stages = stagesOf(spec.architecture);
  const body = stages.slice(0, -1);
  if (last === stages.at(-1)) {
    const message = `nothing is left to train: freeze to one of ${body.join(', ')}`;
    return [problem([...path, 'freeze-to'], message)];
  }
  if (body.includes(last)) return [];
  return [unknownName([...path, 'freeze-to'], `stage of ${spec.architecture.name}`, last, body)];
}

function checkImageSizes(spec: StudySpec, training: Training, path: Path): Problem[] {
  const sizes = training['image-sizes'];
  const last = sizes.at(-1);
  if (last === undefined) return [];
  const at = (index: number, key: string): Path => [...path, 'image-sizes', index, key];
  const problems = sizes.flatMap(({ from }, index) => {
    const before = sizes[index - 1]?.from;
    if (before === undefined) {
      return from === 1 ? [] : [problem(at(0, 'from'), 'the first size is from epoch 1 on')];
    }
    if (from <= before) {
      return [problem(at(index, 'from'), `epochs must rise: ${from} after ${before}`)];
    }
    if (from <= training.epochs) return [];
    return [problem(at(index, 'from'), `never reached: training has ${training.epochs} epochs`)];
  });
  const { image } = spec.architecture;
  if (last.image !== image) {
    const message = `the last size must be that of the architecture, ${image}: what is tested is what was trained`;
    problems.push(problem(at(sizes.length - 1, 'image'), message));
  }
  if (spec.shuffles.some((shuffle) => shuffle !== 'none') && sizes.length > 1) {
    const message =
      'sizes that change do not go with shuffles: a block would be another part of the picture';
    problems.push(problem([...path, 'image-sizes'], message));
  }
  return problems;
}

/** Keys of a schedule that another schedule needs, and those it has no use for. */
function checkRate(training: Training, written: object, path: Path): Problem[] {
  const { schedule, milestones, 'warmup-epochs': warmup } = training.lr;
  const problems: Problem[] = [];
  const useless = (key: string, where: string): void => {
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
