/** Where a table could give an image the label of another one. */
import { describe, expect, test } from 'vitest';
import type { Reading, TableColumns } from '../../contract/reading.ts';
import { put, temporaryFolder } from './datasets-folder.ts';
import { byPath, offersAt, putPictures, readAt, reasons } from './formats-support.ts';

function labels(root: string, name: string, rows: string[]): void {
  put(root, name, `file,label\n${rows.map((row) => `${row}\n`).join('')}`);
}

function table(...tables: string[]): Reading {
  const label = { kind: 'class', column: 'label' } as const;
  return { format: 'table', tables, columns: { path: 'file', label, attributes: [] } };
}

async function labelsAt(root: string, reading?: Reading): Promise<Record<string, string | null>> {
  const { candidates } = await readAt(root, reading);
  return Object.fromEntries(candidates.map(({ file, label }) => [file.path, label]));
}

async function columnsAt(root: string): Promise<TableColumns> {
  const [offer] = await offersAt(root);
  if (offer?.reading.format !== 'table') throw new Error(`read as ${offer?.reading.format}`);
  return offer.reading.columns;
}

describe('rows whose files are missing take no other file', () => {
  const classes = ['cat', 'dog', 'fox'].flatMap((name) => [1, 2, 3].map((i) => `${name}/${i}`));

  test.each([
    ['from the root', '', '.png', ''],
    ['with a prefix that is not there', '/home/me/pets/', '.png', ''],
    ['without endings', '', '', ''],
    ['below the root', '', '.png', 'data/images/'],
  ])('%s', async (_, prefix, ending, below) => {
    const root = temporaryFolder();
    const there = ['dog/1.png', 'dog/2.png', 'dog/3.png', 'fox/1.png'];
    await putPictures(
      root,
      there.map((path) => below + path),
    );
    labels(
      root,
      't.csv',
      classes.map((path) => `${prefix}${path}${ending},${path.slice(0, 3)}`),
    );
    expect(await labelsAt(root, table('t.csv'))).toEqual(
      Object.fromEntries(there.map((path) => [below + path, path.slice(0, 3)])),
    );
    const skipped = reasons(await readAt(root, table('t.csv')));
    expect(skipped[`${prefix}cat/1${ending}`]).toBe('no such file (t.csv, line 2)');
    expect(skipped[`${prefix}cat/3${ending}`]).toBe('no such file (t.csv, line 4)');
    expect(skipped[`${prefix}fox/2${ending}`]).toBe('no such file (t.csv, line 9)');
  });

  test('nor with patients above folders whose names come again', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['files/p10/s1/view1.png', 'files/p12/s2/view1.png']);
    labels(root, 't.csv', [
      'files/p09/s1/view1.png,sick',
      'files/p10/s1/view1.png,well',
      'files/p11/s2/view1.png,sick',
      'files/p12/s2/view1.png,well',
    ]);
    expect(await labelsAt(root)).toEqual({
      'files/p10/s1/view1.png': 'well',
      'files/p12/s2/view1.png': 'well',
    });
  });

  test('a file that two names may mean is neither; one that fits better is meant', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['scans/1.png', 'scans/b/2.png']);
    labels(root, 'ties.csv', ['/old/cat/1.png,cat', '/old/dog/1.png,dog']);
    labels(root, 'better.csv', ['/old/a/2.png,cat', '/old/b/2.png,dog']);
    const tied = await readAt(root, table('ties.csv'));
    expect(tied.candidates).toEqual([]);
    expect(reasons(tied)['/old/cat/1.png']).toBe('2 names may mean scans/1.png (ties.csv, line 2)');
    expect(await labelsAt(root, table('better.csv'))).toEqual({ 'scans/b/2.png': 'dog' });
  });

  test('a folder that is not there for all rows is passed over', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['part_1/a.png', 'part_2/b.png']);
    labels(root, 't.csv', ['images/a.png,cat', 'images/b.png,dog']);
    expect(await labelsAt(root)).toEqual({ 'part_1/a.png': 'cat', 'part_2/b.png': 'dog' });
  });

  test('annotations of COCO', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['dog/1.png', 'dog/2.png']);
    const names = ['cat/1.png', 'cat/2.png', 'dog/1.png', 'dog/2.png'];
    const coco = {
      images: names.map((file_name, id) => ({ id, file_name })),
      categories: ['cat', 'dog'].map((name, id) => ({ id, name })),
      annotations: names.map((_, id) => ({ id, image_id: id, category_id: id < 2 ? 0 : 1 })),
    };
    put(root, 'annotations.json', JSON.stringify(coco));
    const read = await readAt(root, { format: 'coco', files: ['annotations.json'] });
    expect(read.candidates.map(({ file, label }) => [file.path, label])).toEqual([
      ['dog/1.png', 'dog'],
      ['dog/2.png', 'dog'],
    ]);
    expect(reasons(read)['cat/1.png']).toBe('no such file (annotations.json, image 0)');
  });
});

