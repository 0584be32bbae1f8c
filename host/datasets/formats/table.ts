/** Any table of images: CSV, TSV and JSON lines, with lists of names and further tables beside it. */
import { extname } from 'node:path';
import { CarryoverError } from '../../../contract/errors.ts';
import type { Reading, TableColumns } from '../../../contract/reading.ts';
import { counted, fewOf } from '../order.ts';
import type { Tree, TreeFile } from '../tree.ts';
import { ONLY_DOMAIN, candidate, emptyRead, inOrder } from './candidate.ts';
import { FileFinder, folderOf } from './find.ts';
import { NamedFiles } from './named-files.ts';
import type { GivenSplit, Read, Reader } from './reader.ts';
import { splitInPath, splitOfFolder } from './splits.ts';
import type { Labelled, Labels } from './table-labels.ts';
import { labelColumns, labelsOf } from './table-labels.ts';
import { offerTables } from './table-offers.ts';
import type { Described } from './table-rows.ts';
import { UNDESCRIBED, describeRows, describingColumns, joined } from './table-rows.ts';
import type { TakeRow } from './tables.ts';
import { MAX_TABLE_BYTES, asUtf8, readTable, tableError } from './tables.ts';

type TableReading = Extract<Reading, { format: 'table' }>;

export const table: Reader<'table'> = {
  format: 'table',
  offers: offerTables,
  read: async (tree, reading, { signal, onProgress }) => {
    const reader = new TablesReader(tree, reading);
    for (const path of reading.tables) {
      signal.throwIfAborted();
      await reader.readOne(path);
      onProgress?.(reader.images);
    }
    return reader.finish();
  },
};

interface Row extends Labelled {
  described: Described;
  /** "labels.csv, line 3" */
  place: string;
}

/** Reads the tables of a reading one after the other. */
class TablesReader {
  readonly #tree: Tree;
  readonly #columns: TableColumns;
  readonly #tables: string[];
  readonly #finder: FileFinder;
  readonly #labels: Labels;
  readonly #read: Read;
  readonly #rows = new Map<TreeFile, Row>();
  /** Of tables without labels, by image. */
  readonly #beside = new Map<TreeFile, Described>();
  readonly #listed = new Map<TreeFile, GivenSplit>();
  /** Files that were skipped with a reason, and the tables. */
  readonly #mentioned = new Set<TreeFile>();
  readonly #seenColumns = new Set<string>();
  readonly #oddSplits = new Set<string>();
  #labelled = false;

  constructor(tree: Tree, { columns, tables }: TableReading) {
    this.#tree = tree;
    this.#columns = columns;
    this.#tables = tables;
    this.#finder = new FileFinder(tree);
    this.#labels = labelsOf(columns.label);
    const single = columns.label.kind === 'class' || columns.label.kind === 'one-hot';
    this.#read = emptyRead(single ? 'single-label' : 'multi-label');
  }

  get images(): number {
    return this.#rows.size;
  }

