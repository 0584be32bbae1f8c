/** What people should know of a study before it runs, and of a run afterwards. */
import type { CheckpointSummary } from '../../contract/checkpoints.ts';
import type { SourceWay } from '../../contract/source.ts';
import { rateFactor, type Redrawn, type StudySpec, type Training } from '../../contract/study.ts';
import { asksFor } from '../../contract/study-analyses.ts';
import { shufflePermutation } from '../../engine/transforms/shuffle.ts';
import { feedingWarnings } from './checkpoint-defaults.ts';
import { problem, unknownName, type Problem } from './issues.ts';
import { armTraining, differingKeys, pretrainingTraining } from './overrides.ts';
import type { RunSpec } from './plan.ts';
import type { Sides } from './sides.ts';
import { lowDataWarnings } from './side-warnings.ts';
import { checkpointOf, readStart } from './starts.ts';
import { drawFew } from './training-images.ts';

const STOPPED_SPEED =
  'optimisation speed is the mean over the epochs until the run was stopped: runs may differ in them';

const FINDING_SPEED =
  'accuracy is the share of known findings that are right at probability 1/2; optimisation speed is the mean of it';

const REDRAWN_START: Record<Redrawn, string> = {
  permuted:
    'starts from the pretrained values in random order within each tensor; running statistics as they were',
  gaussian:
    'starts from Gaussian draws with the mean and covariance of the pretrained filters (other tensors: mean and variance); running statistics as they were',
  rescaled:
    'starts at random, every tensor at the standard deviation that it has in the pretrained weights; running statistics as they were',
};

/** What to know of a study of findings. */
export function findingWarnings(spec: StudySpec, names: readonly string[]): string[] {
  if (names.length < 2 || !asksFor(spec, 'agreement')) return [FINDING_SPEED];
  const alone = `agreement is left out: it is not defined over ${names.length} findings at once; name a single finding (data.findings.names) for it`;
  return [FINDING_SPEED, alone];
}

/** What is unusual about a run. */
export function runNotes({ training, shuffle, findings, start, source }: RunSpec): string[] {
  const notes: string[] = findings ? [FINDING_SPEED] : [];
  if (source) notes.push(learnsFrom(source));
  if (start !== 'random' && start.weights) notes.push(REDRAWN_START[start.weights]);
  const every = training['evaluate-every'];
  if (every !== 1) {
    notes.push(`optimisation speed is the mean over every ${every}th epoch and the last only`);
  }
  if (shuffle !== 'none') notes.push('trained without augmentation, because it is shuffled');
  if (training['early-stopping']) notes.push(STOPPED_SPEED);
  return notes;
}

const LEARNS: Record<SourceWay, string> = {
  joint: 'beside its training images, all alike',
  'importance-weights':
    'beside its training images, weighted by how much they look like those by a classifier of domains',
  kliep: 'beside its training images, weighted by how much they look like those by KLIEP',
  tradaboost: 'beside its training images, weighted by TrAdaBoost',
  'source-only': 'and from no label of the target',
  'pseudo-labels':
    'and from no label of the target, but from its training images whose label a first head is sure of',
  coral:
    'and from no label of the target; its head is learnt anew at the end, on features aligned to the target’s (CORAL)',
  adabn:
    'and from no label of the target; the statistics of BatchNorm are those of its training images at the end (AdaBN)',
};

function learnsFrom({ way, images }: NonNullable<RunSpec['source']>): string {
  return `learns from ${images.toLocaleString('en')} source images ${LEARNS[way]}`;
}

/** What is unusual about a study, whatever its data. */
export function specWarnings(spec: StudySpec, checkpoints: readonly CheckpointSummary[]): string[] {
  const every = spec.training['evaluate-every'];
  return [
    ...shuffleWarnings(spec),
    ...(every === 1 ? [] : [`accuracies are taken every ${every} epochs and after the last`]),
    ...(spec.training['early-stopping'] ? [STOPPED_SPEED] : []),
    ...Object.keys(spec.arms).flatMap((arm) => armWarnings(spec, arm)),
    ...checkpoints.flatMap((each) => startWarnings(spec, each)),
  ];
}

