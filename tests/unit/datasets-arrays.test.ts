import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { contentHash, readContent } from '../../engine/transforms/content.ts';
import { decodeOwnSize } from '../../engine/transforms/decode.ts';
import { offersFor } from '../../host/datasets/formats/all.ts';
import { idx } from '../../host/datasets/formats/idx.ts';
import { npz } from '../../host/datasets/formats/npz.ts';
import type { Candidate } from '../../host/datasets/formats/reader.ts';
import type { Tree } from '../../host/datasets/tree.ts';
import { openTree, placeIn } from '../../host/datasets/tree.ts';
import { useFolder, zip } from './archives-support.ts';

const FILES = join(import.meta.dirname, '../reference/archives');
interface Told {
  shape: number[];
  labels: number[][] | null;
  sha256: string[];
}
/** What NumPy had, by file and array. */
const { arrays } = JSON.parse(readFileSync(join(FILES, 'expected.json'), 'utf8')) as {
  arrays: Record<string, Record<string, Told>>;
};
const { signal } = new AbortController();
const options = { signal, salt: 'salt' };
const file = useFolder();

async function pixelsOf(tree: Tree, candidate: Candidate): Promise<Uint8Array> {
  const content = await readContent(placeIn(tree.root, candidate.file, candidate.frame));
  if (content.kind !== 'pixels') throw new Error('no pixels');
  return content.data;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function readNpz(path: string) {
  const tree = await openTree(path, { signal });
  const [offer] = await npz.offers(tree);
  expect(offer).toMatchObject({ reading: { format: 'npz', file: tree.single } });
  return { tree, read: await npz.read(tree, { format: 'npz', file: tree.single! }, options) };
}

const SPLITS = { train: 'train', val: 'validation', test: 'test' } as const;

describe('.npz as MedMNIST has it', () => {
  test.each(Object.keys(arrays))('%s: every image and label that NumPy had', async (name) => {
    const { tree, read } = await readNpz(join(FILES, name));
    const told = arrays[name]!;
    for (const [part, split] of Object.entries(SPLITS)) {
      const images = told[`${part}_images`]!;
      const found = read.candidates.filter((candidate) => candidate.split === split);
      expect(found.map(({ frame }) => frame)).toEqual(images.sha256.map((_, i) => i));
      const pixels = await Promise.all(found.map((candidate) => pixelsOf(tree, candidate)));
      expect(pixels.map(sha256)).toEqual(images.sha256);
      const rows = told[`${part}_labels`]!.labels!;
      expect(found.map(numbersOf(read.classNames!, name))).toEqual(rows);
    }
    expect(read.candidates).toHaveLength(13);
  });

  /** The row of labels that a candidate must have had. */
  function numbersOf(names: string[], file: string): (candidate: Candidate) => number[] {
    return ({ label, findings }) => {
      if (findings !== null) return names.map((name) => findings.get(name)!);
      return [file === 'numbered.npz' ? Number(label) : names.indexOf(label!)];
    };
  }

  test('a known set has its names, an unknown one its numbers', async () => {
    const pneumonia = await readNpz(join(FILES, 'pneumoniamnist.npz'));
    expect(pneumonia.read).toMatchObject({
      task: 'single-label',
      classNames: ['normal', 'pneumonia'],
    });
    const numbered = await readNpz(join(FILES, 'numbered.npz'));
    expect(numbered.read.classNames).toEqual(['0', '4', '8']);
    const chest = await readNpz(join(FILES, 'chestmnist_64.npz'));
    expect(chest.read.task).toBe('multi-label');
    expect(chest.read.classNames).toHaveLength(14);
    expect(chest.read.classNames![1]).toBe('cardiomegaly');
    const renamed = file('mine.npz', readFileSync(join(FILES, 'chestmnist_64.npz')));
    expect((await readNpz(renamed)).read.classNames![13]).toBe('finding 13');
  });

  test('colour and grey decode as they are, each frame with a hash of its own', async () => {
    const { tree, read } = await readNpz(join(FILES, 'pneumoniamnist.npz'));
    const place = placeIn(tree.root, read.candidates[0]!.file, read.candidates[0]!.frame);
    const content = await readContent(place);
    if (content.kind !== 'pixels') throw new Error('no pixels');
    const { data } = content;
    expect(await decodeOwnSize(place)).toEqual({
      data: Uint8Array.from(data),
      width: 28,
      height: 28,
      channels: 3,
    });
    const line = Buffer.concat([Buffer.from('28x28x3\n'), data]);
    expect(contentHash(content, place.frame)).toBe(sha256(line));
    const grey = await readNpz(join(FILES, 'numbered.npz'));
    const first = grey.read.candidates[0]!;
    const own = await decodeOwnSize(placeIn(grey.tree.root, first.file, first.frame));
    expect([own.width, own.height, own.channels]).toEqual([28, 28, 1]);
  });

  test('a file that was given another name since is read for what it is', async () => {
    const tree = await openTree(join(FILES, 'numbered.npz'), { signal });
    const read = await npz.read(tree, { format: 'npz', file: 'before.npz' }, options);
    expect(read.candidates).toHaveLength(13);
  });

  test('a frame that is not there is refused by name', async () => {
    const place = { file: join(FILES, 'numbered.npz'), entry: 'val_images.npy', frame: 3 };
    await expect(readContent(place)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('it has 3 images, none numbered 3') as string,
    });
  });

  /** An array as numpy.save writes it. */
  function npy(descr: string, shape: number[], data: Uint8Array, order = 'False'): Buffer {
    const dict = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape.join(', ')},), }`;
    const head = Buffer.from(`\x93NUMPY\x01\0\0\0${dict.padEnd(117)}\n`, 'latin1');
    head.writeUInt16LE(118, 8);
    return Buffer.concat([head, data]);
  }

  test.each([
    ['floats', npy('<f4', [2, 4, 4], new Uint8Array(128)), /float32; images are read as uint8/],
    ['volumes', npy('|u1', [2, 4, 4, 4], new Uint8Array(128)), /axes are 2 x 4 x 4 x 4/],
    ['by columns', npy('|u1', [2, 4, 4], new Uint8Array(32), 'True'), /column by column/],
    ['too short', npy('|u1', [2, 4, 4], new Uint8Array(31)), /truncated: 32 bytes of pixels/],
    ['of another number', npy('|u1', [3, 4, 4], new Uint8Array(48)), /do not fit 3 images/],
  ])('images that are %s', async (_name, images, message) => {
    const labels = npy('|u1', [2, 1], new Uint8Array([0, 1]));
    for (const deflated of [false, true]) {
      const parts = [
        { name: 'train_images.npy', data: images, deflated },
        { name: 'train_labels.npy', data: labels, deflated },
      ];
      const path = file('bad.npz', zip(parts));
      const tree = await openTree(path, { signal });
      const reading = { format: 'npz', file: 'bad.npz' } as const;
      await expect(npz.read(tree, reading, options)).rejects.toThrow(message);
    }
  });

  test('other arrays are no data set', async () => {
    const path = file(
      'weights.npz',
      zip([{ name: 'arr_0.npy', data: npy('|u1', [1], new Uint8Array(1)) }]),
    );
    const tree = await openTree(path, { signal });
    expect(await npz.offers(tree)).toEqual([]);
    await expect(npz.read(tree, { format: 'npz', file: 'weights.npz' }, options)).rejects.toThrow(
      'no images with labels',
    );
  });
});

describe('several .npz files', () => {
  const whole = readFileSync(join(FILES, 'numbered.npz'));

  function folder(name: string, files: Record<string, Uint8Array>): Promise<Tree> {
    const root = join(dirname(file('root', '')), name);
    mkdirSync(root);
    for (const [path, bytes] of Object.entries(files)) writeFileSync(join(root, path), bytes);
    return openTree(root, { signal });
  }

  test('those that are not read are listed and warned of', async () => {
    const tree = await folder('several', {
      'a.npz': whole,
      'b.npz': whole,
      'cut.npz': whole.subarray(0, whole.length - 99),
      'readme.md': Buffer.from('x'),
    });
    const offers = await offersFor(tree);
    expect(offers.map(({ reading }) => reading)).toEqual([
      { format: 'npz', file: 'a.npz' },
      { format: 'npz', file: 'b.npz' },
    ]);
    const read = await npz.read(tree, { format: 'npz', file: 'b.npz' }, options);
    expect(read.candidates).toHaveLength(13);
    expect(read.skipped).toEqual([
      { path: 'a.npz', reason: 'another .npz file' },
      { path: 'cut.npz', reason: expect.stringContaining('cut off or damaged') },
      { path: 'readme.md', reason: 'not an .npz file' },
    ]);
    expect(read.warnings).toEqual([
      'only b.npz was read, not a.npz, cut.npz: give each .npz file by itself to import it',
    ]);
  });

  test('one that is cut off is told where nothing else is there', async () => {
    const cut = { 'pathmnist.npz': whole.subarray(0, whole.length - 99) };
    const tree = await folder('cut', cut);
    const damage = { code: 'bad-input', message: expect.stringContaining('cut off or damaged') };
    await expect(offersFor(tree)).rejects.toMatchObject(damage);
    const reading = { format: 'npz', file: 'pathmnist.npz' } as const;
    await expect(npz.read(tree, reading, options)).rejects.toMatchObject(damage);
    const alone = await openTree(join(tree.root, 'pathmnist.npz'), { signal });
    await expect(offersFor(alone)).rejects.toMatchObject(damage);
  });
});

describe('IDX files', () => {
  function idxFile(shape: number[], data: Uint8Array, type = 8): Buffer {
    const head = Buffer.alloc(4 + 4 * shape.length);
    head.set([0, 0, type, shape.length]);
    shape.forEach((side, i) => head.writeUInt32BE(side, 4 + 4 * i));
    return Buffer.concat([head, data]);
  }

  const pixels = Uint8Array.from({ length: 3 * 4 * 5 }, (_, i) => i);
  const images = idxFile([3, 4, 5], pixels);

  function write(folder: string, files: Record<string, Uint8Array>): string {
    const root = join(dirname(file('root', '')), folder);
    mkdirSync(root);
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(root, name), bytes);
    return root;
  }

  test('pairs by name, plain and gzipped; t10k is the test side', async () => {
    const root = write('mnist', {
      'train-images-idx3-ubyte.gz': gzipSync(images),
      'train-labels-idx1-ubyte': idxFile([3], new Uint8Array([7, 10, 2])),
      't10k-images.idx3-ubyte': images,
      't10k-labels.idx1-ubyte.gz': gzipSync(idxFile([3], new Uint8Array([2, 2, 7]))),
      'readme.md': Buffer.from('x'),
    });
    const tree = await openTree(root, { signal });
    expect(await idx.offers(tree)).toHaveLength(1);
    const read = await idx.read(tree, { format: 'idx' }, options);
    expect(read.classNames).toEqual(['2', '7', '10']);
    const rows = read.candidates.map(({ label, split, frame, domain }) => [
      split,
      frame,
      label,
      domain,
    ]);
    expect(rows).toEqual([
      ['test', 0, '2', 'all'],
      ['test', 1, '2', 'all'],
      ['test', 2, '7', 'all'],
      ['train', 0, '7', 'all'],
      ['train', 1, '10', 'all'],
      ['train', 2, '2', 'all'],
    ]);
    for (const candidate of read.candidates) {
      const own = await decodeOwnSize(placeIn(tree.root, candidate.file, candidate.frame));
      expect([own.width, own.height, own.channels]).toEqual([5, 4, 1]);
      expect([...own.data]).toEqual([
        ...pixels.subarray(candidate.frame! * 20, candidate.frame! * 20 + 20),
      ]);
    }
    expect(read.skipped.map(({ path }) => path)).toEqual(['readme.md']);
  });

  test('packed copies beside the files, as torchvision leaves them, are not read again', async () => {
    const labels = idxFile([3], new Uint8Array([7, 10, 2]));
    const root = write('packed', {
      'train-images-idx3-ubyte': images,
      'train-images-idx3-ubyte.gz': gzipSync(images),
      'train-labels-idx1-ubyte': labels,
      'train-labels-idx1-ubyte.gz': gzipSync(labels),
    });
    const tree = await openTree(root, { signal });
    const read = await idx.read(tree, { format: 'idx' }, options);
    expect(read.candidates).toHaveLength(3);
    const reason = 'packed copy of the file beside it';
    expect(read.skipped).toEqual([
      { path: 'train-images-idx3-ubyte.gz', reason },
      { path: 'train-labels-idx1-ubyte.gz', reason },
    ]);
  });

  test('sets side by side are domains; Fashion-MNIST has its names', async () => {
    const labels = idxFile([3], new Uint8Array([9, 0, 9]));
    const root = write('both', {
      'fashion-train-images-idx3-ubyte': images,
      'fashion-train-labels-idx1-ubyte': labels,
      'other-train-images-idx3-ubyte': images,
      'other-train-labels-idx1-ubyte': labels,
    });
    const tree = await openTree(root, { signal });
    const read = await idx.read(tree, { format: 'idx' }, options);
    expect(read.candidates.map(({ domain, label }) => `${domain} ${label}`)).toEqual([
      'fashion Ankle boot',
      'fashion T-shirt/top',
      'fashion Ankle boot',
      'other 9',
      'other 0',
      'other 9',
    ]);
    expect(read.classNames).toEqual(['T-shirt/top', 'Ankle boot', '0', '9']);
    const alone = write('fashion-mnist', {
      'train-images-idx3-ubyte': images,
      'train-labels-idx1-ubyte': labels,
    });
    const fashion = await idx.read(await openTree(alone, { signal }), { format: 'idx' }, options);
    expect(fashion.classNames).toEqual(['T-shirt/top', 'Ankle boot']);
  });

  test('sets of which one number is two classes are not mixed', async () => {
    const labels = idxFile([3], new Uint8Array([9, 1, 9]));
    const set = (name: string) => ({
      [`${name}-train-images-idx3-ubyte`]: images,
      [`${name}-train-labels-idx1-ubyte`]: labels,
    });
    const readAll = async (folder: string, names: string[]) => {
      const root = write(folder, Object.assign({}, ...names.map(set)) as ReturnType<typeof set>);
      return idx.read(await openTree(root, { signal }), { format: 'idx' }, options);
    };
    await expect(readAll('emnist', ['emnist-digits', 'emnist-letters'])).rejects.toMatchObject({
      code: 'bad-input',
      message: 'the same number is another class in each of emnist-digits, emnist-letters',
      detail: { wayOut: expect.stringContaining('import each set by itself') },
    });
    await expect(readAll('japan', ['kmnist', 'mnist'])).rejects.toMatchObject({
      code: 'bad-input',
    });
    const digits = await readAll('digits', ['emnist-digits', 'qmnist']);
    expect(digits.classNames).toEqual(['1', '9']);
    expect((await readAll('kmnist', ['a', 'b'])).classNames).toEqual(['1', '9']);
  });

  test('inside a zip, where it is packed', async () => {
    const labels = idxFile([3], new Uint8Array([1, 0, 1]));
    const path = file(
      'mnist.zip',
      zip([
        { name: 'train-images-idx3-ubyte', data: images, deflated: true },
        { name: 'train-labels-idx1-ubyte', data: labels },
      ]),
    );
    const tree = await openTree(path, { signal });
    const read = await idx.read(tree, { format: 'idx' }, options);
    const last = await pixelsOf(tree, read.candidates[2]!);
    expect([...last]).toEqual([...pixels.subarray(40)]);
  });

  test.each([
    [
      'fewer labels',
      images,
      idxFile([2], new Uint8Array(2)),
      /2 labels .* do not fit the 3 images/,
    ],
    ['cut labels', images, idxFile([3], new Uint8Array(2)), /3 labels \(2 bytes\) do not fit/],
    [
      'floats',
      idxFile([3, 4, 5], new Uint8Array(240), 0x0d),
      idxFile([3], new Uint8Array(3)),
      /only uint8/,
    ],
    ['cut images', images.subarray(0, 40), idxFile([3], new Uint8Array(3)), /truncated: 60 bytes/],
    [
      'damaged gzip',
      gzipSync(images).subarray(0, 20),
      idxFile([3], new Uint8Array(3)),
      /no complete IDX header/,
    ],
  ])('%s are refused', async (name, bad, labels, message) => {
    const folder = `bad ${name}`;
    const root = write(folder, {
      'train-images-idx3-ubyte': bad,
      'train-labels-idx1-ubyte': labels,
    });
    const tree = await openTree(root, { signal });
    await expect(idx.read(tree, { format: 'idx' }, options)).rejects.toThrow(message);
  });
});

test('an array that is replaced is read anew', async () => {
  const path = file('copy.npz', '');
  const sides = async () => {
    const array = await readContent({ file: path, entry: 'train_images.npy', frame: 0 });
    return array.kind === 'pixels' ? array.channels : null;
  };
  copyFileSync(join(FILES, 'pneumoniamnist.npz'), path);
  expect(await sides()).toBe(3);
  copyFileSync(join(FILES, 'numbered.npz'), path);
  expect(await sides()).toBe(1);
});
