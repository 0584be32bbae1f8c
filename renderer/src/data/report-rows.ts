import type { ImportReport } from '../../../contract/datasets.ts';
import { count } from '../lib/format.ts';

/** [what, files] */
type Row = readonly [string, string];

/** Sets of identical files, with how many are not listed. */
export function duplicateRows(report: ImportReport): Row[] {
  const { duplicates, duplicateFiles, duplicateSets } = report;
  const rows = duplicates.map((paths, i): Row => {
    const files = duplicateFiles?.[i] ?? paths.length;
    return [`${count(files)} files`, paths.join(', ') + more(files, paths)];
  });
  return withMore(rows, duplicateSets);
}

/** Identical files under several classes, with how many are not listed. */
export function conflictRows({ conflicts, conflictSets }: ImportReport): Row[] {
  const rows = conflicts.map(({ classes, paths, files }): Row => [
    classes.join(' / '),
    paths.join(', ') + more(files ?? paths.length, paths),
  ]);
  return withMore(rows, conflictSets);
}

function withMore(rows: Row[], sets = rows.length): Row[] {
  const text = more(sets, rows).trim();
  return text === '' ? rows : [...rows, [text, '']];
}

function more(all: number, listed: readonly unknown[]): string {
  return all > listed.length ? ` and ${count(all - listed.length)} more` : '';
}
