/** Real images for the benches that read some: a sample set, built if it is not there yet. */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { trainingSchema, recipeSchema } from '../contract/study.ts';
import type { ArchitectureSpec } from '../contract/architecture.ts';
import type { Recipe, Shuffle } from '../contract/study.ts';
import { homePaths, resolveHome } from '../host/home.ts';
import { buildSample } from '../host/samples/build.ts';
import type { BatchSource } from '../engine/train/loop.ts';
import type { LoaderJob } from '../host/trainer/batches.ts';
import type { Loader } from '../host/trainer/loader.ts';
import { wholeFile } from '../engine/transforms/place.ts';
import type { ItemList } from '../host/trainer/protocol.ts';

/**
 * The first `count` images of a sample set, in turn from its classes; repeated when it has fewer.
 * @param name of the set, or the absolute path of a folder like one: <domain>/<class>/*.png
 */
export async function sampleImages(
  name: string,
  count: number,
): Promise<{ items: ItemList; classNames: string[] }> {
  const folder = isAbsolute(name) ? name : await built(name);
  const files = (await readdir(folder, { recursive: true }))
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.png'))
    .sort();
  const byClass = Map.groupBy(files, (path) => path.split('/')[1] ?? '');
  const classNames = [...byClass.keys()].sort();
  const inTurn = [...byClass.values()]
    .flatMap((paths) => paths.map((path, place) => ({ path, place })))
    .sort((a, b) => a.place - b.place)
    .map(({ path }) => path);
  const items: ItemList = { imageIds: [], places: [], labels: [], hashes: [] };
  for (let i = 0; i < count; i++) {
    const file = inTurn[i % inTurn.length] ?? '';
    const path = join(folder, file);
    items.imageIds.push(i);
    items.places.push(wholeFile(path));
    items.labels.push(classNames.indexOf(file.split('/')[1] ?? ''));
    items.hashes.push(
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
  }
  return { items, classNames };
}

async function built(name: string): Promise<string> {
  const { folder } = await buildSample(name, {
    samplesFolder: homePaths(resolveHome()).samples,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  return folder;
}

export type BenchJob = LoaderJob & { classNames: string[] };

/** A job on some images for the loader; nothing of it is written but the decoded pixels. */
export function jobOn(
  { items, classNames }: { items: ItemList; classNames: string[] },
  architecture: ArchitectureSpec,
  batch: number,
  folder: string,
  { augment, shuffle }: { augment: Recipe['augment']; shuffle: Shuffle },
): BenchJob {
  return {
    cacheFolder: join(folder, 'cache'),
    cacheBytes: 1e12,
    architecture,
    classNames,
    recipe: recipeSchema.parse({ augment }),
    training: trainingSchema.parse({ epochs: 1, batch, lr: { peak: 0.01 } }),
    seed: 0,
    shuffle,
    train: items,
    validation: null,
    test: null,
  };
}

export function trainSource(loader: Loader): BatchSource {
  const source = loader.source('train');
  if (!source) throw new Error('the job has no images');
  return source;
}