  async readOne(path: string): Promise<void> {
    const file = this.#finder.at(path);
    if (!file) {
      throw new CarryoverError('bad-input', `there is no table ${path} in ${this.#tree.root}`, {
        file: path,
        wayOut: 'name a table by its path relative to the folder',
      });
    }
    this.#mentioned.add(file);
    if (extname(path).toLowerCase() === '.txt') await this.#readList(file);
    else {
      const folders = [folderOf(file.path), ''];
      const files = new NamedFiles(this.#finder, { table: file.path, folders });
      await readTable(this.#tree, file, (header) => this.#begin(file.path, header, files));
      files.finish();
    }
  }

  /** A list of images, one a line: its name says their split. */
  async #readList(list: TreeFile): Promise<void> {
    const split = splitInPath(list.path);
    if (split === null) {
      throw new CarryoverError('bad-input', `${list.path}: its name says no split`, {
        file: list.path,
        wayOut: 'name a list of images after its split, as test_list.txt',
      });
    }
    const text = asUtf8(await this.#tree.read(list, MAX_TABLE_BYTES)).toString('utf8');
    const folders = ['', folderOf(list.path)];
    const files = new NamedFiles(this.#finder, { table: list.path, folders });
    let missing = 0;
    for (const name of text.replace(/^\uFEFF/, '').split(/[\r\n]+/)) {
      if (name.trim() === '') continue;
      files.name(name, (file) => {
        if (typeof file === 'string') missing++;
        else this.#listed.set(file, split);
      });
    }
    files.finish();
    if (missing > 0) {
      const lines = counted(missing, 'image');
      this.#read.warnings.push(`${list.path} names ${lines} that cannot be told among the files`);
    }
  }

  #begin(path: string, header: string[], files: NamedFiles): TakeRow {
    header.forEach((name) => this.#seenColumns.add(name));
    const pathAt = header.indexOf(this.#columns.path);
    if (pathAt < 0) throw noColumn(path, this.#columns.path, header);
    const describe = describeRows(path, header, this.#columns, (value) =>
      this.#oddSplits.add(value),
    );
    const missing = labelColumns(this.#columns.label).filter((name) => !header.includes(name));
    if (missing.length > 0) {
      if (this.#tables.length === 1) throw noColumn(path, missing[0] ?? '', header);
      return (cells) => {
        const described = describe(cells);
        files.name(cells[pathAt] ?? '', (file) => {
          if (typeof file === 'string') return;
          this.#beside.set(file, joined(this.#beside.get(file) ?? UNDESCRIBED, described));
        });
      };
    }
    this.#labelled = true;
    const labelOf = this.#labels.reader(path, header);
    return (cells, line) => {
      const text = cells[pathAt] ?? '';
      const labelled = labelOf(cells, line);
      const described = describe(cells);
      const place = `${path}, line ${line}`;
      files.name(text, (file) => this.#take(text, file, labelled, { described, place }));
    };
  }

  #take(
    text: string,
    file: TreeFile | string,
    labelled: Labelled | string,
    rest: Omit<Row, keyof Labelled>,
  ): void {
    const { place } = rest;
    const { skipped } = this.#read;
    if (typeof file === 'string') {
      skipped.push({ path: text, reason: `${file} (${place})` });
      return;
    }
    const first = this.#rows.get(file);
    if (first) {
      const reason = `a second row for the image (${place}); the first counts (${first.place})`;
      skipped.push({ path: file.path, reason });
    } else if (typeof labelled === 'string') {
      this.#mentioned.add(file);
      skipped.push({ path: file.path, reason: `${labelled} (${place})` });
    } else {
      this.#rows.set(file, { ...labelled, ...rest });
    }
  }

  /** What all tables said. Throws `bad-input` when a column was in none of them. */
  finish(): Read {
    this.#requireColumns();
    const read = this.#read;
    read.classNames = this.#labels.finish();
    for (const [file, { label, findings, described }] of this.#rows) {
      const beside = this.#beside.get(file);
      const known = beside ? joined(described, beside) : described;
      const domain =
        known.domain ?? (this.#columns.domain === undefined ? ONLY_DOMAIN : 'not stated');
      const split = this.#listed.get(file) ?? known.split ?? this.#splitAround(file);
      read.candidates.push(candidate(file, { ...known, label, findings, domain, split }));
    }
    const reason = `in no row of ${fewOf(this.#tables)}`;
    for (const file of this.#tree.files) {
      if (this.#rows.has(file) || this.#mentioned.has(file)) continue;
      read.skipped.push({ path: file.path, reason });
    }
    if (this.#columns.group !== undefined) read.groupedBy = `column ${this.#columns.group}`;
    if (this.#oddSplits.size > 0) {
      read.warnings.push(
        `column ${this.#columns.split}: ${fewOf([...this.#oddSplits])} not known as a split; ` +
          'images with it have no given split',
      );
    }
    return inOrder(read);
  }

  /** Where no column says it, the folders of an image do. */
  #splitAround({ path }: TreeFile): GivenSplit | null {
    return this.#columns.split === undefined ? splitOfFolder(folderOf(path)) : null;
  }

  #requireColumns(): void {
    const tables = fewOf(this.#tables);
    if (!this.#labelled) {
      const [name] = labelColumns(this.#columns.label);
      throw noColumn(tables, name ?? '', [...this.#seenColumns]);
    }
    const lost = describingColumns(this.#columns).find((name) => !this.#seenColumns.has(name));
    if (lost !== undefined) throw noColumn(tables, lost, [...this.#seenColumns]);
  }
}

function noColumn(path: string, name: string, header: string[]): CarryoverError {
  return tableError(path, 1, `there is no column "${name}"`, {
    value: name,
    wayOut: `choose one of its columns: ${header.join(', ')}`,
  });
}
