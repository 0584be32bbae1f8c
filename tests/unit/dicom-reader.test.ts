import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Reading } from '../../contract/reading.ts';
import { dicom } from '../../host/datasets/formats/dicom.ts';
import type { Read } from '../../host/datasets/formats/reader.ts';
import { openTree } from '../../host/datasets/tree.ts';
import { zip } from './archives-support.ts';
import type { Element } from './dicom-support.ts';
import { dicomFile, greyFile, reference } from './dicom-support.ts';

type DicomReading = Extract<Reading, { format: 'dicom' }>;

const { signal } = new AbortController();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carryover-dicom-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function put(path: string, content: Buffer | string): void {
  const whole = join(folder, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, content);
}

function image(modality: string, more: Element[] = []): Buffer {
  const file: Element[] = [['00080060', 'CS', modality], ...more];
  return greyFile([1, 2, 3], file);
}

const patient = (id: string): Element => ['00100020', 'LO', id];
const called = (name: string): Element => ['00100010', 'PN', name];

async function read(
  choice: Partial<DicomReading> = {},
  { salt = 'salt', path = '' }: { salt?: string; path?: string } = {},
): Promise<Read> {
  const tree = await openTree(join(folder, path), { signal });
  const reading: DicomReading = { format: 'dicom', label: 'Modality', domain: 'none', ...choice };
  return dicom.read(tree, reading, { signal, salt });
}

async function labelsOffered(): Promise<string[]> {
  const offers = await dicom.offers(await openTree(folder, { signal }));
  return offers.map(({ reading }) => (reading.format === 'dicom' ? reading.label : ''));
}

describe('reading DICOM files', () => {
  it('takes them by their content, whatever they are called', async () => {
    put('a.dcm', image('CT'));
    put('IM0001', image('MR'));
    put('b.txt', image('US'));
    put('notes.txt', 'nothing');
    put('report', reference('test-SR'));
    const { candidates, skipped, task } = await read();
    expect(task).toBe('single-label');
    expect(candidates.map(({ file, label, frame }) => [file.path, label, frame])).toEqual([
      ['IM0001', 'MR', null],
      ['a.dcm', 'CT', null],
      ['b.txt', 'US', null],
    ]);
    expect(skipped).toEqual([
      { path: 'notes.txt', reason: 'not a DICOM file' },
      { path: 'report', reason: expect.stringMatching(/no pixels.*SR/) },
    ]);
  });

  it('takes the class from the folder or a tag, and the domain from a tag', async () => {
    const from = (maker: string): Element => ['00080070', 'LO', maker];
    put('cat/1', image('CT', [from('Acme')]));
    put('dog/2', image('MR'));
    put('3', image('MR', [['00181000', 'LO', 'x']]));
    const { candidates, skipped } = await read({ label: 'folder', domain: 'Manufacturer' });
    expect(candidates.map(({ label, domain }) => [label, domain])).toEqual([
      ['cat', 'Acme'],
      ['dog', 'unknown'],
    ]);
    expect(skipped).toEqual([{ path: '3', reason: expect.stringContaining('no folder') }]);
    const blank = await read({ label: 'ViewPosition' });
    expect(blank.skipped.map(({ reason }) => reason)).toContain('the tag ViewPosition is blank');
  });

  it('makes every frame an image, all of one group', async () => {
    put('two', image('XA', [['00280008', 'IS', '3'], ['00280011', 'US', [1]], patient('P1')]));
    put(
      'nobody',
      image('XA', [
        ['00280008', 'IS', '2'],
        ['00280011', 'US', [1]],
      ]),
    );
    const { candidates } = await read();
    expect(candidates.map(({ file, frame }) => [file.path, frame])).toEqual([
      ['nobody', 0],
      ['nobody', 1],
      ['two', 0],
      ['two', 1],
      ['two', 2],
    ]);
    expect(new Set(candidates.map(({ group }) => group)).size).toBe(2);
    expect(candidates[0]?.group).toBe('nobody');
  });

  it('takes the split from the level of folders that all are splits', async () => {
    for (const path of ['train/normal/1', 'train/test/2', 'test/normal/3', 'test/test/4']) {
      put(path, image('CT', [patient(path)]));
    }
    const splits = async (label: DicomReading['label']) =>
      (await read({ label })).candidates.map((one) => [one.file.path, one.label, one.split]);
    expect(await splits('folder')).toEqual([
      ['test/normal/3', 'normal', 'test'],
      ['test/test/4', 'test', 'test'],
      ['train/normal/1', 'normal', 'train'],
      ['train/test/2', 'test', 'train'],
    ]);
    expect((await splits('Modality')).map(([, , split]) => split)).toEqual([
      'test',
      'test',
      'train',
      'train',
    ]);
  });

  it('takes no split from the folder that is the class', async () => {
    put('test/1', image('CT'));
    put('train/2', image('MR'));
    const splits = async (label: DicomReading['label']) =>
      (await read({ label })).candidates.map(({ split }) => split);
    expect(await splits('folder')).toEqual([null, null]);
    expect(await splits('Modality')).toEqual(['test', 'train']);
    expect(await labelsOffered()).toEqual(['Modality']);
  });

  it('keeps ages, their bands and years as attributes', async () => {
    const about = (age: string): Element[] => [
      ['00101010', 'AS', age],
      ['00080020', 'DA', '20150304'],
      ['00100040', 'CS', 'F'],
    ];
    put('a', image('CT', about('047Y')));
    put('b', image('CT', about('018M')));
    put('c', image('CT', about('old')));
    const { candidates } = await read();
    expect(candidates[0]?.attributes).toEqual({
      Modality: 'CT',
      PatientSex: 'F',
      PatientAge: '047Y',
      'Age band': '40-59',
      'Study year': '2015',
    });
    expect(candidates.map(({ attributes }) => attributes['Age band'])).toEqual([
      '40-59',
      '0-19',
      undefined,
    ]);
  });
});

