/** MedMNIST: {train,val,test}_{images,labels} in one .npz. */
import { posix } from 'node:path';
import type { FindingValue } from '../../../contract/datasets.ts';
import { CarryoverError } from '../../../contract/errors.ts';
import { openArchive, readEntry } from '../../../engine/archives/archive.ts';
import { openImageArray } from '../../../engine/archives/arrays.ts';
import { memoryBytes } from '../../../engine/formats/bytes.ts';
import type { StoredArray } from '../../../engine/formats/npy.ts';
import { decodeNpy } from '../../../engine/formats/npy.ts';
import { counted, fewOf } from '../order.ts';
import type { Tree, TreeFile } from '../tree.ts';
import { absolutePath } from '../walk.ts';
import { candidate, emptyRead, inOrder } from './candidate.ts';
import { medmnistNames } from './medmnist.ts';
import type { Candidate, Read, Reader } from './reader.ts';
import { splitOfWord } from './splits.ts';

const SPLITS = ['train', 'val', 'test'];
/** Labels are unpacked whole. */
const MAX_LABELS = 2 ** 28;

export const npz: Reader<'npz'> = {
  format: 'npz',
  offers: async (tree) => {
    const offers = [];
    for (const file of tree.files) {
      if (!isNpz(file)) continue;
      const splits = await splitsIn(absolutePath(tree.root, file.file)).catch(() => []);
      if (splits.length === 0) continue;
      const arrays = splits.map((split) => `${split}_images`).join(', ');
      offers.push({
        reading: { format: 'npz' as const, file: file.path },
        title: `NumPy arrays: ${file.path}`,
        why: `it holds ${arrays} with their labels, as MedMNIST has them`,
      });
    }
    return offers;
  },
  read: async (tree, { file: path }, { signal, onProgress }) => {
    const file = fileAt(tree, path);
    const absolute = absolutePath(tree.root, file.file);
    const parts: Part[] = [];
    for (const split of await splitsIn(absolute)) {
      signal.throwIfAborted();
      parts.push(await readPart(absolute, file, split));
      onProgress?.(parts.reduce((sum, { images }) => sum + images, 0));
    }
    if (parts.length === 0) throw noArrays(file.path);
    const read = assemble(file, parts);
    await tellOthers(tree, file, read);
    return inOrder(read);
  },
};

/** Throws CarryoverError `bad-input` where an .npz of the tree is cut off or damaged. */
export async function refuseDamaged(tree: Tree): Promise<void> {
  for (const file of tree.files) {
    if (isNpz(file)) await splitsIn(absolutePath(tree.root, file.file));
  }
}

async function tellOthers(tree: Tree, chosen: TreeFile, read: Read): Promise<void> {
  const others = tree.files.filter((file) => file !== chosen);
  for (const file of others)
    read.skipped.push({ path: file.path, reason: await whyNot(tree, file) });
  const sets = others.filter(isNpz).map(({ path }) => path);
  if (sets.length === 0) return;
  read.warnings.push(
    `only ${chosen.path} was read, not ${fewOf(sets)}: give each .npz file by itself to import it`,
  );
}

async function whyNot(tree: Tree, file: TreeFile): Promise<string> {
  if (!isNpz(file)) return 'not an .npz file';
  try {
    const splits = await splitsIn(absolutePath(tree.root, file.file));
    return splits.length > 0 ? 'another .npz file' : 'an .npz file of other arrays';
  } catch (error) {
    if (error instanceof CarryoverError) return error.message;
    throw error;
  }
}

function isNpz(file: TreeFile): boolean {
  return file.entry === null && file.path.toLowerCase().endsWith('.npz');
}

function fileAt(tree: Tree, path: string): TreeFile {
  // A single file may have been given another name since.
  const file = tree.find(tree.single ?? path);
  if (file !== null && isNpz(file)) return file;
  throw new CarryoverError('bad-input', `there is no .npz file ${path}`, {
    file: path,
    wayOut: 'name an .npz file, relative to the folder that was given',
  });
}

/** Splits of which images and labels are there. */
async function splitsIn(path: string): Promise<string[]> {
  const { entries } = await openArchive(path).catch((error: unknown) => {
    throw asDamage(path, error);
  });
  const has = (name: string) => entries.has(`${name}.npy`);
  return SPLITS.filter((split) => has(`${split}_images`) && has(`${split}_labels`));
}

function asDamage(path: string, error: unknown): unknown {
  if (!(error instanceof CarryoverError) || error.code !== 'bad-input') return error;
  const reason = error.message.replace(`${path}: `, '');
  const message = `${path}: this .npz file is cut off or damaged (${reason})`;
  const wayOut = 'save train_images with train_labels by numpy.savez, or fetch the file anew';
  return new CarryoverError('bad-input', message, { file: path, wayOut }, error);
}

