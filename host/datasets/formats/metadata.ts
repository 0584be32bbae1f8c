/** metadata.csv and metadata.jsonl beside images, as Hugging Face's imagefolder has them. */
import type { Tree, TreeFile } from '../tree.ts';
import { FileFinder, folderOf, pathKey } from './find.ts';
import { withAgeBand } from './age-band.ts';
import type { GivenSplit } from './reader.ts';
import { splitOfWord } from './splits.ts';
import { hasNoValue, readTable, tableError } from './tables.ts';

/** What a row says of its image; null and absent where it says nothing. */
export interface ImageMetadata {
  group: string | null;
  split: GivenSplit | null;
  licence: string | null;
  attribution: string | null;
  source: string | null;
  attributes: Record<string, string>;
}

export interface Metadata {
  /** The table with a column `group`; null where none has one. */
  groups: string | null;
  rows: Map<TreeFile, ImageMetadata>;
  /** `file_name` of rows that name no file. */
  orphans: string[];
  /** Tables without a column file_name: not of this kind. */
  others: string[];
}

type Known = Exclude<keyof ImageMetadata, 'attributes'> | 'file_name';

const KNOWN = new Map<string, Known>([
  ['file_name', 'file_name'],
  ['group', 'group'],
  ['split', 'split'],
  ['licence', 'licence'],
  ['license', 'licence'],
  ['attribution', 'attribution'],
  ['source', 'source'],
]);

/** True for the names of such tables. */
export function isMetadata(path: string): boolean {
  return /(^|\/)metadata\.(csv|jsonl)$/.test(path);
}

/**
 * Reads such tables; `file_name` is relative to the folder that a table lies in. Throws CarryoverError
 * `bad-input` naming file and line: a second row for an image, not a table.
 */
export async function readMetadata(tree: Tree, tables: TreeFile[]): Promise<Metadata> {
  const metadata: Metadata = { groups: null, rows: new Map(), orphans: [], others: [] };
  const finder = new FileFinder(tree);
  for (const table of tables) {
    await readTable(tree, table, (columns) => begin(table.path, columns, finder, metadata));
  }
  return metadata;
}

function begin(path: string, columns: string[], finder: FileFinder, metadata: Metadata) {
  const known = columns.map((name) => KNOWN.get(name.toLowerCase()) ?? null);
  const nameAt = known.indexOf('file_name');
  if (nameAt < 0) {
    metadata.others.push(path);
    return () => undefined;
  }
  if (known.includes('group')) metadata.groups ??= path;
  const folder = folderOf(path);
  const seen = new Set<string>();
  return (cells: string[], line: number): void => {
    const name = pathKey(cells[nameAt] ?? '');
    if (seen.has(name)) {
      const wayOut = 'keep one row for each image';
      throw tableError(path, line, `a second row for ${name}`, { value: name, wayOut });
    }
    seen.add(name);
    const file = finder.at(folder === '' ? name : `${folder}/${name}`);
    if (file) metadata.rows.set(file, toRow(cells, columns, known));
    else metadata.orphans.push(name);
  };
}

function toRow(cells: string[], columns: string[], known: (Known | null)[]): ImageMetadata {
  const cell = (name: Known): string | null =>
    cells.find((text, i) => known[i] === name && !hasNoValue(text)) ?? null;
  const attributes = cells.flatMap((text, i) => {
    const column = columns[i];
    return known[i] === null && column && !hasNoValue(text) ? [[column, text] as const] : [];
  });
  return {
    group: cell('group'),
    split: splitOfWord(cell('split') ?? ''),
    licence: cell('licence'),
    attribution: cell('attribution'),
    source: cell('source'),
    attributes: withAgeBand(Object.fromEntries(attributes)),
  };
}
