import { describe, expect, test } from 'vitest';
import type { Reading, TableColumns } from '../../contract/reading.ts';
import { put, temporaryFolder } from './datasets-folder.ts';
import { byPath, offersAt, putPictures, readAt, reasons } from './formats-support.ts';

function table(
  tables: string[],
  columns: Partial<TableColumns> & { label: TableColumns['label'] },
): Reading {
  return { format: 'table', tables, columns: { path: 'file', attributes: [], ...columns } };
}

const byClass = { label: { kind: 'class', column: 'label' } } as const;

describe('tables that are offered by their columns', () => {
  test.each([
    ['labels.csv', 'image,label,patient_id,split,sex\na.png,cat,p1,train,F\nb.png,dog,p2,val,M\n'],
    [
      'labels.csv',
      'image;label;patient_id;split;sex\r\na.png;cat;p1;train;F\r\nb.png;dog;p2;val;M\r\n',
    ],
    [
      'labels.tsv',
      'image\tlabel\tpatient_id\tsplit\tsex\na.png\tcat\tp1\ttrain\tF\nb.png\tdog\tp2\tval\tM',
    ],
    [
      'labels.jsonl',
      '{"image":"a.png","label":"cat","patient_id":"p1","split":"train","sex":"F"}\n{"sex":"M","image":"b.png","label":"dog","patient_id":"p2","split":"val"}\n',
    ],
  ])('%s', async (name, text) => {
    const root = temporaryFolder();
    await putPictures(root, ['images/a.png', 'images/b.png']);
    put(root, name, text);
    const [offer] = await offersAt(root);
    expect(offer!.reading).toEqual({
      format: 'table',
      tables: [name],
      columns: {
        path: 'image',
        label: { kind: 'class', column: 'label' },
        group: 'patient_id',
        split: 'split',
        attributes: ['sex'],
      },
    });
    expect(offer!.why).toContain('column image names files (2 of 2 tried)');
    const read = await readAt(root);
    expect(read.groupedBy).toBe('column patient_id');
    expect(byPath(read)).toMatchObject({
      'images/a.png': { label: 'cat', group: 'p1', split: 'train', attributes: { sex: 'F' } },
      'images/b.png': { label: 'dog', group: 'p2', split: 'validation', attributes: { sex: 'M' } },
    });
  });

  test('a table given by itself speaks of the files beside it, and only it is read', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['a.png', 'sub/b.png']);
    put(root, 'other.csv', 'file,label\na.png,wrong\n');
    const path = put(root, 'labels.csv', 'file,label\na.png,cat\nsub/b.png,dog\n');
    const offers = await offersAt(path);
    expect(offers.map(({ reading }) => reading)).toEqual([table(['labels.csv'], byClass)]);
    const read = await readAt(path);
    expect(read.candidates.map(({ file, label }) => [file.file, label])).toEqual([
      ['a.png', 'cat'],
      ['sub/b.png', 'dog'],
    ]);
  });

  test('columns of 1 and 0: one-hot where just one is set in each row, else findings', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['a.png', 'b.png']);
    put(root, 't.csv', 'file,cat,dog\na.png,1,0\nb.png,0,1\n');
    expect((await offersAt(root))[0]!.reading).toMatchObject({
      columns: { label: { kind: 'one-hot', columns: ['cat', 'dog'] } },
    });
    put(root, 't.csv', 'file,cat,dog\na.png,1,1\nb.png,-1,\n');
    expect((await offersAt(root))[0]!.reading).toMatchObject({
      columns: { label: { kind: 'findings', columns: ['cat', 'dog'] } },
    });
    const findings = (await readAt(root)).candidates.map(({ findings }) => [...findings!]);
    expect(findings).toEqual([
      [
        ['cat', 1],
        ['dog', 1],
      ],
      [['cat', -1]],
    ]);
  });

  test('without a telling name, few distinct values are a class only where no folders are', async () => {
    const flat = temporaryFolder();
    await putPictures(flat, ['a.png', 'b.png', 'c.png']);
    put(flat, 't.csv', 'file,kind,note\na.png,x,1st\nb.png,y,\nc.png,x,3rd\n');
    expect((await offersAt(flat))[0]!.reading).toMatchObject({
      columns: { label: { kind: 'class', column: 'kind' } },
    });
    const nested = temporaryFolder();
    await putPictures(nested, ['cat/a.png', 'dog/b.png']);
    put(nested, 't.csv', 'file,kind\na.png,x\nb.png,y\n');
    expect((await offersAt(nested)).map(({ reading }) => reading.format)).toEqual(['folders']);
  });

  test('the form for an answer to a contest is no table of labels', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['train/a.png', 'train/b.png', 'test/c.png']);
    put(root, 'train.csv', 'id_code,diagnosis\na,2\nb,1\n');
    put(root, 'sample_submission.csv', 'id_code,diagnosis\nc,0\n');
    const read = await readAt(root);
    expect(read.candidates.map(({ file, label }) => [file.path, label])).toEqual([
      ['train/a.png', '2'],
      ['train/b.png', '1'],
    ]);
    expect(reasons(read)['test/c.png']).toBe('in no row of train.csv');
  });

  test('a table whose cells name no file is not offered', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['cat/a.png', 'dog/b.png']);
    put(root, 't.csv', 'name,label\nfirst,x\nsecond,y\n');
    expect((await offersAt(root)).map(({ reading }) => reading.format)).toEqual(['folders']);
  });
});

