import { createHash } from 'node:crypto';

/** Raised when the same specification would give other numbers: initialisation, order, recipe ... */
export const ENGINE_FORMAT = 3;

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

/** The id of a run: everything that determines its numbers, hashed. */
export function runIdOf(spec: Record<string, unknown>): string {
  return `r${sha256(canonicalJson(spec)).slice(0, 16)}`;
}