describe('splits', () => {
  const numbers = ['1,frog', '2,truck'];

  test.each(['train.csv', 'trainLabels.csv', 'train_val_labels.csv'])(
    '%s speaks of the images of its split',
    async (name) => {
      const both = temporaryFolder();
      await putPictures(both, ['train/1.png', 'test/1.png', 'train/2.png', 'test/2.png']);
      labels(both, name, numbers);
      expect(await labelsAt(both)).toEqual({ 'train/1.png': 'frog', 'train/2.png': 'truck' });
      const other = temporaryFolder();
      await putPictures(other, ['test/1.png', 'test/2.png']);
      labels(other, name, numbers);
      expect((await offersAt(other)).map(({ reading }) => reading.format)).toEqual(['folders']);
      const read = await readAt(other, table(name));
      expect(read.candidates).toEqual([]);
      expect(reasons(read)['1']).toBe(`only in another split: test/1.png (${name}, line 2)`);
    },
  );

  test('the folders of a row say its split before the name of the table', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['test/1.png', 'test/2.png']);
    labels(root, 'train.csv', ['pets/test/1.png,frog', 'pets/train/2.png,truck']);
    expect(await labelsAt(root)).toEqual({ 'test/1.png': 'frog' });
  });

  test('validation may be taken from the training images, where it has no folder', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['train_images/1.png', 'train_images/2.png']);
    labels(root, 'val.csv', numbers);
    const read = await readAt(root);
    expect(read.candidates.map(({ split }) => split)).toEqual(['validation', 'validation']);
  });

  test.each(['phase', 'split', 'subset'])(
    'a name with words of both says none: column %s does',
    async (column) => {
      const root = temporaryFolder();
      await putPictures(root, ['im/0.png', 'im/1.png']);
      put(root, 'train_test_labels.csv', `file,label,${column}\n0.png,a,train\n1.png,b,test\n`);
      expect((await columnsAt(root)).split).toBe(column);
      const read = await readAt(root);
      expect(read.candidates.map(({ split }) => split)).toEqual(['train', 'test']);
      const unsaid = await readAt(root, table('train_test_labels.csv'));
      expect(unsaid.candidates.map(({ split }) => split)).toEqual([null, null]);
    },
  );

  test('a table that says none: the folders of an image do', async () => {
    const root = temporaryFolder();
    const paths = ['train/a.png', 'Test_Images/x/b.png', 'c.png', 'bullet_train/d.png'];
    await putPictures(root, paths);
    labels(
      root,
      'labels.csv',
      paths.map((path, i) => `${path},${'abab'[i]}`),
    );
    expect(byPath(await readAt(root))).toMatchObject({
      'train/a.png': { split: 'train' },
      'Test_Images/x/b.png': { split: 'test' },
      'c.png': { split: null },
      'bullet_train/d.png': { split: null },
    });
  });
});

describe('which column is the class, which the group', () => {
  test('class folders below folders of splits tell the class, not a column with few values', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['train/cat/1.png', 'train/dog/2.png', 'test/cat/3.png']);
    put(root, 'train/metadata.csv', 'file_name,group,Sex\ncat/1.png,p1,F\ndog/2.png,p2,M\n');
    put(root, 'test/metadata.csv', 'file_name,group,Sex\ncat/3.png,p3,F\n');
    const offers = await offersAt(root);
    expect(offers.map(({ reading }) => reading.format)).not.toContain('table');
    expect(byPath(await readAt(root))).toMatchObject({
      'train/cat/1.png': { label: 'cat', split: 'train', group: 'p1', attributes: { Sex: 'F' } },
      'test/cat/3.png': { label: 'cat', split: 'test', group: 'p3' },
    });
  });

  test('measurements, ages and sexes are no classes by guess; what is sure is offered first', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['data/a.jpg', 'data/b.jpg', 'data/c.jpg']);
    put(
      root,
      'data/a_metadata.csv',
      'image_id,age_approximate,sex,site\na,55,female,arm\nb,30,female,leg\nc,60,male,arm\n',
    );
    put(root, 'truth.csv', 'image_id,melanoma,keratosis\na,0.0,0.0\nb,1.0,0.0\nc,0.0,1.0\n');
    const found = (await offersAt(root)).flatMap(({ reading }) =>
      reading.format === 'table' ? [reading.columns.label] : [],
    );
    expect(found).toEqual([
      { kind: 'findings', columns: ['melanoma', 'keratosis'] },
      { kind: 'class', column: 'site' },
    ]);
  });

  test('numbers without a gap from 0 on are codes of classes', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['a.png', 'b.png', 'c.png', 'd.png']);
    put(root, 't.csv', 'file,weight,level\na.png,61,2\nb.png,58,0\nc.png,70,1\nd.png,61,1\n');
    expect((await columnsAt(root)).label).toEqual({ kind: 'class', column: 'level' });
  });

  test.each(['lesion_id,patient_id', 'patient_id,lesion_id'])(
    '%s: the group is the patient',
    async (columns) => {
      const root = temporaryFolder();
      await putPictures(root, ['a.png', 'b.png']);
      put(root, 't.csv', `image,${columns},label\na.png,1,1,x\nb.png,2,1,y\n`);
      expect((await columnsAt(root)).group).toBe('patient_id');
    },
  );

  test('an empty list in JSONL is an image without findings, null none with a label', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['a.png', 'b.png', 'c.png', 'd.png']);
    const rows = [
      { image: 'a.png', labels: ['x', 'y'], tags: ['t'] },
      { image: 'b.png', labels: [], tags: [] },
      { image: 'c.png', labels: null },
      { image: 'd.png' },
    ];
    put(root, 't.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    const read = await readAt(root);
    expect([...byPath(read)['b.png']!.findings!]).toEqual([
      ['x', 0],
      ['y', 0],
    ]);
    expect(byPath(read)['b.png']!.attributes).toEqual({});
    expect(reasons(read)).toMatchObject({
      'c.png': 'no value in column labels (t.jsonl, line 3)',
      'd.png': 'no value in column labels (t.jsonl, line 4)',
    });
  });
});
