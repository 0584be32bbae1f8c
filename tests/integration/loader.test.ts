import { rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { architectureSchema } from '../../contract/architecture.ts';
import { recipeSchema, trainingSchema } from '../../contract/study.ts';
import type { Batch } from '../../engine/runtime/batch.ts';
import { lumaOf } from '../../engine/transforms/colour.ts';
import { rotatePlane } from '../../engine/transforms/rotate.ts';
import {
  shuffleIndex,
  shufflePermutation,
  shufflePlanar,
} from '../../engine/transforms/shuffle.ts';
import { keepEvaluation } from '../../host/trainer/cached-source.ts';
import { all, drawItems, emptyFolder, loaderJob, opened } from './loader-support.ts';

const PLAIN = recipeSchema.parse({ mean: [0, 0, 0], std: [1, 1, 1] });
const training = (more: object = {}) =>
  trainingSchema.parse({ epochs: 2, batch: 4, lr: { peak: 0.1 }, ...more });

function example({ images, size }: Batch, position: number): Float32Array {
  const values = images.length / size;
  return images.subarray(position * values, (position + 1) * values);
}

describe('training batches', () => {
  test('hold every image once, with its label and id, and end with what is left over', async () => {
    const { loader } = await opened(await loaderJob());
    const batches = await all(loader.source('train')!.training(1, 0, 20));
    expect(batches.map(({ size }) => size)).toEqual([4, 4, 3]);
    for (const { images, labels, size, ids } of batches) {
      expect(images.length).toBe(size * 3 * 20 * 20);
      expect([...labels]).toEqual(ids?.map((id) => (id - 100) % 3));
    }
    const ids = batches.flatMap((batch) => batch.ids ?? []);
    expect([...ids].sort((a, b) => a - b)).toEqual(Array.from({ length: 11 }, (_, i) => 100 + i));
    const second = await all(loader.source('train')!.training(2, 0, 20));
    expect(second.flatMap((batch) => batch.ids)).not.toEqual(ids);
  });

  test('are the same whatever the threads, and from whichever batch on', async () => {
    const job = await loaderJob({ training: training({ mixup: 0.7 }) });
    const { loader: one } = await opened(job, { threads: 1 });
    const { loader: three } = await opened(job, { threads: 3 });
    const batches = await all(one.source('train')!.training(2, 0, 20));
    expect(await all(three.source('train')!.training(2, 0, 20))).toEqual(batches);
    expect(await all(three.source('train')!.training(2, 1, 20))).toEqual(batches.slice(1));
    expect(await all(one.source('train')!.training(1, 0, 20))).not.toEqual(batches);
  });

  test('of rotations are turned by their label, drawn anew in each epoch', async () => {
    const job = await loaderJob();
    const { loader: upright } = await opened(job);
    const { loader: turning } = await opened({ ...job, task: 'rotation' });
    const drawn: number[][] = [];
    for (const epoch of [1, 2]) {
      const before = await all(upright.source('train')!.training(epoch, 0, 20));
      const after = await all(turning.source('train')!.training(epoch, 0, 20));
      after.forEach((batch, b) => {
        expect(batch.ids).toEqual(before[b]!.ids);
        batch.labels.forEach((turns, i) => {
          const wanted = example(before[b]!, i).slice();
          for (let plane = 0; plane < 3; plane++) {
            rotatePlane(wanted.subarray(plane * 400, (plane + 1) * 400), 20, turns);
          }
          expect(example(batch, i)).toEqual(wanted);
        });
      });
      drawn.push(after.flatMap(({ labels }) => [...labels]));
    }
    expect(drawn[0]).not.toEqual(drawn[1]);
    expect(new Set(drawn.flat())).toEqual(new Set([0, 1, 2, 3]));
    const evaluated = await all(turning.source('train')!.evaluation());
    expect(evaluated.flatMap(({ labels }) => [...labels])).toEqual(job.train.labels);
  });

  test('are mixed in pairs with mixup; the labels stay', async () => {
    const job = await loaderJob();
    const { loader: plain } = await opened(job);
    const { loader: mixing } = await opened({ ...job, training: training({ mixup: 0.7 }) });
    const before = await all(plain.source('train')!.training(1, 0, 20));
    const after = await all(mixing.source('train')!.training(1, 0, 20));
    after.forEach((batch, b) => {
      const unmixed = before[b]!;
      const { partner, lambda } = batch.mix!;
      expect(batch.labels).toEqual(unmixed.labels);
      partner.forEach((other, i) => {
        const [own, its] = [example(unmixed, i), example(unmixed, other)];
        example(batch, i).forEach((value, at) =>
          expect(value).toBeCloseTo(lambda * own[at]! + (1 - lambda) * its[at]!, 5),
        );
      });
    });
    expect(new Set(after.map(({ mix }) => mix?.lambda)).size).toBe(3);
    const [clean] = await all(mixing.source('train')!.evaluation());
    expect(clean?.mix).toBeUndefined();
  });

  test('come at every side of a progressive resizing', async () => {
    const sizes = { 'image-sizes': [{ from: 1, image: 32 }] };
    const { loader } = await opened(await loaderJob({ training: training(sizes) }));
    const source = loader.source('train')!;
    const [small] = await all(source.training(1, 2, 32));
    expect(small?.images.length).toBe(3 * 3 * 32 * 32);
    const [large] = await all(source.training(1, 2, 20));
    expect(large?.ids).toEqual(small?.ids);
    expect((await all(source.evaluation()))[0]?.images.length).toBe(4 * 3 * 20 * 20);
    await expect(all(source.training(1, 0, 24))).rejects.toThrow('nothing is decoded for 24 px');
  });

  test.each([0, 0.7])('are the same in memory that was given back; mixup %f', async (mixup) => {
    const job = await loaderJob({ training: training({ mixup }), shuffle: 5 });
    const { loader } = await opened(job, { threads: 2 });
    const source = loader.source('train')!;
    const fresh = [];
    for (const epoch of [1, 2, 3]) fresh.push(...(await all(source.training(epoch, 0, 20))));
    fresh.push(...(await all(source.evaluation())));
    const used = new Set<unknown>();
    const again: Batch[] = [];
    const copied = async (batches: AsyncIterable<Batch>): Promise<void> => {
      for await (const batch of batches) {
        again.push({ ...batch, images: batch.images.slice() });
        used.add(batch.images.buffer);
        batch.images.fill(NaN);
        source.giveBack!(batch);
      }
    };
    for (const epoch of [1, 2, 3]) await copied(source.training(epoch, 0, 20));
    await copied(source.evaluation());
    expect(again).toEqual(fresh);
    // The threads took them: what was posted to another thread is empty here.
    const taken = [...used].filter((buffer) => (buffer as ArrayBuffer).detached);
    expect(taken.length).toBeGreaterThan(0);
  });

  test('may be left half-way', async () => {
    const { loader } = await opened(await loaderJob());
    for await (const batch of loader.source('train')!.training(1, 0, 20)) {
      expect(batch.size).toBe(4);
      break;
    }
    expect(await all(loader.source('train')!.training(1, 0, 20))).toHaveLength(3);
  });
});

describe('evaluation batches', () => {
  test('are in order and unchanged, for each split that the job has', async () => {
    const job = await loaderJob({ recipe: { ...PLAIN, augment: { flip: true, shift: 3 } } });
    const { loader } = await opened({ ...job, validation: job.test, test: null });
    expect(loader.source('test')).toBeNull();
    const [batch] = await all(loader.source('validation')!.evaluation());
    expect(batch?.ids).toEqual([120, 121, 122]);
    // Image i has the bytes (at (i + 3) 7) mod 251, interleaved.
    const bytes = example(batch!, 1).map((value) => Math.round(value * 255));
    expect(bytes[400 + 7]).toBe(((3 * 7 + 1) * 24 * 7) % 251);
  });

  test('of one channel are the luma', async () => {
    const job = await loaderJob({ recipe: PLAIN });
    const grey = architectureSchema.parse({ name: 'convnet', image: 20, channels: 1 });
    const { loader: three } = await opened(job);
    const { loader: one } = await opened({ ...job, architecture: grey });
    const rgb = example((await all(three.source('train')!.evaluation()))[0]!, 2);
    const luma = example((await all(one.source('train')!.evaluation()))[0]!, 2);
    const byte = (value: number): number => Math.round(value * 255);
    expect([...luma].map(byte)).toEqual(
      Array.from({ length: 400 }, (_, i) =>
        lumaOf(byte(rgb[i]!), byte(rgb[400 + i]!), byte(rgb[800 + i]!)),
      ),
    );
  });

  test.each([5, 'pixel'] as const)('are shuffled alike by %s', async (shuffle) => {
    const job = await loaderJob({ recipe: PLAIN });
    const { loader: plain } = await opened(job);
    const { loader: shuffled } = await opened({ ...job, shuffle });
    const index = shuffleIndex(shufflePermutation(shuffle, 20, 3, job.seed)!, 20, 3);
    const [before] = await all(plain.source('train')!.evaluation());
    const [after] = await all(shuffled.source('train')!.evaluation());
    for (let i = 0; i < 4; i++) {
      const expected = new Float32Array(1200);
      shufflePlanar(example(before!, i), expected, index);
      expect(example(after!, i)).toEqual(expected);
    }
  });

  test('are kept for many weight sets, unless they are too large', async () => {
    const { loader } = await opened(await loaderJob());
    const expected = await all(loader.source('train')!.evaluation());
    const kept = keepEvaluation(loader.source('train')!);
    const [first, second] = [await all(kept.evaluation()), await all(kept.evaluation())];
    expect(first).toEqual(expected);
    second.forEach((batch, i) => expect(batch).toBe(first[i]));
    const remade = keepEvaluation(loader.source('train')!, 11 * 1200 * 4 - 1);
    const [before, again] = [await all(remade.evaluation()), await all(remade.evaluation())];
    expect(again).toEqual(before);
    expect(again[0]).not.toBe(before[0]);
  });
});

test('splits that nobody looks at are not read', async () => {
  const job = await loaderJob();
  for (const { file } of job.train.places) await rm(file);
  const { loader } = await opened(job, { only: ['test'] });
  expect(await all(loader.source('test')!.evaluation())).toHaveLength(1);
  expect(loader.source('train')).toBeNull();
});

test('a lost image is named before anything is decoded', async () => {
  const job = await loaderJob();
  await rm(job.train.places[3]!.file);
  await expect(opened(job)).rejects.toThrow(job.train.places[3]?.file);
});

test('an image that has changed since its import is refused', async () => {
  const job = await loaderJob();
  const [other] = (await drawItems(await emptyFolder(), 1, 50)).hashes;
  job.train.hashes[4] = other!;
  await expect(opened(job)).rejects.toThrow(`${job.train.places[4]?.file} has changed`);
});
