import { CarryoverError } from '../../contract/errors.ts';
import type { ArchitectureSpec } from '../../contract/architecture.ts';
import type { Training } from '../../contract/study.ts';

/** What is trained, and on what, during some epochs. */
export interface Phase {
  /** Side of the training images in pixels. */
  image: number;
  /** Stages that keep their weights. */
  frozen: ReadonlySet<string>;
}

type FineTuning = Pick<Training, 'fine-tuning'>;

/**
 * Stages that train in an epoch (1-based). Stages up to `freeze-to` do not; with `unfreeze-every`
 * they (all but the head, when `freeze-to` is not given) join one by one from the head downwards.
 * @param stages the architecture's, from the stem to the head
 * @throws CarryoverError `bad-input` when `freeze-to` is not a stage below the head
 */
export function trainableStages(
  training: FineTuning,
  stages: readonly string[],
  epoch: number,
): ReadonlySet<string> {
  const { 'unfreeze-every': every } = training['fine-tuning'];
  const joined = every === undefined ? 0 : Math.floor((Math.max(1, epoch) - 1) / every);
  return new Set(stages.slice(Math.max(0, frozenAtFirst(training, stages) - joined)));
}

/** How many of the first stages are frozen in epoch 1. */
function frozenAtFirst(training: FineTuning, stages: readonly string[]): number {
  const { 'freeze-to': last, 'unfreeze-every': every } = training['fine-tuning'];
  if (last === undefined) return every === undefined ? 0 : stages.length - 1;
  const legal = stages.slice(0, -1);
  if (legal.includes(last)) return legal.indexOf(last) + 1;
  throw new CarryoverError('bad-input', `fine-tuning.freeze-to: "${last}" cannot be frozen`, {
    value: last,
    wayOut: `stages of this architecture below its head: ${legal.join(', ')}`,
  });
}

/** The first epoch (1-based) in which a stage trains; Infinity when it never does. */
export function trainedSince(
  training: FineTuning,
  stages: readonly string[],
  stage: string,
): number {
  const waits = frozenAtFirst(training, stages) - stages.indexOf(stage);
  if (waits <= 0) return 1;
  return waits * (training['fine-tuning']['unfreeze-every'] ?? Infinity) + 1;
}

/** Image side and frozen stages of an epoch (1-based). */
export function phaseAt(
  training: FineTuning & Pick<Training, 'image-sizes'>,
  architecture: Pick<ArchitectureSpec, 'image'>,
  stages: readonly string[],
  epoch: number,
): Phase {
  const trainable = trainableStages(training, stages, epoch);
  const begun = training['image-sizes'].filter(({ from }) => from <= Math.max(1, epoch));
  const latest = begun.reduce<(typeof begun)[number] | null>(
    (last, size) => (last === null || size.from >= last.from ? size : last),
    null,
  );
  return {
    image: latest?.image ?? architecture.image,
    frozen: new Set(stages.filter((stage) => !trainable.has(stage))),
  };
}

/** Whether two phases ask for the same compiled step. */
export function samePhase(a: Phase, b: Phase): boolean {
  return (
    a.image === b.image &&
    a.frozen.size === b.frozen.size &&
    [...a.frozen].every((stage) => b.frozen.has(stage))
  );
}