describe('identifiers', () => {
  const uids: Element[] = [
    ['0020000d', 'UI', '1.2.840.99'],
    ['0020000e', 'UI', '1.2.840.77'],
  ];

  it('become groups by a hash that needs the salt', async () => {
    put('a', image('CT', [patient('MRN-4711'), ['00100010', 'PN', 'Doe^Jane']]));
    put('b', image('CT', [patient('MRN-4711')]));
    put('c', image('CT', [patient('MRN-4712')]));
    const groupsWith = async (salt: string) =>
      (await read({}, { salt })).candidates.map(({ group }) => group);
    const groups = await groupsWith('one');
    expect(groups[0]).toMatch(/^patient-[0-9a-f]{16}$/);
    expect(groups[1]).toBe(groups[0]);
    expect(groups[2]).not.toBe(groups[0]);
    expect(await groupsWith('one')).toEqual(groups);
    expect((await groupsWith('two'))[0]).not.toBe(groups[0]);
    const whole = await read();
    const text = JSON.stringify(whole);
    expect(text).not.toMatch(/MRN-471|Doe|Jane/);
    expect(whole.groupedBy).toBe('patient (hashed)');
    expect(whole.warnings[0]).toMatch(/tags read: Modality.*PatientID.*salted hash/);
  });

  it('are those of the study or the series where the patient is blank', async () => {
    put('a', image('CT', [patient(' '), ...uids]));
    put('b', image('CT', uids.slice(1)));
    const { candidates, groupedBy } = await read();
    const kinds = candidates.map(({ group }) => group?.replace(/-.*/, ''));
    expect(kinds).toEqual(['study', 'series']);
    expect(groupedBy).toBe('series, study (hashed)');
  });

  it('in paths and in pixels are warned of', async () => {
    put('MRN-4711/a', image('CT', [patient('MRN-4711'), ['00280301', 'CS', 'YES']]));
    const { warnings } = await read();
    expect(warnings).toContainEqual(
      expect.stringMatching(/^1 path with the PatientID.*MRN-4711\/a/),
    );
    expect(warnings).toContainEqual(expect.stringContaining('burned into the pixels of 1 file'));
  });
});

describe('patients as folders', () => {
  it.each([
    ['DOE_JOHN', 'DOE^JOHN'],
    ['john doe', 'Doe^John'],
    ['DoeJohn', 'DOE^JOHN^^'],
    ['doe-john-2', 'DOE^JOHN'],
  ])('%s is warned of as the name %s, which is not kept', async (path, name) => {
    put(`${path}/a`, image('CT', [patient('1'), called(name)]));
    put('other/b', image('CT', [patient('2'), called('ROE^JANE')]));
    const whole = await read();
    expect(whole.warnings).toContainEqual(
      expect.stringMatching(/^1 path with the PatientID or PatientName of its file/),
    );
    expect(JSON.stringify(whole)).not.toMatch(/\^/);
    expect(await labelsOffered()).toEqual(['Modality']);
  });

  it('are no class that is offered, whatever they are called, and are warned of as one', async () => {
    for (const [index, name] of ['first', 'second', 'third'].entries()) {
      for (let n = 0; n < 4; n++) put(`${name}/${n}`, image('CT', [patient(`P${index}`)]));
    }
    expect(await labelsOffered()).toEqual(['Modality']);
    const warned = expect.stringContaining('each folder has the images of one patient');
    expect((await read({ label: 'folder' })).warnings).toContainEqual(warned);
    expect((await read()).warnings).not.toContainEqual(warned);
  });

  it('are told by PatientName where PatientID is blank', async () => {
    for (const name of ['first', 'second']) {
      for (let n = 0; n < 4; n++) put(`${name}/${n}`, image('CT', [called(`${name}^name`)]));
    }
    expect(await labelsOffered()).toEqual(['Modality']);
  });

  it('are none where one patient has all folders', async () => {
    for (const name of ['T1', 'T2']) {
      for (let n = 0; n < 4; n++) put(`${name}/${n}`, image('MR', [patient('only')]));
    }
    expect(await labelsOffered()).toEqual(['folder', 'Modality']);
    expect((await read({ label: 'folder' })).warnings).toHaveLength(1);
  });
});

