import type { StudySpec } from '../../contract/study.ts';

/** A start: `random`, a pretraining of the study after an epoch, or an imported checkpoint by name. */
export type Start =
  'random' | { pretraining: string; epoch: number | 'last' } | { checkpoint: string };

/** Reads `NAME@last` or `NAME@EPOCH` (the name may itself hold an @), else the name of a checkpoint. */
export function readStart(init: StudySpec['arms'][string]['init']): Start {
  if (init === 'random') return 'random';
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

/** Names of the imported checkpoints that arms start from, in the order of the arms. */
export function checkpointNames({ arms }: Pick<StudySpec, 'arms'>): string[] {
  const names = Object.values(arms).flatMap(({ init }) => checkpointOf(readStart(init)) ?? []);
  return [...new Set(names)];
}
