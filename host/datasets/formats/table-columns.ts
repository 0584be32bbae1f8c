/** What the columns of a table hold, for choosing what they mean. */
import type { TableColumn } from '../../../contract/reading.ts';
import type { Tree, TreeFile } from '../tree.ts';
import { readTable } from './tables.ts';

/** Distinct values are counted up to here. */
export const MOST_DISTINCT = 10_000;
const EXAMPLES = 5;

export interface ColumnValues extends TableColumn {
  /** In the order of their first rows, up to `MOST_DISTINCT`. */
  values: Set<string>;
}

export interface SampledTable {
  file: TreeFile;
  rows: number;
  columns: ColumnValues[];
  /** The first rows, where only so many were asked for. */
  cells: string[][];
}

/** Reads up to `most` rows of a table. Throws CarryoverError `bad-input` when it is none. */
export async function sampleTable(
  tree: Tree,
  file: TreeFile,
  most?: number,
): Promise<SampledTable> {
  const sampled: SampledTable = { file, rows: 0, columns: [], cells: [] };
  const begin = (header: string[]) => {
    sampled.columns = header.map((name) => {
      return { name, distinct: 0, blank: 0, examples: [], values: new Set<string>() };
    });
    return (cells: string[]): void => {
      sampled.rows++;
      if (most !== undefined) sampled.cells.push(cells);
      for (const [i, column] of sampled.columns.entries()) {
        const text = cells[i] ?? '';
        if (text === '') column.blank++;
        else if (column.values.size < MOST_DISTINCT) column.values.add(text);
      }
    };
  };
  await readTable(tree, file, begin, { ...(most !== undefined && { most }), loose: true });
  for (const column of sampled.columns) {
    column.distinct = column.values.size;
    column.examples = [...column.values].slice(0, EXAMPLES);
  }
  return sampled;
}
