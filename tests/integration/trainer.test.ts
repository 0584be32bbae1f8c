import { createHash } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { architectureSchema } from '../../contract/architecture.ts';
import { recipeSchema, trainingSchema } from '../../contract/study.ts';
import { readWeights } from '../../host/trainer/journal.ts';
import type { Fixture } from './trainer-support.ts';
import { command, doneOf, finalWeights, runChild, trainerFixture } from './trainer-support.ts';

let fixture: Fixture;
let reference: Buffer;

beforeAll(async () => {
  fixture = await trainerFixture();
  const job = await fixture.job('reference');
  const messages = await runChild(job);
  doneOf(messages);
  reference = await finalWeights(job);
});
afterAll(() => rm(fixture.folder, { recursive: true, force: true }));

describe('the training child', () => {
  it('learns, and reports every epoch, its files and what made them', async () => {
    const job = await fixture.job('learns', {
      recipe: recipeSchema.parse({}),
      architecture: architectureSchema.parse({ name: 'fixup-resnet10', width: 12, image: 24 }),
      training: trainingSchema.parse({
        epochs: 40,
        batch: 8,
        lr: { peak: 0.05, schedule: 'one-cycle' },
        'clip-norm': 1,
      }),
    });
    const messages = await runChild(job);
    const done = doneOf(messages);
    const curve = messages.filter((m) => m.type === 'epoch').map((m) => m.metrics);
    expect(curve.map((m) => m.epoch)).toEqual([...Array(41).keys()]);
    expect(curve.at(-1)?.trainAccuracy).toBeGreaterThan(0.8);
    expect(curve.at(-1)?.trainLoss).toBeLessThan(curve[1]?.trainLoss ?? 0);
    for (const file of done.files) {
      const bytes = await readFile(join(job.folder, file.name));
      expect(bytes.length).toBe(file.bytes);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256);
    }
    expect(done.files.map((f) => f.name).sort()).toEqual([
      'logits-test.f32',
      'logits-train.f32',
      'weights-0000.safetensors',
      'weights-0002.safetensors',
      'weights-0040.safetensors',
    ]);
    expect((await stat(join(job.folder, 'logits-test.f32'))).size).toBe(9 * 3 * 4);
  });

  it('gives the same weights bit for bit a second time', async () => {
    const job = await fixture.job('again');
    doneOf(await runChild(job));
    expect((await finalWeights(job)).equals(reference)).toBe(true);
  });

  it('killed at several moments and started again, ends with the same weights bit for bit', async () => {
    const job = await fixture.job('killed');
    const moments = [
      (m: { type: string }) => m.type === 'epoch',
      (m: { type: string }) => m.type === 'step',
      (m: { type: string; metrics?: { epoch: number } }) => m.metrics?.epoch === 2,
    ];
    for (const moment of moments) {
      const messages = await runChild(job, (message, child) => {
        if (moment(message)) child.kill('SIGKILL');
      });
      expect(messages.some((m) => m.type === 'done')).toBe(false);
    }
    const messages = await runChild(job);
    doneOf(messages);
    const epochs = messages.filter((m) => m.type === 'epoch');
    expect(epochs.map((m) => m.metrics.epoch)).toEqual([0, 1, 2, 3, 4]);
    expect(epochs.some((m) => m.resumed)).toBe(true);
    expect((await finalWeights(job)).equals(reference)).toBe(true);
  });

  it('pauses within an epoch and goes on to the same weights bit for bit', async () => {
    const job = await fixture.job('paused');
    const first = await runChild(job, (message, child) => {
      if (message.type === 'epoch' && message.metrics.epoch === 1)
        command(child, { type: 'pause' });
    });
    expect(first.at(-1)?.type).toBe('paused');
    doneOf(await runChild(job));
    expect((await finalWeights(job)).equals(reference)).toBe(true);
  });

  it('starts from a checkpoint with all but the head, and refuses one that does not fit', async () => {
    const parent = join(fixture.folder, 'reference', 'weights-0004.safetensors');
    const job = await fixture.job('fine-tuned', {
      start: { kind: 'weights', file: parent },
      seed: 9,
    });
    doneOf(await runChild(job));
    const before = (await readWeights(parent)).tensors;
    const start = (await readWeights(join(job.folder, 'weights-0000.safetensors'))).tensors;
    for (const [name, { data }] of before) {
      const same = data.every((value, i) => value === start.get(name)?.data[i]);
      expect(same, name).toBe(!name.startsWith('fc.'));
    }
    const other = await fixture.job('misfit', {
      start: { kind: 'weights', file: parent },
      architecture: { ...job.architecture, width: 8 },
    });
    const failed = (await runChild(other)).at(-1);
    expect(failed).toMatchObject({ type: 'failed', failure: { code: 'bad-input' } });
  });

  it('says when a shuffle is the identity, and trains on shuffled images otherwise', async () => {
    const training = trainingSchema.parse({ epochs: 1, batch: 8, lr: { peak: 0.05 } });
    // RandomState(1234).permutation(4) is the identity (science: the paper's block 112, seed 0).
    const identity = await fixture.job('identity', { shuffle: 12, seed: 0, training });
    expect((await runChild(identity)).find((m) => m.type === 'note')).toMatchObject({
      text: expect.stringContaining('identity') as string,
    });
    const shuffled = await fixture.job('shuffled', { shuffle: 12, seed: 1, training });
    const plain = await fixture.job('plain', { shuffle: 'none', seed: 1, training });
    expect((await runChild(shuffled)).some((m) => m.type === 'note')).toBe(false);
    await runChild(plain);
    expect((await finalWeights(shuffled)).equals(await finalWeights(plain))).toBe(false);
  });

  it('stops before training when an image is gone or has changed, and names it', async () => {
    const job = await fixture.job('gone');
    const paths = [...job.train.paths];
    paths[7] = `${paths[7]}.missing`;
    const gone = await fixture.job('gone', { train: { ...job.train, paths } });
    expect((await runChild(gone)).at(-1)).toMatchObject({
      type: 'failed',
      failure: { code: 'not-found', detail: { file: paths[7] } },
    });
    const copy = join(fixture.folder, 'changed.png');
    await writeFile(copy, await readFile(job.train.paths[8] ?? ''));
    paths[7] = copy;
    const changed = await fixture.job('changed', {
      train: { ...job.train, paths, hashes: [...job.train.hashes].reverse() },
    });
    expect((await runChild(changed)).at(-1)).toMatchObject({
      type: 'failed',
      failure: { code: 'conflict' },
    });
  });

  it('stops on a loss that is not finite and says where and at which rate', async () => {
    const job = await fixture.job('diverges', {
      training: trainingSchema.parse({ epochs: 30, batch: 8, lr: { peak: 1e6 } }),
    });
    const last = (await runChild(job)).at(-1);
    expect(last).toMatchObject({ type: 'failed', failure: { code: 'bad-input' } });
    expect(JSON.stringify(last)).toMatch(/epoch \d+, step \d+, at learning rate/);
  });
});
