import { describe, expect, test } from 'vitest';
import type { Level } from '../../contract/reading.ts';
import { pictures, put, temporaryFolder } from './datasets-folder.ts';
import { byPath, offersAt, putPictures, readAt, reasons } from './formats-support.ts';

const folders = (...levels: Level[]) => ({ format: 'folders', levels }) as const;

async function bestLevels(root: string): Promise<Level[]> {
  const [best] = await offersAt(root);
  if (best?.reading.format !== 'folders') throw new Error(`read as ${best?.reading.format}`);
  return best.reading.levels;
}

/** Every combination of the names, with an image in each folder. */
async function tree(root: string, ...levels: string[][]): Promise<void> {
  const paths = levels.reduce<string[]>(
    (above, names) => above.flatMap((path) => names.map((name) => `${path}${name}/`)),
    [''],
  );
  await putPictures(
    root,
    paths.map((path) => `${path}1.png`),
  );
}

describe('what levels of folders are taken for', () => {
  test.each<[string, string[][], Level[]]>([
    ['class/image', [['cat', 'dog']], ['class']],
    [
      'PACS and Office-Home: domain/class/image',
      [
        ['art_painting', 'cartoon', 'photo', 'sketch'],
        ['dog', 'elephant', 'giraffe'],
      ],
      ['domain', 'class'],
    ],
    [
      'Office-31: domain/images/class/image',
      [['amazon', 'dslr', 'webcam'], ['images'], ['back_pack', 'bike', 'calculator']],
      ['domain', 'ignore', 'class'],
    ],
    [
      'ImageNet-like: split/class/image',
      [
        ['train', 'val', 'test'],
        ['n01440764', 'n01443537'],
      ],
      ['split', 'class'],
    ],
    [
      'splits below domains',
      [
        ['photo', 'sketch'],
        ['Training', 'Testing'],
        ['cat', 'dog'],
      ],
      ['domain', 'split', 'class'],
    ],
    [
      'a wrapping folder above',
      [['PACS'], ['photo', 'sketch'], ['cat', 'dog']],
      ['ignore', 'domain', 'class'],
    ],
    ['one domain over its classes', [['photo'], ['cat', 'dog']], ['domain', 'class']],
    [
      'MURA: split/part/patient/study',
      [
        ['train', 'valid'],
        ['XR_ELBOW', 'XR_HAND'],
        ['patient00001', 'patient00002'],
        ['study1_negative', 'study2_positive'],
      ],
      ['split', 'domain', 'group', 'class'],
    ],
    [
      'Hugging Face: data/split/class',
      [['data'], ['train', 'test'], ['cat', 'dog']],
      ['ignore', 'split', 'class'],
    ],
    ['splits of a single class', [['train', 'test'], ['cat']], ['split', 'class']],
  ])('%s', async (_, levels, expected) => {
    const root = temporaryFolder();
    await tree(root, ...levels);
    expect(await bestLevels(root)).toEqual(expected);
  });

  test('patients below or above the classes are groups', async () => {
    const below = temporaryFolder();
    const ids = Array.from({ length: 24 }, (_, i) => `patient${i + 100}`);
    await putPictures(
      below,
      ids.map((id, i) => `${i % 2 ? 'benign' : 'malignant'}/${id}/1.png`),
    );
    expect(await bestLevels(below)).toEqual(['class', 'group']);
    const read = await readAt(below);
    expect(read.groupedBy).toBe('folders of level 2');
    expect(byPath(read)['malignant/patient100/1.png']).toMatchObject({
      label: 'malignant',
      group: 'patient100',
      domain: 'all',
    });

    const numbered = temporaryFolder();
    const classes = Array.from({ length: 24 }, (_, i) => `${i + 100}.Black_footed_bird`);
    await putPictures(
      numbered,
      classes.map((name, i) => `${i % 2 ? 'photo' : 'sketch'}/${name}/1.png`),
    );
    expect(await bestLevels(numbered)).toEqual(['domain', 'class']);
    const lone = temporaryFolder();
    await tree(
      lone,
      ['birds'],
      ids.map((id) => id.replace('patient', 'n')),
    );
    expect(await bestLevels(lone)).toEqual(['domain', 'class']);

    const above = temporaryFolder();
    await tree(above, ids, ['0', '1']);
    expect(await bestLevels(above)).toEqual(['group', 'class']);
  });

  test('where folders may mean several things, several readings are offered with reasons', async () => {
    const root = temporaryFolder();
    await tree(root, ['photo', 'sketch'], ['train', 'test'], ['cat', 'dog']);
    const offers = await offersAt(root);
    expect(offers.length).toBeGreaterThan(2);
    expect(offers[0]).toMatchObject({
      title: 'Folders: domain / split / class / image',
      why: expect.stringContaining('named as splits are: test, train'),
    });
    expect(offers.map(({ reading }) => reading)).toContainEqual(
      folders('ignore', 'split', 'class'),
    );
    for (const { reading } of offers)
      expect((await readAt(root, reading)).candidates).toHaveLength(8);
  });

  test('of two ways to the same reading the telling one is given', async () => {
    const root = temporaryFolder();
    await tree(root, ['cat', 'dog']);
    const [offer] = await offersAt(root);
    expect(offer!.why).toBe('one level of folders tells images apart: cat, dog');
  });

  test('images in no folder make no offer', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['1.png', '2.png']);
    expect(await offersAt(root)).toEqual([]);
  });
});

