import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { onTestFinished } from 'vitest';
import { architectureSchema } from '../../contract/architecture.ts';
import { recipeSchema, trainingSchema } from '../../contract/study.ts';
import { wholeFile } from '../../engine/transforms/place.ts';
import type { Batch } from '../../engine/runtime/batch.ts';
import type { LoaderJob } from '../../host/trainer/batches.ts';
import type { Loader } from '../../host/trainer/loader.ts';
import type { LoaderOptions } from '../../host/trainer/open-loader.ts';
import { openLoader } from '../../host/trainer/open-loader.ts';
import type { ItemList, TrainerMessage } from '../../host/trainer/protocol.ts';

const SIDE = 20;

export async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carryover-loader-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Colourful PNGs of 20 x 20 pixels; image `i` has label i % 3 and id 100 + i. */
export async function drawItems(folder: string, count: number, first = 0): Promise<ItemList> {
  const items: ItemList = { imageIds: [], places: [], labels: [], hashes: [] };
  for (let i = first; i < first + count; i++) {
    const pixels = Uint8Array.from(
      { length: SIDE * SIDE * 3 },
      (_, at) => (at * (i + 3) * 7) % 251,
    );
    const raw = { width: SIDE, height: SIDE, channels: 3 } as const;
    const bytes = await sharp(pixels, { raw }).png().toBuffer();
    const path = join(folder, `${i}.png`);
    await writeFile(path, bytes);
    items.imageIds.push(100 + i);
    items.places.push(wholeFile(path));
    items.labels.push(i % 3);
    items.hashes.push(createHash('sha256').update(bytes).digest('hex'));
  }
  return items;
}

/** A job on 11 training images and 3 others, 20 px, batches of 4, augmented. */
export async function loaderJob(changes: Partial<LoaderJob> = {}): Promise<LoaderJob> {
  const folder = await emptyFolder();
  return {
    cacheFolder: join(folder, 'cache'),
    cacheBytes: 1e9,
    architecture: architectureSchema.parse({ name: 'convnet', image: SIDE }),
    recipe: recipeSchema.parse({ augment: { shift: 2, flip: true } }),
    training: trainingSchema.parse({ epochs: 2, batch: 4, lr: { peak: 0.1 } }),
    seed: 5,
    shuffle: 'none',
    train: await drawItems(folder, 11),
    validation: null,
    test: await drawItems(folder, 3, 20),
    ...changes,
  };
}

export interface Opened {
  loader: Loader;
  messages: TrainerMessage[];
}

/** A loader that is closed with the test. */
export async function opened(job: LoaderJob, options?: LoaderOptions): Promise<Opened> {
  const messages: TrainerMessage[] = [];
  const loader = await openLoader(job, (message) => messages.push(message), options);
  onTestFinished(() => loader.close());
  return { loader, messages };
}

export async function all(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const found: Batch[] = [];
  for await (const batch of batches) found.push(batch);
  return found;
}