/** Of a checkpoint, by the trainings of the arms that start from it. */
function startWarnings(spec: StudySpec, checkpoint: CheckpointSummary): string[] {
  const warnings = Object.entries(spec.arms)
    .filter(([, { init }]) => checkpointOf(readStart(init)) === checkpoint.name)
    .flatMap(([arm]) => feedingWarnings(spec, armTraining(spec, arm), checkpoint));
  return [...new Set(warnings)];
}

function shuffleWarnings(spec: StudySpec): string[] {
  const warnings: string[] = [];
  const shuffled = spec.shuffles.filter((shuffle) => shuffle !== 'none');
  if (shuffled.length > 0 && spec.recipe.augment !== 'none') {
    const across = spec.shuffles.includes('none')
      ? '; compare arms within a shuffle, not across'
      : '';
    warnings.push(`shuffled runs are trained without augmentation, as in the paper${across}`);
  }
  for (const shuffle of shuffled) {
    const { image, channels } = spec.architecture;
    const seeds = spec.seeds.filter(
      (seed) => shufflePermutation(shuffle, image, channels, seed)?.identity,
    );
    if (seeds.length === 0) continue;
    const which = `seed${seeds.length > 1 ? 's' : ''} ${seeds.join(', ')}`;
    warnings.push(`shuffle ${shuffle} with ${which} leaves every block in its place: no shuffle`);
  }
  return warnings;
}

function armWarnings(spec: StudySpec, arm: string): string[] {
  const warnings: string[] = [];
  const keys = differingKeys(spec, arm);
  if (keys.length > 0) {
    warnings.push(
      `arm "${arm}" is trained otherwise (${keys.join(', ')}): arms differ in more than their start`,
    );
  }
  if (spec.arms[arm]?.init === 'random' && isFineTuned(armTraining(spec, arm))) {
    warnings.push(
      `fine-tuning applies to arm "${arm}", which starts at random: what is frozen or slowed down there has learnt nothing`,
    );
  }
  return warnings;
}

/** Of arms that learn from other images than the study says. */
export function armDataWarnings(spec: StudySpec, { allTrain, classNames }: Sides): string[] {
  return Object.entries(spec.arms).flatMap(([arm, { 'per-class': most, source }]) => {
    const learnt = source
      ? [
          `arm "${arm}" learns from images of "${source.images}" (${source.way}): arms differ in more than their start`,
        ]
      : [];
    if (most === undefined) return learnt;
    const few = lowDataWarnings(most, drawFew(most, spec, allTrain), classNames);
    return [
      ...learnt,
      `arm "${arm}" learns from at most ${most} images of each class: arms differ in more than their start`,
      ...few.map((each) => `arm "${arm}": ${each}`),
    ];
  });
}

function isFineTuned({ 'fine-tuning': tuning }: Training): boolean {
  return (
    tuning['freeze-to'] !== undefined ||
    tuning['unfreeze-every'] !== undefined ||
    rateFactor(tuning) !== 1
  );
}

/** Weights of classes that the images do not have, or where there are findings and no classes. */
export function classWeightProblems(
  spec: StudySpec,
  { classNames, findings }: Pick<Sides, 'classNames' | 'findings'>,
  sources: readonly { name: string; run: { spec: RunSpec } }[],
): Problem[] {
  const of = (
    training: Training,
    path: string[],
    names: readonly string[],
    multiLabel = findings !== null,
  ): Problem[] => {
    const { 'class-weights': weights } = training.loss;
    if (multiLabel && weights !== 'none') {
      const message = 'class weights are for images of one class each; these have findings';
      return [problem([...path, 'loss', 'class-weights'], message)];
    }
    if (typeof weights === 'string') return [];
    return Object.keys(weights)
      .filter((each) => !names.includes(each))
      .map((each) => unknownName([...path, 'loss', 'class-weights', each], 'class', each, names));
  };
  const arms = Object.keys(spec.arms).filter(
    (arm) => spec.arms[arm]?.training?.loss?.['class-weights'] !== undefined,
  );
  return [
    ...of(spec.training, ['training'], classNames),
    ...arms.flatMap((arm) => of(armTraining(spec, arm), ['arms', arm, 'training'], classNames)),
    ...sources.flatMap(({ name, run }) =>
      of(
        pretrainingTraining(spec, name),
        ['pretraining', name, 'training'],
        run.spec.classNames,
        run.spec.findings !== undefined,
      ),
    ),
  ];
}
