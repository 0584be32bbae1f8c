import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { architectureSchema } from '../../contract/architecture.ts';
import { recipeSchema, trainingSchema } from '../../contract/study.ts';
import { wholeFile } from '../../engine/transforms/place.ts';
import type {
  ItemList,
  TrainerCommand,
  TrainerJob,
  TrainerMessage,
} from '../../host/trainer/protocol.ts';

const MAIN = fileURLToPath(new URL('../../host/trainer/main.ts', import.meta.url));
const IMAGE = 24;

/** Circles, squares and crosses, each drawn a little differently. */
async function draw(folder: string, count: number): Promise<ItemList> {
  const items: ItemList = { imageIds: [], places: [], labels: [], hashes: [] };
  for (let i = 0; i < count; i++) {
    const path = join(folder, `image ${i}.png`);
    const bytes = await sharp(Buffer.from(shape(i)))
      .png()
      .toBuffer();
    await writeFile(path, bytes);
    items.imageIds.push(i + 1);
    items.places.push(wholeFile(path));
    items.labels.push(i % 3);
    items.hashes.push(createHash('sha256').update(bytes).digest('hex'));
  }
  return items;
}

function shape(i: number): string {
  const [x, y, r] = [10 + (i % 5), 9 + (i % 7), 4 + (i % 4)];
  const kinds = [
    `<circle cx="${x}" cy="${y}" r="${r}"/>`,
    `<rect x="${x - r}" y="${y - r}" width="${2 * r}" height="${2 * r}"/>`,
    `<path d="M${x - r} ${y - r}L${x + r} ${y + r}M${x + r} ${y - r}L${x - r} ${y + r}" stroke="black" stroke-width="2"/>`,
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${IMAGE}" height="${IMAGE}"><rect width="100%" height="100%" fill="white"/>${kinds[i % 3]}</svg>`;
}

/** Some of a list of images. */
export function pick(items: ItemList, from: number, to: number): ItemList {
  const { imageIds, places, labels, hashes } = items;
  return {
    imageIds: imageIds.slice(from, to),
    places: places.slice(from, to),
    labels: labels.slice(from, to),
    hashes: hashes.slice(from, to),
  };
}

export interface Fixture {
  folder: string;
  job(name: string, changes?: Partial<TrainerJob>): Promise<TrainerJob>;
}

export async function trainerFixture(): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), 'carryover-trainer-'));
  const images = join(folder, 'images');
  await mkdir(images);
  const train = await draw(images, 40);
  const validation = pick(train, 20, 29);
  const test = pick(train, 0, 9);
  const base: Omit<TrainerJob, 'runId' | 'folder'> = {
    cacheFolder: join(folder, 'cache'),
    cacheBytes: 1e9,
    architecture: architectureSchema.parse({ name: 'fixup-resnet10', width: 4, image: IMAGE }),
    classNames: ['circle', 'cross', 'square'],
    recipe: recipeSchema.parse({ augment: { shift: 2, flip: true } }),
    training: trainingSchema.parse({ epochs: 4, batch: 8, lr: { peak: 0.05 }, 'clip-norm': 5 }),
    seed: 3,
    shuffle: 'none',
    train,
    validation,
    test,
    start: { kind: 'random' },
    keepEpochs: [2],
    device: 'cpu',
    adapter: '',
  };
  return {
    folder,
    async job(name, changes = {}) {
      const runFolder = join(folder, name);
      await mkdir(runFolder, { recursive: true });
      const job: TrainerJob = { runId: name, folder: runFolder, ...base, ...changes };
      await writeFile(join(runFolder, 'job.json'), JSON.stringify(job));
      return job;
    },
  };
}

/** Starts the real child on a job. */
export function startChild(job: TrainerJob): ChildProcess {
  return fork(MAIN, [join(job.folder, 'job.json')], {
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
}

/** Runs the child until it ends; `onMessage` may kill or command it on the way. */
export async function runChild(
  job: TrainerJob,
  onMessage: (message: TrainerMessage, child: ChildProcess) => void = () => undefined,
): Promise<TrainerMessage[]> {
  const child = startChild(job);
  const messages: TrainerMessage[] = [];
  child.on('message', (message: TrainerMessage) => {
    messages.push(message);
    onMessage(message, child);
  });
  await new Promise((resolve) => child.on('exit', resolve));
  return messages;
}

export function command(child: ChildProcess, order: TrainerCommand): void {
  child.send(order);
}

/** Tensors of the weights of an epoch, the last one unless given. */
export async function finalWeights(
  job: TrainerJob,
  epoch: number = job.training.epochs,
): Promise<Buffer> {
  const name = `weights-${String(epoch).padStart(4, '0')}.safetensors`;
  const file = await readFile(join(job.folder, name));
  // The metadata names the run; the tensors are what must agree.
  return file.subarray(8 + Number(file.readBigUInt64LE(0)));
}

export function doneOf(messages: TrainerMessage[]): Extract<TrainerMessage, { type: 'done' }> {
  const done = messages.find((message) => message.type === 'done');
  if (!done) throw new Error(`the run did not finish: ${JSON.stringify(messages.at(-1))}`);
  return done;
}
