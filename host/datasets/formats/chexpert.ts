/** CheXpert as published: train.csv and valid.csv, in the folder or in CheXpert-v1.0(-small) in it. */
import { CarryoverError } from '../../../contract/errors.ts';
import type { Tree, TreeFile } from '../tree.ts';
import { AGE_BAND, ageBand } from './age-band.ts';
import { candidate, emptyRead, inOrder } from './candidate.ts';
import { FileFinder, folderOf } from './find.ts';
import type { GivenSplit, Read, Reader } from './reader.ts';
import type { ReadLabel } from './table-labels.ts';
import { findingLabels } from './table-labels.ts';
import type { TakeRow } from './tables.ts';
import { readTable, tableError } from './tables.ts';

const DESCRIBING = ['Path', 'Sex', 'Age', 'Frontal/Lateral', 'AP/PA'] as const;
export const CHEXPERT_FINDINGS = [
  'No Finding',
  'Enlarged Cardiomediastinum',
  'Cardiomegaly',
  'Lung Opacity',
  'Lung Lesion',
  'Edema',
  'Consolidation',
  'Pneumonia',
  'Atelectasis',
  'Pneumothorax',
  'Pleural Effusion',
  'Pleural Other',
  'Fracture',
  'Support Devices',
];
const SPLITS: Readonly<Record<string, GivenSplit>> = {
  'train.csv': 'train',
  'valid.csv': 'validation',
};

export const chexpert: Reader<'chexpert'> = {
  format: 'chexpert',
  offers: async (tree) => {
    const tables = [];
    for (const file of tablesOf(tree)) if (await isPublished(tree, file)) tables.push(file.path);
    if (tables.length === 0) return [];
    const why = `${tables.join(' and ')}: the columns of CheXpert with its 14 findings`;
    return [{ reading: { format: 'chexpert' }, title: 'CheXpert', why }];
  },
  read: async (tree, _, { signal, onProgress }) => {
    const tables = tablesOf(tree);
    if (tables.length === 0) {
      throw new CarryoverError('bad-input', `${tree.root} has no train.csv or valid.csv`, {
        file: tree.root,
        wayOut: 'give the folder CheXpert-v1.0-small or CheXpert-v1.0, or the one it lies in',
      });
    }
    const read = { ...emptyRead('multi-label'), classNames: CHEXPERT_FINDINGS };
    read.groupedBy = 'patient in the path';
    const seen = new Set<TreeFile>(tables);
    const finder = new FileFinder(tree);
    for (const file of tables) {
      signal.throwIfAborted();
      await readTable(tree, file, (header) => begin(file.path, header, finder, read, seen));
      onProgress?.(read.candidates.length);
    }
    for (const file of tree.files) {
      if (!seen.has(file))
        read.skipped.push({ path: file.path, reason: 'in no row of the tables' });
    }
    return inOrder(read);
  },
};

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function tablesOf(tree: Tree): TreeFile[] {
  return tree.files.filter(({ path }) => {
    return Object.hasOwn(SPLITS, nameOf(path)) && path.split('/').length <= 2;
  });
}

async function isPublished(tree: Tree, file: TreeFile): Promise<boolean> {
  let header: string[] = [];
  const begin = (columns: string[]): TakeRow => {
    header = columns;
    return () => undefined;
  };
  try {
    await readTable(tree, file, begin, { most: 1 });
  } catch (error) {
    if (error instanceof CarryoverError && error.code === 'bad-input') return false;
    throw error;
  }
  return [...DESCRIBING, ...CHEXPERT_FINDINGS].every((name) => header.includes(name));
}

function begin(
  path: string,
  header: string[],
  finder: FileFinder,
  read: Read,
  seen: Set<TreeFile>,
): TakeRow {
  const lost = [...DESCRIBING, ...CHEXPERT_FINDINGS].find((name) => !header.includes(name));
  if (lost !== undefined) {
    const wayOut = 'give the table as published, or read it as a table with columns of your choice';
    throw tableError(path, 1, `there is no column "${lost}"`, { value: lost, wayOut });
  }
  const labelOf: ReadLabel = findingLabels(CHEXPERT_FINDINGS).reader(path, header);
  const describe = describer(header);
  const pathAt = header.indexOf('Path');
  const split = SPLITS[nameOf(path)] ?? null;
  const folders = [folderOf(path), ''];
  return (cells, line) => {
    const text = cells[pathAt] ?? '';
    const file = find(finder, folders, text);
    const labelled = labelOf(cells, line);
    if (!file || typeof labelled === 'string') {
      read.skipped.push({ path: text, reason: `no such file (${path}, line ${line})` });
    } else if (seen.has(file)) {
      read.skipped.push({
        path: text,
        reason: `a second row for the image (${path}, line ${line})`,
      });
    } else {
      seen.add(file);
      const group = /(?:^|\/)(patient\d+)\//.exec(text)?.[1] ?? null;
      const { findings } = labelled;
      read.candidates.push(
        candidate(file, { findings, split, group, attributes: describe(cells) }),
      );
    }
  };
}

/** A path as it is written, else without the name of the published folder. */
function find(finder: FileFinder, folders: string[], path: string): TreeFile | undefined {
  const inFolder = path.replace(/^CheXpert-v1\.0(-small)?\//, '');
  const ways = [path, inFolder].flatMap((way) => folders.map((folder) => at(finder, folder, way)));
  return ways.find((found) => found !== null);
}

function at(finder: FileFinder, folder: string, path: string): TreeFile | null {
  return finder.at(folder === '' ? path : `${folder}/${path}`);
}

/** Sex, age, view of a row; the same object for rows that say the same. */
function describer(header: string[]): (cells: string[]) => Record<string, string> {
  const known = new Map<string, Record<string, string>>();
  const columns = DESCRIBING.slice(1).map((name) => [name, header.indexOf(name)] as const);
  return (cells) => {
    const key = columns.map(([, i]) => cells[i]).join('\n');
    const same = known.get(key);
    if (same) return same;
    const found: Record<string, string> = {};
    for (const [name, i] of columns) {
      const text = cells[i] ?? '';
      // Age is capped at 90 by the publishers, and 0 stands for unknown.
      if (text === '' || (name === 'Age' && Number(text) === 0)) continue;
      found[name] = text;
      const band = name === 'Age' ? ageBand(Number(text)) : null;
      if (band !== null) found[AGE_BAND] = band;
    }
    known.set(key, found);
    return found;
  };
}
