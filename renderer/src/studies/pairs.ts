import type { StudyResults } from '../../../contract/study-results.ts';
import { armVariable } from '../lib/arms.ts';

type Pair = StudyResults['pairs'][number];

/** Pairs by kind (P-T/P-T, P-T/RI-T ...), kinds in order of first appearance. */
export function pairKinds(pairs: readonly Pair[]): { kind: string; pairs: Pair[] }[] {
  const kinds = [...new Set(pairs.map((pair) => pair.kind))];
  return kinds.map((kind) => ({ kind, pairs: pairs.filter((pair) => pair.kind === kind) }));
}

/** A kind of two equal arms has the arm's colour, a mixed one its own. */
export function kindVariable(kind: string): string {
  const [a = kind, b = a] = kind.split('/');
  return a === b ? armVariable(a) : '--arm-3';
}