interface Part {
  split: string;
  images: number;
  file: TreeFile;
  /** Row by row, `columns` for every image. */
  labels: Float32Array;
  columns: number;
}

async function readPart(absolute: string, file: TreeFile, split: string): Promise<Part> {
  const entry = `${split}_images.npy`;
  const array = await openImageArray(absolute, entry);
  const labels = await readLabels(absolute, `${split}_labels.npy`);
  const [rows = 0, columns = 1] = labels.shape;
  const name = `${file.path}/${split}_labels`;
  if (array === null || labels.shape.length > 2 || rows !== array.images || columns < 1) {
    const axes = labels.shape.join(' x ');
    throw badLabels(name, `axes ${axes} do not fit ${counted(array?.images ?? 0, 'image')}`);
  }
  checkWhole(name, labels.data);
  const { path, bytes } = file;
  const inside = { ...file, path: `${path}/${entry}`, entry, bytes };
  return { split, images: rows, file: inside, labels: labels.data, columns };
}

async function readLabels(absolute: string, entry: string): Promise<StoredArray> {
  const bytes = await readEntry(absolute, entry, MAX_LABELS);
  return decodeNpy(memoryBytes(bytes, `${absolute}/${entry}`));
}

function checkWhole(name: string, labels: Float32Array): void {
  const bad = labels.find((label) => !Number.isInteger(label) || label < 0);
  if (bad !== undefined) throw badLabels(name, `${bad} is no number of a class`);
}

function assemble(file: TreeFile, parts: Part[]): Read {
  const [{ columns }] = parts as [Part];
  const other = parts.find((part) => part.columns !== columns);
  if (other) throw badLabels(`${file.path}/${other.split}_labels`, `not ${columns} columns wide`);
  const read = emptyRead(columns === 1 ? 'single-label' : 'multi-label');
  const told = medmnistNames(posix.basename(file.path));
  let label: (row: Float32Array) => Labelled;
  if (columns === 1) {
    const names = classNames(parts, told);
    read.classNames = [...names.values()];
    label = (row) => ({ label: names.get(row[0]!) ?? null, findings: null });
  } else {
    read.classNames = findingNames(columns, told, file.path, parts);
    label = findingsOf(read.classNames);
  }
  for (const part of parts) {
    const split = splitOfWord(part.split);
    for (let frame = 0; frame < part.images; frame++) {
      const row = part.labels.subarray(frame * columns, (frame + 1) * columns);
      read.candidates.push(candidate(part.file, { frame, split, ...label(row) }));
    }
  }
  return read;
}

/** The names of the labels that occur, by number; their numbers where the set's names are not known. */
function classNames(parts: Part[], told: readonly string[] | null): Map<number, string> {
  const labels = new Set<number>();
  for (const part of parts) for (const label of part.labels) labels.add(label);
  const sorted = [...labels].sort((a, b) => a - b);
  const known = told !== null && sorted.every((label) => label < told.length) ? told : [];
  return new Map(sorted.map((label) => [label, known[label] ?? String(label)]));
}

function findingNames(
  columns: number,
  told: readonly string[] | null,
  path: string,
  parts: Part[],
): string[] {
  for (const { split, labels } of parts) {
    const bad = labels.find((value) => value > 1);
    if (bad !== undefined) throw badLabels(`${path}/${split}_labels`, `${bad} is neither 0 nor 1`);
  }
  if (told?.length === columns) return [...told];
  return Array.from({ length: columns }, (_, i) => `finding ${i}`);
}

type Labelled = Pick<Candidate, 'label' | 'findings'>;

/** Images with the same findings share one map. */
function findingsOf(names: string[]): (row: Float32Array) => Labelled {
  const known = new Map<string, ReadonlyMap<string, FindingValue>>();
  return (row) => {
    const key = row.join('');
    const findings =
      known.get(key) ?? new Map(names.map((name, i) => [name, row[i] === 1 ? 1 : 0] as const));
    known.set(key, findings);
    return { label: null, findings };
  };
}

function badLabels(name: string, what: string): CarryoverError {
  return new CarryoverError('bad-input', `${name}: ${what}`, {
    file: name,
    wayOut: 'save labels as whole numbers: N x 1 with the class, or N x L with 0 and 1',
  });
}

function noArrays(path: string): CarryoverError {
  return new CarryoverError('bad-input', `${path}: no images with labels as MedMNIST has them`, {
    file: path,
    wayOut: 'save train_images and train_labels (val_, test_) with numpy.savez',
  });
}