describe('levels as the user chose them', () => {
  test('split, group and attributes are taken from their folders', async () => {
    const root = temporaryFolder();
    await tree(root, ['Train', 'valid', 'extra'], ['scanner A', 'scanner B'], ['p1'], ['cat']);
    const read = await readAt(root, folders('split', { attribute: 'Scanner' }, 'group', 'class'));
    const images = byPath(read);
    expect(images['Train/scanner A/p1/cat/1.png']).toMatchObject({
      split: 'train',
      label: 'cat',
      group: 'p1',
      attributes: { Scanner: 'scanner A' },
    });
    expect(images['valid/scanner B/p1/cat/1.png']!.split).toBe('validation');
    expect(images['extra/scanner B/p1/cat/1.png']!.split).toBeNull();
    expect(read.warnings.join()).toContain('"extra" is no split by its name; 2 files');
  });

  test('folders between the last levels are passed over, images too shallow are skipped', async () => {
    const root = temporaryFolder();
    await pictures(root, ['photo', 'sketch'], ['cat', 'dog'], 2);
    await putPictures(root, ['sketch/2024/batch 1/dog/x.png', 'photo/stray.png', 'top.png']);
    put(root, 'readme.md', 'x');
    const read = await readAt(root);
    expect(read.candidates).toHaveLength(9);
    expect(byPath(read)['sketch/2024/batch 1/dog/x.png']).toMatchObject({
      domain: 'sketch',
      label: 'dog',
    });
    expect(reasons(read)).toEqual({
      'photo/stray.png': 'image directly in the domain folder "photo", in no class folder',
      'readme.md': 'file in no class folder',
      'top.png': 'image in no class folder',
    });
    const text = read.warnings.join('\n');
    expect(text).toContain('1 deeper file took the last folder');
    expect(text).toContain('1 file lying less deep had no class');
  });

  test.each([
    ['no class', ['domain', 'split'], /no level is the class/],
    ['two classes', ['class', 'class'], /two levels are the class/],
    [
      'one attribute twice',
      [{ attribute: 'x' }, { attribute: 'x' }, 'class'],
      /two levels are the “x”/,
    ],
  ] as [string, Level[], RegExp][])('%s cannot be read', async (_, levels, message) => {
    const root = temporaryFolder();
    await tree(root, ['a'], ['b'], ['c']);
    await expect(readAt(root, folders(...levels))).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(message),
      detail: { wayOut: expect.any(String) },
    });
  });
});

describe('metadata beside the images, as Hugging Face has it', () => {
  test('jsonl and csv; known columns, splits, and all others as attributes', async () => {
    const root = temporaryFolder();
    await pictures(root, [''], ['a', 'b'], 2);
    put(
      root,
      'metadata.jsonl',
      '{"file_name": "a/0.png", "group": 7, "License": "CC0", "split": "val", "Sex": "F", "tags": ["x", "y"]}\n' +
        '\n{"file_name": "./b/1.png", "group": null, "Sex": ""}\n',
    );
    const images = byPath(await readAt(root));
    expect(images['a/0.png']).toMatchObject({
      label: 'a',
      group: '7',
      licence: 'CC0',
      split: 'validation',
      attributes: { Sex: 'F', tags: 'x|y' },
    });
    expect(images['b/1.png']).toMatchObject({ group: null, split: null, attributes: {} });
  });

  test('a table in each split folder, its paths relative to it', async () => {
    const root = temporaryFolder();
    await tree(root, ['train', 'test'], ['cat', 'dog']);
    put(root, 'train/metadata.csv', 'file_name,group\ncat/1.png,g1\ndog/1.png,g2\n');
    put(root, 'test/metadata.csv', 'file_name,group\ncat/1.png,g3\ngone.png,g4\n');
    put(root, 'test/cat/metadata.csv', 'file_name,group\n1.png,g9\n');
    const read = await readAt(root);
    expect(byPath(read)['test/cat/1.png']).toMatchObject({ group: 'g3', split: 'test' });
    expect(byPath(read)['train/dog/1.png']).toMatchObject({ group: 'g2', split: 'train' });
    expect(read.groupedBy).toBe('group column of test/metadata.csv');
    expect(read.warnings).toEqual(['1 row of metadata names no file: gone.png']);
    expect(Object.keys(reasons(read))).toEqual(['test/cat/metadata.csv']);
  });

  test('a label column makes a table of it, also where images lie in split folders only', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['train/0001.png', 'train/0002.png', 'test/0001.png']);
    put(root, 'train/metadata.csv', 'file_name,label\n0001.png,cat\n0002.png,dog\n');
    put(root, 'test/metadata.csv', 'file_name,label\n0001.png,dog\n');
    const read = await readAt(root);
    expect(byPath(read)).toMatchObject({
      'train/0001.png': { label: 'cat', split: 'train' },
      'train/0002.png': { label: 'dog', split: 'train' },
      'test/0001.png': { label: 'dog', split: 'test' },
    });
  });

  test('a broken line of JSON is refused with its place', async () => {
    const root = temporaryFolder();
    await pictures(root, [''], ['a'], 1);
    put(root, 'metadata.jsonl', '{"file_name": "a/0.png"}\n{"file_name": \n');
    await expect(readAt(root, folders('class'))).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/metadata\.jsonl, line 2: not JSON/),
      detail: { line: 2 },
    });
  });
});
