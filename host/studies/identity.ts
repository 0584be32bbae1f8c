import { createHash } from 'node:crypto';
import type { Recipe } from '../../contract/study.ts';

/** Raised when the same specification would give other numbers: initialisation, order, recipe ... */
export const ENGINE_FORMAT = 4;

/** JSON with sorted keys and without absent ones: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
    const entries = Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries);
  });
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * The id of a run: everything that determines its numbers, hashed. DICOM's window counts where it is
 * not the usual one: specifications had none before there was DICOM.
 */
export function runIdOf<T extends { recipe: Recipe }>({ recipe, ...rest }: T): string {
  const { window, ...others } = recipe;
  const counted = window === 'file' ? others : recipe;
  return `r${sha256(canonicalJson({ ...rest, recipe: counted })).slice(0, 16)}`;
}
