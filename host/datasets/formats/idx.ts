/** The MNIST family: pairs of IDX files, `<part>-images-idx3-ubyte` and `<part>-labels-idx1-ubyte`. */
import { posix } from 'node:path';
import { CarryoverError } from '../../../contract/errors.ts';
import { gunzipped, openImageArray } from '../../../engine/archives/arrays.ts';
import { idxHeader } from '../../../engine/archives/idx.ts';
import { counted, fewOf, sortedSet } from '../order.ts';
import type { Tree, TreeFile } from '../tree.ts';
import { placeIn } from '../tree.ts';
import { ONLY_DOMAIN, candidate, emptyRead, inOrder } from './candidate.ts';
import { folderOf } from './find.ts';
import type { GivenSplit, Read, Reader } from './reader.ts';
import { splitInPath } from './splits.ts';

const IMAGES = /^(.*)images([-_.])idx3-ubyte(\.gz)?$/i;
/** Sets of this family whose classes are not the ten digits, by what they are called. */
const OWN_CLASSES = /fashion|kmnist|k49|kuzushiji|notmnist|letters|balanced|byclass|bymerge/i;
const FASHION = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];

export const idx: Reader<'idx'> = {
  format: 'idx',
  offers: (tree) => {
    const names = pairsIn(tree).map(({ images }) => images.path);
    if (names.length === 0) return Promise.resolve([]);
    const why = `it holds ${names.slice(0, 3).join(', ')} with their labels, as MNIST has them`;
    return Promise.resolve([{ reading: { format: 'idx' }, title: 'IDX files (MNIST)', why }]);
  },
  read: async (tree, _reading, { signal, onProgress }) => {
    const pairs = pairsIn(tree);
    if (pairs.length === 0) throw noPairs(tree);
    const read = emptyRead('single-label');
    const domains = new Set(pairs.map(({ set }) => set));
    const kindOf = kindsOf(tree, pairs);
    const labels = new Map<string, Set<number>>();
    for (const pair of pairs) {
      signal.throwIfAborted();
      const numbers = await labelsOf(tree, pair);
      const kind = kindOf(pair);
      labels.set(kind, new Set([...(labels.get(kind) ?? []), ...numbers]));
      const domain = domains.size === 1 ? ONLY_DOMAIN : pair.set;
      const name = nameOfClass(kind);
      numbers.forEach((number, frame) => {
        const known = { frame, split: pair.split, domain, label: name(number) };
        read.candidates.push(candidate(pair.images, known));
      });
      onProgress?.(read.candidates.length);
    }
    read.classNames = [...labels].flatMap(([kind, numbers]) => {
      return [...numbers].sort((a, b) => a - b).map(nameOfClass(kind));
    });
    skipOthers(tree, pairs, read);
    return inOrder(read);
  },
};

interface Pair {
  images: TreeFile;
  labels: TreeFile;
  split: GivenSplit | null;
  /** What is the same in the names of its splits: the folder, then `emnist-letters`. */
  set: string;
}

function pairsIn(tree: Tree): Pair[] {
  return tree.files.flatMap((images) => {
    const [, before, dot, gz] = IMAGES.exec(posix.basename(images.path)) ?? [];
    if (before === undefined || dot === undefined || isCopy(tree, images)) return [];
    const folder = folderOf(images.path);
    const name = posix.join(folder, `${before}labels${dot}idx1-ubyte`);
    const both = gz === undefined ? [name, `${name}.gz`] : [`${name}.gz`, name];
    const labels = both.map((path) => tree.find(path)).find((file) => file !== null);
    if (labels === undefined) return [];
    const test = /t10k/i.test(before);
    const split = test ? 'test' : splitInPath(before);
    const rest = before.replace(/(t10k|train|test|valid(ation)?)/i, '').replace(/[-_.]+$/, '');
    return [{ images, labels: labels ?? images, split, set: posix.join(folder, rest) }];
  });
}

/** torchvision leaves what it fetched beside what it unpacked. */
function isCopy(tree: Tree, { path }: TreeFile): boolean {
  return path.toLowerCase().endsWith('.gz') && tree.find(path.slice(0, -'.gz'.length)) !== null;
}

function nameOfClass(kind: string): (number: number) => string {
  return (number) => (kind === 'fashion' ? FASHION[number] : undefined) ?? String(number);
}

/**
 * What the numbers of each pair stand for, told by its path, or else by the folder's own name. Throws
 * CarryoverError `bad-input` where one number would be two classes.
 */
function kindsOf(tree: Tree, pairs: Pair[]): (pair: Pair) => string {
  const told = new Map(pairs.map((pair) => [pair, kindIn(pair.images.path)]));
  const whole = [...told.values()].some(Boolean) ? null : kindIn(posix.basename(tree.root));
  const kindOf = (pair: Pair): string => told.get(pair) ?? whole ?? 'digits';
  const numbered = pairs.filter((pair) => kindOf(pair) !== 'fashion');
  if (new Set(numbered.map(kindOf)).size < 2) return kindOf;
  const sets = fewOf(sortedSet(numbered.map(({ set }) => set)));
  throw new CarryoverError('bad-input', `the same number is another class in each of ${sets}`, {
    file: tree.root,
    wayOut: 'import each set by itself: give its folder, or move its files into one of their own',
  });
}

function kindIn(path: string): string | null {
  return OWN_CLASSES.exec(path)?.[0].toLowerCase() ?? null;
}

/** The class of each image, once images and labels are of one number. */
async function labelsOf(tree: Tree, { images, labels }: Pair): Promise<Uint8Array> {
  const place = placeIn(tree.root, images, null);
  const array = await openImageArray(place.file, place.entry);
  const bytes = await gunzipped(await tree.read(labels), labels.path);
  const { shape, begin } = idxHeader(labels.path, bytes);
  const numbers = bytes.subarray(begin);
  if (array !== null && shape.length === 1 && shape[0] === array.images) {
    if (numbers.length >= array.images) return numbers.subarray(0, array.images);
  }
  throw new CarryoverError(
    'bad-input',
    `${labels.path}: ${shape.join(' x ')} labels (${numbers.length} bytes) do not fit the ` +
      `${counted(array?.images ?? 0, 'image')} of ${images.path}`,
    { file: labels.path, wayOut: 'fetch both files anew: they are of two sets, or cut off' },
  );
}

function skipOthers(tree: Tree, pairs: Pair[], read: Read): void {
  const used = new Set(pairs.flatMap(({ images, labels }) => [images, labels]));
  for (const file of tree.files) {
    if (used.has(file)) continue;
    read.skipped.push({ path: file.path, reason: reasonOf(tree, file) });
  }
}

function reasonOf(tree: Tree, file: TreeFile): string {
  if (isCopy(tree, file)) return 'packed copy of the file beside it';
  const alone = IMAGES.test(posix.basename(file.path));
  return alone ? 'no labels (idx1-ubyte) beside it' : 'not an IDX file of images';
}

function noPairs(tree: Tree): CarryoverError {
  return new CarryoverError('bad-input', `${tree.root}: no images with labels as MNIST has them`, {
    file: tree.root,
    wayOut: 'put train-images-idx3-ubyte and train-labels-idx1-ubyte (t10k-...) into one folder',
  });
}
