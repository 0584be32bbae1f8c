import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readContent } from '../../engine/transforms/content.ts';
import { readTree } from '../../host/datasets/formats/all.ts';
import type { Candidate } from '../../host/datasets/formats/reader.ts';
import { openTree, placeIn } from '../../host/datasets/tree.ts';
import { debianPackage } from '../../host/samples/debian.ts';

const { signal } = new AbortController();
/** Fetched once (31 MB); ignored by git. */
const KEPT = new URL('../../.carryover/test-packages/fashion-mnist', import.meta.url).pathname;

/** The folder of the four files, or null where Debian's packages are out of reach. */
async function fashionMnist(): Promise<string | null> {
  const files = join(KEPT, 'usr/share/datasets/fashion-mnist');
  if (existsSync(files)) return files;
  const folder = `${KEPT}-${process.pid}`;
  mkdirSync(folder, { recursive: true });
  try {
    renameSync(await debianPackage('dataset-fashion-mnist', folder, signal), KEPT);
    return files;
  } catch {
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const CLASSES = [
  ...['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat'],
  ...['Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
];

function perClass(candidates: readonly Candidate[], split: string): Map<string | null, number> {
  const counts = new Map<string | null, number>();
  for (const { label, split: own } of candidates) {
    if (own === split) counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return counts;
}

/** Mean and standard deviation of all values, in [0, 1]. */
async function moments(root: string, candidates: readonly Candidate[]): Promise<[number, number]> {
  let [sum, squares, count] = [0, 0, 0];
  for (const { file, frame } of candidates) {
    const content = await readContent(placeIn(root, file, frame));
    if (content.kind !== 'pixels') throw new Error('no pixels');
    for (const value of content.data) {
      sum += value;
      squares += value * value;
    }
    count += content.data.length;
  }
  const mean = sum / count;
  return [mean / 255, Math.sqrt(squares / count - mean * mean) / 255];
}

test('the real Fashion-MNIST: its counts, and the moments that are published of it', async ({
  skip,
}) => {
  const folder = await fashionMnist();
  if (folder === null) return skip('the Debian package dataset-fashion-mnist cannot be had here');
  const tree = await openTree(folder, { signal });
  const read = await readTree(tree, { format: 'idx' }, { signal, salt: '' });
  expect(read.classNames).toEqual(CLASSES);
  const every = (images: number) => new Map(CLASSES.map((name) => [name, images]));
  expect(perClass(read.candidates, 'train')).toEqual(every(6000));
  expect(perClass(read.candidates, 'test')).toEqual(every(1000));
  const train = read.candidates.filter(({ split }) => split === 'train');
  const [mean, deviation] = await moments(tree.root, train);
  expect(mean).toBeCloseTo(0.286, 4);
  expect(deviation).toBeCloseTo(0.353, 4);
}, 120_000);
