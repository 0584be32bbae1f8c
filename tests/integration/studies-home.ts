import { join } from 'node:path';
import sharp from 'sharp';
import { onTestFinished } from 'vitest';
import type { StudyDetail } from '../../contract/study.ts';
import type { Job } from '../../contract/jobs.ts';
import type { Workbench } from '../../host/workbench.ts';
import { openWorkbench } from '../../host/workbench.ts';
import { put, temporaryFolder } from './datasets-folder.ts';
import { knowDevices } from './known-devices.ts';

/** Shapes as classes; drawn thick or thin as domains. */
const SHAPES: Record<string, (width: number) => string> = {
  disc: (w) => `<circle cx="12" cy="12" r="7" fill="none" stroke="black" stroke-width="${w}"/>`,
  box: (w) =>
    `<rect x="5" y="5" width="14" height="14" fill="none" stroke="black" stroke-width="${w}"/>`,
  cross: (w) => `<path d="M5 5 L19 19 M19 5 L5 19" stroke="black" stroke-width="${w}"/>`,
};

/** Draws `perClass` different pictures of each shape in each domain; two pictures make a group. */
export async function drawShapes(root: string, perClass: number): Promise<void> {
  const rows = ['file_name,group,license,author'];
  for (const [domain, width] of [
    ['thin', 1],
    ['thick', 3],
  ] as const) {
    for (const [shape, draw] of Object.entries(SHAPES)) {
      for (let i = 0; i < perClass; i++) {
        const shift = `translate(${(i % 5) - 2} ${(Math.floor(i / 5) % 5) - 2})`;
        const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24"><rect width="24" height="24" fill="white"/><g transform="${shift}">${draw(width + i * 0.01)}</g></svg>`;
        const path = `${domain}/${shape}/${i}.png`;
        put(root, path, await sharp(Buffer.from(svg)).png().toBuffer());
        rows.push(`${path},${domain}-${shape}-${Math.floor(i / 2)},CC0-1.0,Test`);
      }
    }
  }
  put(root, 'metadata.csv', `${rows.join('\n')}\n`);
}

export interface StudyHome {
  home: string;
  pictures: string;
  workbench: Workbench;
}

/** A workbench in a folder of its own with the data set `shapes`; closed and removed with the test. */
export async function shapesHome(perClass = 12): Promise<StudyHome> {
  const folder = temporaryFolder();
  const pictures = join(folder, 'pictures');
  await drawShapes(pictures, perClass);
  const home = join(folder, 'home');
  await knowDevices(home);
  const workbench = openHome(home);
  const { handlers } = workbench;
  const scan = await ended(workbench, await handlers['datasets.scan']({ path: pictures }));
  const scanId = scan.result ?? '';
  await ended(workbench, await handlers['datasets.import']({ scanId, name: 'shapes' }));
  return { home, pictures, workbench };
}

/** Opens a home until the test ends; closing it before is fine. */
export function openHome(home: string): Workbench {
  const workbench = openWorkbench({ home, command: 'test' });
  let open = true;
  const close = workbench.close.bind(workbench);
  workbench.close = async () => {
    if (open) await close();
    open = false;
  };
  onTestFinished(() => workbench.close());
  return workbench;
}

/** Waits for a job and expects that it went well. */
export async function ended({ context }: Workbench, job: Job): Promise<Job> {
  const end = await context.jobs.wait(job.id);
  if (end.status !== 'done') throw new Error(`${end.title}: ${end.status} ${end.failure?.message}`);
  return end;
}

export interface StudyOptions {
  name?: string;
  epochs?: number;
  seeds?: number[];
  shuffles?: (string | number)[];
}

/** A study of the shapes that trains in seconds. */
export function shapesStudy(options: StudyOptions = {}): string {
  const { name = 'shapes', epochs = 2, seeds = [0, 1], shuffles = ['none'] } = options;
  return `name: ${name}
pretraining:
  thin: { data: { set: shapes, domains: [thin] }, epochs: 2 }
data: { set: shapes, domain: thick, split: { train: 0.6, test: 0.4 } }
architecture: { name: fixup-resnet10, width: 4, image: 16 }
arms:
  P-T: { init: { checkpoint: thin@last } }
  RI-T: { init: random }
seeds: [${seeds.join(', ')}]
shuffles: [${shuffles.join(', ')}]
training: { epochs: ${epochs}, batch: 8, lr: { peak: 0.02 } }
`;
}

/** Creates and runs a study to its end. */
export async function runStudy(workbench: Workbench, yaml: string): Promise<StudyDetail> {
  const { handlers } = workbench;
  const { id } = await handlers['studies.create']({ yaml });
  await ended(workbench, await handlers['studies.start']({ id }));
  return handlers['studies.get']({ id });
}

/** A study text without its pretraining and the arm after it. */
export function onlyRandom(yaml: string): string {
  return yaml.replace(/^pretraining:\n.*\n/m, '').replace(/^ {2}P-T:.*\n/m, '');
}
