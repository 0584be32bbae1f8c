import { CELLS, type Agreement, type Cell } from '../../../contract/agreement.ts';
import type { PairReport, PairSort } from '../../../contract/compare.ts';

/** Colour of a cell, as CSS. */
export const CELL_COLOURS: Record<Cell, string> = {
  bothRight: 'var(--cell-both-right)',
  bothWrongSame: 'var(--cell-wrong-same)',
  bothWrongDifferent: 'var(--cell-wrong-different)',
  onlyARight: 'var(--run-a)',
  onlyBRight: 'var(--run-b)',
};

export const SORTS: readonly { value: PairSort; title: string }[] = [
  { value: 'difference', title: 'Confidence gap' },
  { value: 'confidence-a', title: 'Confidence of A' },
  { value: 'confidence-b', title: 'Confidence of B' },
  { value: 'path', title: 'Path' },
];

/** A cell named in an address, or null. */
export const cellFrom = (text: string): Cell | null => CELLS.find((cell) => cell === text) ?? null;

/** A sort order named in an address; `difference` for anything else. */
export const sortFrom = (text: string): PairSort =>
  SORTS.find((sort) => sort.value === text)?.value ?? 'difference';

/** One class of a pair's report. */
export type ClassRow = { name: string; n: number } & Record<Cell, number>;
export type ClassColumn = 'name' | 'n' | Cell;

/** The classes in the order of a column; names with numbers in them sort by the numbers. */
export function sortedClasses(
  report: PairReport,
  column: ClassColumn,
  descending: boolean,
): ClassRow[] {
  const rows = report.classNames.flatMap((name, index) => {
    const counts = report.perClass[index];
    return counts === undefined ? [] : [{ name, ...counts }];
  });
  const sign = descending ? -1 : 1;
  const byName = (a: ClassRow, b: ClassRow) =>
    a.name.localeCompare(b.name, 'en', { numeric: true });
  return rows.toSorted((a, b) =>
    column === 'name' ? sign * byName(a, b) : sign * (a[column] - b[column]) || byName(a, b),
  );
}

/** The five counts with their shares of all images; shares are 0 when there are no images. */
export function cellShares(agreement: Agreement): { cell: Cell; n: number; share: number }[] {
  return CELLS.map((cell) => ({
    cell,
    n: agreement[cell],
    share: agreement.n === 0 ? 0 : agreement[cell] / agreement.n,
  }));
}