describe('which file a cell names', () => {
  test('relative to the table, to the root, by name or stem anywhere; else the reason', async () => {
    const root = temporaryFolder();
    await putPictures(root, [
      'lists/near.png',
      'top.png',
      'deep/er/by name.png',
      'deep/ISIC_1.jpg',
      'x/same.png',
      'y/same.png',
      'x/é.png'.normalize('NFD'),
      'unlisted.png',
    ]);
    const cells = [
      'near.png',
      './top.png',
      'by name.png',
      'ISIC_1',
      'same.png',
      'y\\same.png',
      'é.png'.normalize('NFC'),
      '/elsewhere/gone.png',
      '../../../etc/passwd',
      '',
    ];
    put(root, 'lists/t.csv', `file,label\n${cells.map((cell) => `${cell},c`).join('\n')}\n`);
    const read = await readAt(root, table(['lists/t.csv'], byClass));
    expect(read.candidates.map(({ file }) => file.path.normalize('NFC'))).toEqual([
      'deep/ISIC_1.jpg',
      'deep/er/by name.png',
      'lists/near.png',
      'top.png',
      'x/é.png',
      'y/same.png',
    ]);
    expect(reasons(read)).toEqual({
      '': 'no file named (lists/t.csv, line 11)',
      '../../../etc/passwd': 'no such file (lists/t.csv, line 10)',
      '/elsewhere/gone.png': 'no such file (lists/t.csv, line 9)',
      'same.png': '2 files have that name: x/same.png, y/same.png (lists/t.csv, line 6)',
      'unlisted.png': 'in no row of lists/t.csv',
      'x/same.png': 'in no row of lists/t.csv',
    });
  });

  test('folders fit from the inside out: prefixes of other machines, but never another folder', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['train/cat/1.png', 'test/cat/1.png', 'test/cat/2.png', 'IMG_1.JPG']);
    const cells = [
      'C:\\data\\pets\\train\\cat\\1.png',
      '/home/me/pets/test/cat/1.png',
      'pets/train/cat/2.png',
      'img_1.jpg',
    ];
    put(root, 't.csv', `file,label\n${cells.map((cell, i) => `${cell},c${i}`).join('\n')}\n`);
    const read = await readAt(root, table(['t.csv'], byClass));
    expect(read.candidates.map(({ file, label }) => [file.path, label])).toEqual([
      ['IMG_1.JPG', 'c3'],
      ['test/cat/1.png', 'c1'],
      ['train/cat/1.png', 'c0'],
    ]);
    expect(reasons(read)['pets/train/cat/2.png']).toBe('no such file (t.csv, line 4)');
  });

  test.each(['train/t.csv', 'train/lists/t.csv'])(
    '%s, in the folder of a split, never takes images of another split',
    async (training) => {
      const root = temporaryFolder();
      await putPictures(root, ['train/a.png', 'test/a.png', 'test/b.png']);
      put(root, 'test/t.csv', 'file,label\na.png,cat\nb.png,cat\n');
      put(root, training, 'file,label\na.png,dog\nb.png,dog\n');
      const read = await readAt(root, table([training, 'test/t.csv'], byClass));
      expect(read.candidates.map(({ file, label }) => [file.path, label])).toEqual([
        ['test/a.png', 'cat'],
        ['test/b.png', 'cat'],
        ['train/a.png', 'dog'],
      ]);
      expect(reasons(read)).toEqual({ 'b.png': `no such file (${training}, line 3)` });
    },
  );
});

describe('tables as spreadsheets and programs write them', () => {
  test.each([
    ['UTF-8 with its mark', (text: string) => Buffer.from(`\uFEFF${text}`)],
    ['UTF-16', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['UTF-16, big end first', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
    ['Windows-1252', (text: string) => Buffer.from(text, 'latin1')],
  ])('%s', async (_, encoded) => {
    const root = temporaryFolder();
    await putPictures(root, ['a.png', 'b.png']);
    const text =
      'Datei;Klasse;Notiz\r\na.png;böse;"mit\r\nZeile; ""zwei"""\r\nb.png;gut;3" breit\r\n';
    put(root, 't.csv', encoded(text));
    const read = await readAt(root, {
      format: 'table',
      tables: ['t.csv'],
      columns: {
        path: 'Datei',
        label: { kind: 'class', column: 'Klasse' },
        attributes: ['Notiz'],
      },
    });
    expect(read.candidates.map(({ label, attributes }) => [label, attributes])).toEqual([
      ['böse', { Notiz: 'mit\r\nZeile; "zwei"' }],
      ['gut', { Notiz: '3" breit' }],
    ]);
  });

  test('lines are counted through quoted ones; the row of a wrong length is the one named', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['cat/a.png', 'dog/b.png']);
    put(root, 't.csv', 'file,label,note\na.png,x,"one\ntwo"\n\nb.png,y,1,50\n');
    const [offer] = await offersAt(root);
    expect(offer!.reading).toMatchObject({ format: 'table', tables: ['t.csv'] });
    await expect(readAt(root)).rejects.toMatchObject({
      message: 't.csv, line 5: 4 cells instead of 3 cells',
      detail: { file: 't.csv', line: 5, value: 'b.png | y | 1 | 50' },
    });
  });

  test('blank cells beyond the columns and numbers of rows without a name are passed over', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['a.png', 'b.png']);
    put(root, 't.csv', ',file,label,age\n0,a.png,x,41,\n1,b.png,y,7,,\n');
    const read = await readAt(root);
    expect(read.candidates.map(({ attributes }) => attributes)).toEqual([
      { age: '41', 'Age band': '40-59' },
      { age: '7', 'Age band': '0-19' },
    ]);
  });
});