describe('a DICOMDIR', () => {
  function directory(...files: string[]): Buffer {
    const records = files.map((file): Element[] => [
      ['00041430', 'CS', 'IMAGE'],
      ['00041500', 'CS', file],
    ]);
    return dicomFile([['00041220', 'SQ', records]]);
  }

  it('by itself stands for the files it lists', async () => {
    put('DICOMDIR', directory('SE1\\IM1', 'SE1\\IM2', 'SE1\\GONE'));
    put('SE1/IM1', image('CT'));
    put('se1/im2', image('MR'));
    put('SE1/UNLISTED', image('US'));
    const { candidates, skipped } = await read({}, { path: 'DICOMDIR' });
    expect(candidates.map(({ file }) => file.path)).toEqual(['SE1/IM1', 'se1/im2']);
    expect(skipped).toEqual([{ path: 'SE1/GONE', reason: 'listed in DICOMDIR, and not there' }]);
  });

  it('in an archive lists files of the archive', async () => {
    const parts = ['PAT0/IM1', 'PAT0/IM2'].map((name, index) => {
      return { name, data: image(index === 0 ? 'CT' : 'MR') };
    });
    const list = directory('PAT0\\IM1', 'PAT0\\IM2', 'PAT0\\GONE');
    put('cd.zip', zip([{ name: 'DICOMDIR', data: list }, ...parts]));
    const { candidates, skipped } = await read({}, { path: 'cd.zip' });
    expect(candidates.map(({ file, label }) => [file.path, label])).toEqual([
      ['PAT0/IM1', 'CT'],
      ['PAT0/IM2', 'MR'],
    ]);
    expect(skipped).toEqual([{ path: 'PAT0/GONE', reason: 'listed in DICOMDIR, and not there' }]);
  });

  it('in a folder is no image, and what it lists in vain is said', async () => {
    put('disc/DICOMDIR', directory('IM1', 'GONE'));
    put('disc/IM1', image('CT'));
    put('disc/OTHER', image('CT'));
    const { candidates, skipped } = await read();
    expect(candidates.map(({ file }) => file.path)).toEqual(['disc/IM1', 'disc/OTHER']);
    expect(skipped).toEqual([
      { path: 'disc/GONE', reason: 'listed in disc/DICOMDIR, and not there' },
    ]);
  });
});

describe('offers', () => {
  it('are none for other trees', async () => {
    put('a.png', 'png');
    put('README', 'text');
    expect(await labelsOffered()).toEqual([]);
  });

  it('begin with the folder where folders tell the files apart', async () => {
    for (const [index, name] of ['cat', 'dog'].entries()) {
      for (let n = 0; n < 4; n++) put(`${name}/${n}`, image('CT', [patient(`P${index}${n}`)]));
    }
    expect(await labelsOffered()).toEqual(['folder', 'Modality']);
  });

  it('leave folders out that are called as series are', async () => {
    for (const id of ['P1', 'P2']) {
      for (let n = 0; n < 4; n++) put(`${id}/ST0/SE${n % 2}/IM${n}`, image('CT', [patient(id)]));
    }
    expect(await labelsOffered()).toEqual(['Modality']);
  });

  it('leave folders out that are called after patients', async () => {
    for (const id of ['MRN-1', 'MRN-2']) {
      for (let n = 0; n < 3; n++) {
        const part: Element = ['00180015', 'CS', n === 0 ? 'HEAD' : 'CHEST'];
        put(`${id}/${n}`, image('CT', [patient(id), part]));
      }
    }
    expect(await labelsOffered()).toEqual(['BodyPartExamined', 'Modality']);
  });
});
