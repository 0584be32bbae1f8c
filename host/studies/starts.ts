import type { Arm, Redrawn, StudySpec } from '../../contract/study.ts';

/**
 * A start: `random`, a pretraining of the study after an epoch, an imported checkpoint by name, or
 * the run of another arm after an epoch.
 */
export type Start =
  | 'random'
  | { pretraining: string; epoch: number | 'last' }
  | { checkpoint: string }
  | { arm: string; epoch: number | 'last' };

/** Reads `NAME@last` or `NAME@EPOCH` (the name may itself hold an @), else the name of a checkpoint. */
export function readStart(init: Arm['init']): Start {
  if (init === 'random') return 'random';
  if ('arm' in init) return { arm: init.arm, epoch: init.epoch };
  const match = /^(.*)@(last|\d+)$/s.exec(init.checkpoint);
  if (!match) return { checkpoint: init.checkpoint };
  const [, pretraining = '', epoch = ''] = match;
  return { pretraining, epoch: epoch === 'last' ? 'last' : Number(epoch) };
}

/** The pretraining that a start is an epoch of, or null. */
export function pretrainingOf(
  start: Start,
): { pretraining: string; epoch: number | 'last' } | null {
  return start !== 'random' && 'pretraining' in start ? start : null;
}

/** The name of the imported checkpoint that a start is, or null. */
export function checkpointOf(start: Start): string | null {
  return start !== 'random' && 'checkpoint' in start ? start.checkpoint : null;
}

/** The arm whose run a start is an epoch of, or null. */
export function parentArmOf(start: Start): { arm: string; epoch: number | 'last' } | null {
  return start !== 'random' && 'arm' in start ? start : null;
}

/** What of its start an arm keeps, and as what; nothing is said of what is usual. */
export function keptOf(init: Arm['init']): { weights?: Redrawn; 'keep-to'?: string } {
  if (init === 'random') return {};
  const weights = 'weights' in init ? init.weights : undefined;
  const last = init['keep-to'];
  return { ...(weights && { weights }), ...(last !== undefined && { 'keep-to': last }) };
}

/** Whether an arm starts from a checkpoint as it is, and learns from the target's images alone. */
export function isPretrained({ init, source }: Arm): boolean {
  return init !== 'random' && 'checkpoint' in init && !init.weights && !init['keep-to'] && !source;
}

/** A start in words: `line@last, permuted`, `the run of RI-T after epoch 3, up to layer2`. */
export function startText(init: Arm['init']): string {
  if (init === 'random') return 'random start';
  const { weights, 'keep-to': last } = keptOf(init);
  const whence =
    'arm' in init
      ? `the run of ${init.arm} after ${init.epoch === 'last' ? 'its last epoch' : `epoch ${init.epoch}`}`
      : init.checkpoint;
  return [whence, ...(weights ? [weights] : []), ...(last ? [`up to ${last}`] : [])].join(', ');
}

/** Names of the imported checkpoints that arms start from, in the order of the arms. */
export function checkpointNames({ arms }: Pick<StudySpec, 'arms'>): string[] {
  const names = Object.values(arms).flatMap(({ init }) => checkpointOf(readStart(init)) ?? []);
  return [...new Set(names)];
}