describe('what rows say', () => {
  test('a second row for an image and a blank class are skipped with their lines', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['a.png', 'b.png']);
    put(root, 't.csv', 'file,label\na.png,cat\n\na.png,dog\nb.png,\n');
    const read = await readAt(root, table(['t.csv'], byClass));
    expect(read.candidates.map(({ label }) => label)).toEqual(['cat']);
    expect(reasons(read)).toEqual({
      'a.png': 'a second row for the image (t.csv, line 4); the first counts (t.csv, line 2)',
      'b.png': 'no value in column label (t.csv, line 5)',
    });
  });

  test('domain, split, licence and source; odd splits are told; blank cells say nothing', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['a.png', 'b.png']);
    put(
      root,
      't.csv',
      'file,label,site,fold,lic,by,url,age\na.png,cat,Bonn,TRAIN,CC0,"Doe, Jane",http://x.example,7\nb.png,dog,,3,,,,\n',
    );
    const read = await readAt(
      root,
      table(['t.csv'], {
        ...byClass,
        domain: 'site',
        split: 'fold',
        licence: 'lic',
        attribution: 'by',
        source: 'url',
        attributes: ['age'],
      }),
    );
    expect(byPath(read)).toMatchObject({
      'a.png': {
        domain: 'Bonn',
        split: 'train',
        licence: 'CC0',
        attribution: 'Doe, Jane',
        source: 'http://x.example',
        attributes: { age: '7' },
      },
      'b.png': { domain: 'not stated', split: null, licence: null, attributes: {} },
    });
    expect(read.warnings.join()).toContain('column fold: 3 not known as a split');
  });

  test('findings separated by another mark, with another word for none', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['a.png', 'b.png', 'c.png']);
    put(root, 't.csv', 'file,found\na.png,edema; mass\nb.png,normal\nc.png,\n');
    const label = { kind: 'list', column: 'found', separator: ';', none: 'normal' } as const;
    const read = await readAt(root, table(['t.csv'], { label }));
    expect(read.classNames).toEqual(['edema', 'mass']);
    expect(byPath(read)['a.png']!.findings).toEqual(
      new Map([
        ['edema', 1],
        ['mass', 1],
      ]),
    );
    expect(byPath(read)['b.png']!.findings).toEqual(
      new Map([
        ['edema', 0],
        ['mass', 0],
      ]),
    );
    expect(reasons(read)).toEqual({ 'c.png': 'no value in column found (t.csv, line 4)' });
  });

  test.each<[string, Reading, RegExp]>([
    ['a missing table', table(['none.csv'], byClass), /there is no table none\.csv/],
    [
      'a missing column',
      table(['t.csv'], { ...byClass, group: 'patient' }),
      /t\.csv, line 1: there is no column "patient"/,
    ],
    [
      'a missing label',
      table(['t.csv'], { label: { kind: 'class', column: 'x' } }),
      /no column "x"/,
    ],
    ['a missing path', table(['t.csv'], { ...byClass, path: 'x' }), /no column "x"/],
    [
      'a list that names no split',
      table(['t.csv', 'names.txt'], byClass),
      /names\.txt: its name says no split/,
    ],
    [
      'a ragged row',
      table(['ragged.csv'], byClass),
      /ragged\.csv, line 2: 1 cell instead of 2 cells/,
    ],
    [
      'a value that is no finding',
      table(['t.csv'], { label: { kind: 'findings', columns: ['label'] } }),
      /t\.csv, line 2: column label has the value "cat"/,
    ],
  ])('%s is refused with the way out', async (_, reading, message) => {
    const root = temporaryFolder();
    await putPictures(root, ['a.png']);
    put(root, 't.csv', 'file,label\na.png,cat\n');
    put(root, 'names.txt', 'a.png\n');
    put(root, 'ragged.csv', 'file,label\na.png\n');
    await expect(readAt(root, reading)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(message),
      detail: { wayOut: expect.any(String), file: expect.any(String) },
    });
  });
});
