/** From a look to an imported data set, through the requests of the window. */
import { expect, onTestFinished, test } from 'vitest';
import { openWorkbench } from '../../host/workbench.ts';
import { put, temporaryFolder } from './datasets-folder.ts';
import { putPictures } from './formats-support.ts';

const HEADER =
  'Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,' +
  'Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,' +
  'Pleural Effusion,Pleural Other,Fracture,Support Devices\n';

test('CheXpert: what the look promises is what the import keeps', async () => {
  const root = temporaryFolder();
  const paths = [
    'train/patient00001/study1/view1_frontal.jpg',
    'train/patient00001/study2/view1_frontal.jpg',
    'valid/patient64541/study1/view1_frontal.jpg',
  ];
  await putPictures(root, paths);
  const row = (path: string, rest: string) => `CheXpert-v1.0/${path},${rest}\n`;
  put(
    root,
    'train.csv',
    HEADER +
      row(paths[0]!, 'Female,68,Frontal,AP,1.0,,,,,,,,,0.0,,,,1.0') +
      row(paths[1]!, 'Female,69,Frontal,PA,,,-1.0,1.0,,,,,,,,,,'),
  );
  put(root, 'valid.csv', HEADER + row(paths[2]!, `Male,81,Frontal,AP${',0.0'.repeat(14)}`));

  const workbench = openWorkbench({ home: temporaryFolder(), command: 'test' });
  onTestFinished(() => workbench.close());
  const { handlers, context } = workbench;
  const { reading } = (await handlers['datasets.look']({ path: root })).offers[0]!;
  const preview = await handlers['datasets.preview']({ path: root, reading });
  const scan = await context.jobs.wait(
    (await handlers['datasets.scan']({ path: root, reading })).id,
  );
  const started = await handlers['datasets.import']({ scanId: scan.result!, name: 'X-rays' });
  const { result } = await context.jobs.wait(started.id);
  const detail = await handlers['datasets.get']({ id: result! });
  expect(detail).toMatchObject({
    task: 'multi-label',
    images: preview.images,
    reading: { format: 'chexpert' },
    groupedBy: 'patient in the path',
    report: { groups: 2, splits: { train: 2, validation: 1 }, skipped: [] },
  });
  expect(detail.classNames).toEqual(preview.classes.map(({ name }) => name));
  expect(detail.attributes).toContainEqual({ name: 'Age band', values: ['60-79', '80+'] });
  const page = { offset: 0, limit: 10 };
  const { images } = await handlers['images.query']({ datasetId: result!, filter: {}, ...page });
  const second = await handlers['images.get']({ id: images[1]!.id });
  expect(second).toMatchObject({
    path: paths[1],
    group: 'patient00001',
    split: 'train',
    label: 'Lung Opacity',
    findings: { Cardiomegaly: -1, 'Lung Opacity': 1 },
    attributes: { Sex: 'Female', Age: '69', 'AP/PA': 'PA' },
  });
});
