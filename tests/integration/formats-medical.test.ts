/** Medical data sets in the layouts that their publishers gave them, made small. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { put, temporaryFolder } from './datasets-folder.ts';
import { byPath, offersAt, putPictures, readAt, reasons } from './formats-support.ts';

const FINDINGS =
  'No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,Consolidation,' +
  'Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices';
const CHEXPERT_HEADER = `Path,Sex,Age,Frontal/Lateral,AP/PA,${FINDINGS}\n`;

describe('CheXpert', () => {
  async function cheXpert(base: string, prefix: string): Promise<string> {
    const root = temporaryFolder();
    await putPictures(
      root,
      [
        'train/patient00001/study1/view1_frontal.jpg',
        'train/patient00002/study2/view1_frontal.jpg',
        'train/patient00002/study2/view2_lateral.jpg',
        'valid/patient64541/study1/view1_frontal.jpg',
      ].map((path) => base + path),
    );
    put(
      root,
      `${base}train.csv`,
      CHEXPERT_HEADER +
        `${prefix}train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0,,,,,,,,,0.0,,,,1.0\n` +
        `${prefix}train/patient00002/study2/view1_frontal.jpg,Male,90,Frontal,PA,,,-1.0,1.0,,-1.0,-1.0,,-1.0,,-1.0,,1.0,\n` +
        `${prefix}train/patient00002/study2/view2_lateral.jpg,Unknown,0,Lateral,,,,,1.0,,,,,,,,,,\n` +
        `${prefix}train/patient00003/study1/view1_frontal.jpg,Male,41,Frontal,AP,,,,,,,,,,,,,,\n`,
    );
    put(
      root,
      `${base}valid.csv`,
      CHEXPERT_HEADER +
        `${prefix}valid/patient64541/study1/view1_frontal.jpg,Male,73,Frontal,AP,0.0,1.0,1.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\n`,
    );
    return root;
  }

  test.each([
    ['small', '', 'CheXpert-v1.0-small/'],
    ['full', '', 'CheXpert-v1.0/'],
    ['without a prefix', '', ''],
    ['from the folder above', 'CheXpert-v1.0-small/', 'CheXpert-v1.0-small/'],
  ])('%s', async (_, base, prefix) => {
    const root = await cheXpert(base, prefix);
    expect((await offersAt(root))[0]!.reading).toEqual({ format: 'chexpert' });
    const read = await readAt(root);
    expect(read.task).toBe('multi-label');
    expect(read.classNames).toEqual(FINDINGS.split(','));
    const images = byPath(read);
    expect(Object.keys(images)).toHaveLength(4);
    const second = images[`${base}train/patient00002/study2/view1_frontal.jpg`]!;
    expect(second).toMatchObject({
      label: null,
      domain: 'all',
      split: 'train',
      group: 'patient00002',
      attributes: {
        Sex: 'Male',
        Age: '90',
        'Age band': '80+',
        'Frontal/Lateral': 'Frontal',
        'AP/PA': 'PA',
      },
    });
    expect(Object.fromEntries(second.findings!)).toEqual({
      Cardiomegaly: -1,
      'Lung Opacity': 1,
      Edema: -1,
      Consolidation: -1,
      Atelectasis: -1,
      'Pleural Effusion': -1,
      Fracture: 1,
    });
    expect(images[`${base}train/patient00002/study2/view2_lateral.jpg`]!.attributes).toEqual({
      Sex: 'Unknown',
      'Frontal/Lateral': 'Lateral',
    });
    const valid = images[`${base}valid/patient64541/study1/view1_frontal.jpg`]!;
    expect(valid.split).toBe('validation');
    expect(valid.findings!.size).toBe(14);
    expect(valid.findings!.get('No Finding')).toBe(0);
    expect(Object.values(reasons(read))).toEqual([`no such file (${base}train.csv, line 5)`]);
  });

  test('tables beside the folder that their paths begin with', async () => {
    const root = await cheXpert('CheXpert-v1.0-small/', 'CheXpert-v1.0-small/');
    for (const table of ['train.csv', 'valid.csv']) {
      renameSync(join(root, 'CheXpert-v1.0-small', table), join(root, table));
    }
    const read = await readAt(root, { format: 'chexpert' });
    expect(read.candidates).toHaveLength(4);
    expect(Object.values(reasons(read))).toEqual(['no such file (train.csv, line 5)']);
  });

  test('a value that is none of the four is refused with file, line and value', async () => {
    const root = await cheXpert('', '');
    put(
      root,
      'valid.csv',
      `${CHEXPERT_HEADER}valid/patient64541/study1/view1_frontal.jpg,Male,73,Frontal,AP${',2.0'.repeat(14)}\n`,
    );
    await expect(readAt(root)).rejects.toMatchObject({
      code: 'bad-input',
      message: 'valid.csv, line 2: column No Finding has the value "2.0"',
      detail: { file: 'valid.csv', line: 2, value: '2.0' },
    });
  });
});

describe('NIH ChestX-ray', () => {
  test('listed findings, patients as groups, the lists as splits', async () => {
    const root = temporaryFolder();
    await putPictures(root, [
      'images_001/images/00000001_000.png',
      'images_001/images/00000001_001.png',
      'images_002/images/00000002_000.png',
    ]);
    put(
      root,
      'Data_Entry_2017.csv',
      'Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n' +
        '00000001_000.png,Cardiomegaly|Emphysema,0,1,58,M,PA,2682,2749,0.143,0.143,\n' +
        '00000001_001.png,No Finding,1,1,58,M,PA,2894,2729,0.143,0.143,\n' +
        '00000002_000.png,Hernia,0,2,81,F,AP,2500,2048,0.168,0.168,\n',
    );
    put(root, 'train_val_list.txt', '00000001_000.png\n00000001_001.png');
    put(root, 'test_list.txt', '00000002_000.png\n00000009_000.png\n');
    const read = await readAt(root);
    expect(read).toMatchObject({
      task: 'multi-label',
      classNames: ['Cardiomegaly', 'Emphysema', 'Hernia'],
      groupedBy: 'column Patient ID',
      skipped: [],
    });
    const images = byPath(read);
    expect(images['images_001/images/00000001_000.png']).toMatchObject({
      group: '1',
      split: 'train',
      attributes: { 'Patient Age': '58', 'Patient Gender': 'M', 'View Position': 'PA' },
    });
    const findings = ({ findings }: { findings: ReadonlyMap<string, number> | null }) =>
      Object.fromEntries(findings!);
    expect(findings(images['images_001/images/00000001_000.png']!)).toEqual({
      Cardiomegaly: 1,
      Emphysema: 1,
      Hernia: 0,
    });
    expect(findings(images['images_001/images/00000001_001.png']!)).toEqual({
      Cardiomegaly: 0,
      Emphysema: 0,
      Hernia: 0,
    });
    expect(images['images_002/images/00000002_000.png']!.split).toBe('test');
    expect(read.warnings.join()).toContain('test_list.txt names 1 image that cannot be told');
  });
});

describe('ISIC', () => {
  test('2018: one-hot ground truth, names without ending, lesions from the table beside', async () => {
    const root = temporaryFolder();
    const names = ['ISIC_0024306', 'ISIC_0024307', 'ISIC_0024308'];
    await putPictures(root, [
      ...names.map((name) => `ISIC2018_Task3_Training_Input/${name}.jpg`),
      'ISIC2018_Task3_Test_Input/ISIC_0034524.jpg',
    ]);
    const header = 'image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\n';
    put(
      root,
      'ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv',
      `${header}${names[0]},0.0,1.0,0.0,0.0,0.0,0.0,0.0\n${names[1]},1.0,0.0,0.0,0.0,0.0,0.0,0.0\n${names[2]},0.0,0.0,0.0,0.0,0.0,0.0,0.0\n`,
    );
    put(
      root,
      'ISIC2018_Task3_Test_GroundTruth/ISIC2018_Task3_Test_GroundTruth.csv',
      `${header}ISIC_0034524,0.0,1.0,0.0,0.0,0.0,1.0,0.0\nISIC_0034525,0.0,1.0,0.0,0.0,0.0,0.0,0.0\n`,
    );
    put(
      root,
      'ISIC2018_Task3_Training_LesionGroupings.csv',
      `image,lesion_id,diagnosis_confirm_type\n${names[0]},HAM_0000550,serial imaging showing no change\n${names[1]},HAM_0003577,histopathology\n${names[2]},HAM_0001477,histopathology\n`,
    );
    const read = await readAt(root);
    expect(read).toMatchObject({
      task: 'single-label',
      classNames: ['MEL', 'NV'],
      groupedBy: 'column lesion_id',
    });
    expect(
      read.candidates.map(({ label, group, split, attributes }) => ({
        label,
        group,
        split,
        attributes,
      })),
    ).toEqual([
      {
        label: 'NV',
        group: 'HAM_0000550',
        split: 'train',
        attributes: { diagnosis_confirm_type: 'serial imaging showing no change' },
      },
      {
        label: 'MEL',
        group: 'HAM_0003577',
        split: 'train',
        attributes: { diagnosis_confirm_type: 'histopathology' },
      },
    ]);
    const text = Object.values(reasons(read)).join('\n');
    expect(text).toMatch(/no class has a 1 \(.*Training_GroundTruth\.csv, line 4\)/);
    expect(text).toMatch(/2 classes have a 1: NV, DF \(.*Test_GroundTruth\.csv, line 2\)/);
    expect(text).toMatch(/no such file \(.*Test_GroundTruth\.csv, line 3\)/);
  });

  test('2019: sex, age and site from the metadata', async () => {
    const root = temporaryFolder();
    await putPictures(root, [
      'ISIC_2019_Training_Input/ISIC_0000000.jpg',
      'ISIC_2019_Training_Input/ISIC_0000001.jpg',
    ]);
    put(
      root,
      'ISIC_2019_Training_GroundTruth.csv',
      'image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK\nISIC_0000000,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\nISIC_0000001,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0\n',
    );
    put(
      root,
      'ISIC_2019_Training_Metadata.csv',
      'image,age_approx,anatom_site_general,lesion_id,sex\nISIC_0000000,55.0,anterior torso,,female\nISIC_0000001,30.0,,BCN_0001,male\n',
    );
    const read = await readAt(root);
    expect(read.classNames).toEqual(['NV', 'SCC']);
    expect(read.candidates.map(({ group, attributes }) => ({ group, attributes }))).toEqual([
      {
        group: null,
        attributes: {
          age_approx: '55.0',
          'Age band': '40-59',
          anatom_site_general: 'anterior torso',
          sex: 'female',
        },
      },
      {
        group: 'BCN_0001',
        attributes: { age_approx: '30.0', 'Age band': '20-39', sex: 'male' },
      },
    ]);
  });

  test('2019: the weights in the truth of its test set are no classes', async () => {
    const root = temporaryFolder();
    const [training, testing] = ['ISIC_2019_Training', 'ISIC_2019_Test'];
    await putPictures(root, [
      `${testing}_Input/ISIC_0034321.jpg`,
      `${training}_Input/ISIC_0000000.jpg`,
    ]);
    const classes = 'MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK';
    put(
      root,
      `${testing}_GroundTruth.csv`,
      `image,${classes},score_weight,validation_weight\nISIC_0034321,0,0,0,0,0,0,0,0,1,0,1\n`,
    );
    put(
      root,
      `${training}_GroundTruth.csv`,
      `image,${classes}\nISIC_0000000,1.0,0,0,0,0,0,0,0,0\n`,
    );
    const read = await readAt(root);
    expect(read.classNames).toEqual(['MEL', 'UNK']);
    expect(read.candidates.map(({ label, split }) => [label, split])).toEqual([
      ['UNK', 'test'],
      ['MEL', 'train'],
    ]);
  });
});
