import { expect, onTestFinished, test } from 'vitest';
import { importScan } from '../../host/datasets/import.ts';
import { scanSource } from '../../host/datasets/scan.ts';
import type { Workbench } from '../../host/workbench.ts';
import { openWorkbench } from '../../host/workbench.ts';
import { picture, put, temporaryFolder } from './datasets-folder.ts';

function open(): Workbench {
  const workbench = openWorkbench({ home: temporaryFolder(), command: 'test' });
  onTestFinished(() => workbench.close());
  return workbench;
}

const HEADER =
  'Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,' +
  'Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,' +
  'Pleural Effusion,Pleural Other,Fracture,Support Devices';

/** CheXpert as published, with three pictures; `edema` of the first. */
async function chests(edema = '1.0'): Promise<string> {
  const root = temporaryFolder();
  const line = (patient: string, about: string, findings: string): string =>
    `CheXpert-v1.0-small/${patient}/study1/view1_frontal.jpg,${about},${findings}`;
  put(
    root,
    'train.csv',
    [
      HEADER,
      line('train/patient00001', 'Female,68,Frontal,AP', `,,0.0,,,${edema},,,,,,,,1.0`),
      line('train/patient00002', 'Male,0,Frontal,PA', '1.0,,,,,-1.0,,,,,,,,'),
      '',
    ].join('\n'),
  );
  const valid = line(
    'valid/patient64541',
    'Male,73,Frontal,AP',
    '0.0,1.0,1.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0',
  );
  put(root, 'valid.csv', [HEADER, valid, ''].join('\n'));
  for (const [i, patient] of [
    'train/patient00001',
    'train/patient00002',
    'valid/patient64541',
  ].entries()) {
    put(root, `${patient}/study1/view1_frontal.jpg`, await picture(i, 'jpeg'));
  }
  return root;
}

test('findings, attributes, splits and groups of a multi-label set are stored as they are', async () => {
  const { context, handlers } = open();
  const scan = await scanSource(context, await chests());
  expect(scan.report).toMatchObject({ task: 'multi-label', splits: { train: 2, validation: 1 } });
  const { id, task } = importScan(context, scan, 'chests');
  expect(task).toBe('multi-label');
  const { images } = await handlers['images.query']({
    datasetId: id,
    filter: {},
    offset: 0,
    limit: 9,
  });
  const details = await Promise.all(
    images.map((image) => handlers['images.get']({ id: image.id })),
  );
  expect(details[0]).toMatchObject({
    findings: { Cardiomegaly: 0, Edema: 1, 'Support Devices': 1 },
    attributes: { Sex: 'Female', Age: '68', 'AP/PA': 'AP' },
    split: 'train',
    group: 'patient00001',
    label: 'Edema, Support Devices',
  });
  expect(details[1]!.findings).toEqual({ 'No Finding': 1, Edema: -1 });
  expect(Object.keys(details[2]!.findings)).toHaveLength(14);
  expect(details[2]!.split).toBe('validation');
});

test('the content hash knows findings: another value is another content, the order is none', async () => {
  const hashes = [];
  for (const edema of ['1.0', '1', '0.0', '-1.0', '']) {
    hashes.push((await scanSource(null, await chests(edema))).contentHash);
  }
  expect(hashes[1]).toBe(hashes[0]);
  expect(new Set(hashes).size).toBe(4);
});

test('the perceptual hash comes back from the database as it was', async () => {
  const { context } = open();
  const scan = await scanSource(context, await chests());
  const { id } = importScan(context, scan, 'chests');
  const stored = context.db
    .prepare<[string], bigint>('SELECT phash FROM images WHERE dataset_id = ? ORDER BY path')
    .pluck()
    .safeIntegers()
    .all(id);
  expect(stored.map((value) => BigInt.asUintN(64, value))).toEqual(
    scan.images.map(({ phash }) => phash),
  );
});

test('importing the same content again takes over new attributes, and nothing else', async () => {
  const { context, handlers } = open();
  const root = temporaryFolder();
  for (let i = 0; i < 4; i++) put(root, `${i % 2 ? 'cat' : 'dog'}/${i}.png`, await picture(i));
  const first = importScan(context, await scanSource(context, root), 'pets');
  expect((await handlers['datasets.get']({ id: first.id })).attributes).toEqual([]);
  put(root, 'metadata.csv', 'file_name,age,split\ncat/1.png,3,test\ndog/0.png,5,train\n');
  const again = importScan(context, await scanSource(context, root), 'pets');
  expect(again).toEqual(first);
  const detail = await handlers['datasets.get']({ id: first.id });
  expect(detail.attributes).toEqual([
    { name: 'age', values: ['3', '5'] },
    { name: 'Age band', values: ['0-19'] },
  ]);
  const { images } = await handlers['images.query']({
    datasetId: first.id,
    filter: { given: ['test'] },
    offset: 0,
    limit: 9,
  });
  expect(images.map(({ path }) => path)).toEqual(['cat/1.png']);
});

test('an archive is imported without being unpacked, each image at its place', async () => {
  const { context, handlers } = open();
  const root = temporaryFolder();
  const shard = put(root, 'pets.tar', await tarOf(['dog/1.png', 'cat/2.png', 'cat/3.png']));
  const scan = await scanSource(context, shard);
  expect(scan.images.map(({ path }) => path)).toEqual([
    'pets.tar/cat/2.png',
    'pets.tar/cat/3.png',
    'pets.tar/dog/1.png',
  ]);
  const { id } = importScan(context, scan, 'pets');
  const { images } = await handlers['images.query']({
    datasetId: id,
    filter: {},
    offset: 0,
    limit: 9,
  });
  expect(await handlers['images.get']({ id: images[0]!.id })).toMatchObject({
    label: 'cat',
    state: 'ok',
    width: 24,
  });
  const again = await scanSource(context, shard);
  expect(again.contentHash).toBe(scan.contentHash);
});

async function tarOf(paths: string[]): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for (const [i, path] of paths.entries()) {
    const bytes = await picture(i + 1);
    const header = Buffer.alloc(512);
    header.write(path, 0);
    header.write('0000644\0', 100);
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write('0', 156);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    blocks.push(header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
