import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { RunSummary } from '../../contract/runs.ts';
import type { Batch } from '../../engine/runtime/batch.ts';
import type { ImagesRef } from '../../host/studies/analyses/lab.ts';
import { Laboratory } from '../../host/studies/analyses/laboratory.ts';
import type { MeasureJob } from '../../host/studies/analyses/protocol.ts';
import { weightsFiles } from '../../host/studies/analyses/view.ts';
import { temporaryFolder } from './datasets-folder.ts';
import { onlyRandom, runStudy, shapesHome, shapesStudy } from './studies-home.ts';

vi.setConfig({ testTimeout: 300_000 });

/** A laboratory that is closed with the test. */
function openLab(given: Pick<MeasureJob, 'folder' | 'runs' | 'weights'>): Laboratory {
  const lab = new Laboratory({ name: 'distance', job: null, ...given }, () => undefined);
  onTestFinished(() => lab.close());
  return lab;
}

const FEW = 5;

test('a laboratory sees the images and the networks as the trainer did', async () => {
  const { workbench } = await shapesHome(8);
  const { context, handlers } = workbench;
  const study = await runStudy(
    workbench,
    onlyRandom(shapesStudy({ seeds: [0], shuffles: ['none', 4] })),
  );
  const runs = await handlers['runs.list']({ studyId: study.id });
  const weights = weightsFiles(
    context,
    runs.map(({ id }) => id),
  );
  const lab = openLab({ folder: temporaryFolder(), runs: context.home.runs, weights });
  const targets = runs.filter(({ kind }) => kind === 'target');
  for (const run of targets) await checkEvaluation(lab, run, context.home.runs);
  await checkSubset(lab, targets[0]!.id);
  await checkActivations(lab, targets[0]!.id);
  await expect(lab.weights({ run: targets[0]!.id, epoch: 99 })).rejects.toThrow('@99');
});

/** The stored weights give the logits that the trainer stored, under every shuffle. */
async function checkEvaluation(lab: Laboratory, run: RunSummary, folder: string): Promise<void> {
  const weights = await lab.weights({ run: run.id, epoch: run.epochs });
  const found = await lab.evaluate(weights, { run: run.id, split: 'test' });
  const bytes = readFileSync(join(folder, run.id, 'logits-test.f32'));
  const stored = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  expect(found.logits).toEqual(Float32Array.from(stored));
  expect(found.accuracy).toBe(run.testAccuracy);
}

/** Pixels and label of each image of batches. */
function singles(batches: readonly Batch[]): { pixels: Float32Array; label: number; id: number }[] {
  return batches.flatMap(({ images, labels, ids, size }) =>
    Array.from({ length: size }, (_, at) => {
      const width = images.length / size;
      const pixels = images.slice(at * width, (at + 1) * width);
      return { pixels, label: labels[at]!, id: ids![at]! };
    }),
  );
}

/** Drawn images are the rows of the whole that they say they are. */
async function checkSubset(lab: Laboratory, run: string): Promise<void> {
  const [all, few]: ImagesRef[] = [
    { run, split: 'train' },
    { run, split: 'train', most: FEW },
  ];
  const { labels, imageIds } = lab.job(run).train;
  const rows = lab.rows(few!);
  expect(lab.rows(all!)).toEqual(imageIds.map((_, row) => row));
  expect(lab.rows({ ...few!, most: 1000 })).toEqual(lab.rows(all!));
  expect(new Set(rows).size).toBe(FEW);
  expect(rows).toEqual(rows.toSorted((a, b) => a - b));
  expect(lab.rows(few!)).toEqual(rows);

  const whole = singles(await lab.batches(all!));
  expect(whole.map(({ label, id }) => [label, id])).toEqual(
    imageIds.map((id, row) => [labels[row], id]),
  );
  const source = await lab.source(few!);
  expect(source.count).toBe(FEW);
  const drawn: Batch[] = [];
  for await (const batch of source.evaluation()) drawn.push(batch);
  expect(singles(drawn)).toEqual(rows.map((row) => whole[row]));
  expect(whole[rows[0]!]!.pixels).not.toEqual(whole[rows[1]!]!.pixels);
}

/** Averaged maps are the averages of the maps; logits are those of an evaluation. */
async function checkActivations(lab: Laboratory, run: string): Promise<void> {
  const images: ImagesRef = { run, split: 'test' };
  const weights = await lab.weights({ run, epoch: 2 });
  const taps = ['stem', 'logits'];
  const flat = await lab.activations(run, weights, images, taps, 'flat');
  const mean = await lab.activations(run, weights, images, taps, 'mean');
  const count = lab.rows(images).length;
  const [maps, means] = [flat.get('stem')!, mean.get('stem')!];
  expect([maps.images, means.images]).toEqual([count, count]);
  expect(means.dimensions).toBe(4);
  const positions = maps.dimensions / means.dimensions;
  expect(positions).toBeGreaterThan(1);
  means.values.forEach((value, at) => {
    const own = maps.values.subarray(at * positions, (at + 1) * positions);
    expect(value).toBeCloseTo(own.reduce((sum, each) => sum + each, 0) / positions, 5);
  });
  const { logits } = await lab.evaluate(weights, images);
  for (const found of [flat, mean]) {
    found.get('logits')!.values.forEach((value, at) => expect(value).toBeCloseTo(logits[at]!, 4));
  }
}

test('what was found is found again by the next process, and pictures are PNG', async () => {
  const folder = temporaryFolder();
  const compute = vi.fn(() => Promise.resolve({ values: [1, 2.5] }));
  const first = openLab({ folder, runs: folder, weights: {} });
  expect(await first.memo('losses of run 1', compute)).toEqual({ values: [1, 2.5] });
  const second = openLab({ folder, runs: folder, weights: {} });
  expect(await second.memo('losses of run 1', compute)).toEqual({ values: [1, 2.5] });
  expect(compute).toHaveBeenCalledTimes(1);
  await second.memo('losses of run 2', compute);
  expect(compute).toHaveBeenCalledTimes(2);
  await expect(second.memo('broken', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await second.memo('broken', compute);
  expect(compute).toHaveBeenCalledTimes(3);

  const pixels = Uint8Array.of(0, 128, 255, 7, 8, 9);
  const file = await second.picture('filter', pixels, { width: 3, height: 2, channels: 1 });
  expect(file).toBe('filter.png');
  const { data, info } = await sharp(join(folder, file))
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([3, 2]);
  expect(Uint8Array.from(data)).toEqual(pixels);
});
