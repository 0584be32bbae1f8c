/** A small set in CheXpert's published layout, drawn, and studies on it. */
import { join } from 'node:path';
import sharp from 'sharp';
import type { Workbench } from '../../host/workbench.ts';
import { put, temporaryFolder } from './datasets-folder.ts';
import { knowDevices } from './known-devices.ts';
import { ended, openHome } from './studies-home.ts';

const FINDINGS = [
  ...['No Finding', 'Enlarged Cardiomediastinum', 'Cardiomegaly', 'Lung Opacity', 'Lung Lesion'],
  ...['Edema', 'Consolidation', 'Pneumonia', 'Atelectasis', 'Pneumothorax', 'Pleural Effusion'],
  ...['Pleural Other', 'Fracture', 'Support Devices'],
];
const SHAPES: Record<string, string> = {
  Cardiomegaly: '<circle cx="8" cy="8" r="5" fill="#fff"/>',
  Edema: '<rect x="13" y="3" width="8" height="8" fill="#fff"/>',
};

/**
 * 24 patients with two views each: a disc is Cardiomegaly (on every second patient), a box Edema
 * (on every third image); every fifth Edema is uncertain, every seventh not mentioned.
 */
export async function drawChexpert(root: string): Promise<void> {
  const rows = [`Path,Sex,Age,Frontal/Lateral,AP/PA,${FINDINGS.join(',')}`];
  for (let i = 0; i < 48; i++) {
    const patient = Math.floor(i / 2) + 1;
    const present = { Cardiomegaly: patient % 2 === 0, Edema: i % 3 === 0 };
    const shapes = Object.entries(present).map(([name, on]) => (on ? SHAPES[name] : ''));
    const shift = `translate(${i % 3} ${Math.floor(i / 3) % 4})`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24"><rect width="24" height="24" fill="#${(16 + i).toString(16).repeat(3)}"/><g transform="${shift}">${shapes.join('')}</g></svg>`;
    const path = `train/patient${String(patient).padStart(5, '0')}/study1/view${(i % 2) + 1}_frontal.jpg`;
    put(root, path, await sharp(Buffer.from(svg)).jpeg({ quality: 95 }).toBuffer());
    const edema = i % 5 === 4 ? '-1.0' : i % 7 === 6 ? '' : present.Edema ? '1.0' : '0.0';
    const cells: Record<string, string> = {
      Cardiomegaly: present.Cardiomegaly ? '1.0' : '0.0',
      Edema: edema,
    };
    const sex = patient % 2 === 0 ? 'Female' : 'Male';
    const values = FINDINGS.map((name) => cells[name] ?? '').join(',');
    rows.push(`CheXpert-v1.0-small/${path},${sex},${30 + patient},Frontal,AP,${values}`);
  }
  put(root, 'train.csv', `${rows.join('\n')}\n`);
}

/** A workbench with the data set `chex`; closed and removed with the test. */
export async function chexpertHome(): Promise<Workbench> {
  const folder = temporaryFolder();
  const pictures = join(folder, 'pictures');
  await drawChexpert(pictures);
  const home = join(folder, 'home');
  await knowDevices(home);
  const workbench = openHome(home);
  const { handlers } = workbench;
  const reading = { format: 'chexpert' } as const;
  const scan = await ended(workbench, await handlers['datasets.scan']({ path: pictures, reading }));
  await ended(
    workbench,
    await handlers['datasets.import']({ scanId: scan.result ?? '', name: 'chex' }),
  );
  return workbench;
}

/** A study that trains in seconds. `data`: further keys of `data`. */
export function chexpertStudy(data: string, name = 'chex'): string {
  return `name: ${name}
data: { set: chex, ${data} }
architecture: { name: fixup-resnet10, width: 4, image: 24, channels: 1 }
arms:
  RI-T: { init: random }
  slow: { init: random, training: { lr: { peak: 0.005 } } }
seeds: [0, 1]
training: { epochs: 2, batch: 8, lr: { peak: 0.05 } }
`;
}
