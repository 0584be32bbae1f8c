import { createHash } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { architectureSchema } from '../../contract/architecture.ts';
import { recipeSchema, trainingSchema } from '../../contract/study.ts';
import { encodeSafetensors } from '../../engine/formats/safetensors.ts';
import { wholeFile } from '../../engine/transforms/place.ts';
import { readJournal, readWeights, writeJournal } from '../../host/trainer/journal.ts';
import type { TrainerJob, TrainerMessage } from '../../host/trainer/protocol.ts';
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

  it('says so when it goes on with another device', async () => {
    const job = await fixture.job('moved');
    await runChild(job, (message, child) => {
      if (message.type === 'epoch') command(child, { type: 'pause' });
    });
    const journal = await readJournal(job.folder);
    if (!journal) throw new Error('there is no journal');
    expect(journal.device).toBe('cpu');
    await writeJournal(job.folder, { ...journal, device: 'cuda' });
    const messages = await runChild(job);
    doneOf(messages);
    expect(messages.find((m) => m.type === 'note')).toMatchObject({
      text: expect.stringContaining('begun on cuda, went on with cpu') as string,
    });
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
    const places = [...job.train.places];
    const file = `${places[7]?.file}.missing`;
    places[7] = wholeFile(file);
    const gone = await fixture.job('gone', { train: { ...job.train, places } });
    expect((await runChild(gone)).at(-1)).toMatchObject({
      type: 'failed',
      failure: { code: 'not-found', detail: { file } },
    });
    const copy = join(fixture.folder, 'changed.png');
    await writeFile(copy, await readFile(job.train.places[8]?.file ?? ''));
    places[7] = wholeFile(copy);
    const changed = await fixture.job('changed', {
      train: { ...job.train, places, hashes: [...job.train.hashes].reverse() },
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
    if (last?.type !== 'failed') throw new Error('it did not fail');
    const images = last.failure.detail?.images ?? [];
    expect(images).toHaveLength(8);
    for (const id of images) expect(job.train.imageIds).toContain(id);
  });
});

describe('fine-tuning in the training child', () => {
  /** Everything at once: phases of sizes and stages, mixup, AdamW, early stopping. */
  const TUNED = trainingSchema.parse({
    epochs: 6,
    batch: 8,
    optimiser: { kind: 'adamw' },
    loss: { 'label-smoothing': 0.1, 'class-weights': 'balanced' },
    mixup: 0.2,
    lr: { peak: 0.003 },
    'fine-tuning': { 'freeze-to': 'layer3', 'unfreeze-every': 2, 'rate-factor': 2 },
    'image-sizes': [
      { from: 1, image: 32 },
      { from: 4, image: 48 },
    ],
    'early-stopping': { patience: 4 },
  });
  const tuned = (name: string): Promise<TrainerJob> =>
    fixture.job(name, {
      training: TUNED,
      architecture: architectureSchema.parse({
        ...{ name: 'resnet18', width: 4, image: 48, stem: 'small' },
      }),
    });
  let whole: { bytes: Buffer; best: number };

  async function resultOf(job: TrainerJob, messages: TrainerMessage[]): Promise<typeof whole> {
    const best = doneOf(messages).bestEpoch ?? NaN;
    return { best, bytes: await finalWeights(job, best) };
  }

  it('goes through its phases, says so, and its result is the best epoch', async () => {
    const job = await tuned('tuned');
    const messages = await runChild(job);
    whole = await resultOf(job, messages);
    const notes = messages.flatMap((m) => (m.type === 'note' ? [m.text] : []));
    expect(notes).toEqual([
      'from epoch 1 on: images of 32 px; frozen: stem, layer1, layer2, layer3',
      'from epoch 3 on: images of 32 px; frozen: stem, layer1, layer2',
      'from epoch 4 on: images of 48 px; frozen: stem, layer1, layer2',
      'from epoch 5 on: images of 48 px; frozen: stem, layer1',
      expect.stringMatching(
        /the result is epoch \d, which has the least validation loss$/,
      ) as string,
    ]);
    const curve = messages.flatMap((m) => (m.type === 'epoch' ? [m.metrics] : []));
    const losses = curve.slice(1).map(({ validationLoss }) => validationLoss ?? NaN);
    expect(losses[whole.best - 1]).toBe(Math.min(...losses));
    const files = doneOf(messages).files;
    expect(files.filter(({ kind }) => kind === 'logits').map(({ epoch }) => epoch)).toEqual([
      whole.best,
      whole.best,
    ]);
  });

  it('leaves what is frozen as it was, running statistics of BatchNorm included', async () => {
    const job = await fixture.job('tuned');
    const start = (await readWeights(join(job.folder, 'weights-0000.safetensors'))).tensors;
    const name = `weights-${String(whole.best).padStart(4, '0')}.safetensors`;
    const end = (await readWeights(join(job.folder, name))).tensors;
    const changed = [...start].filter(([key, { data }]) =>
      data.some((value, i) => value !== end.get(key)?.data[i]),
    );
    const names = changed.map(([key]) => key);
    expect(names.filter((key) => /^(conv1|bn1|layer1)\b/.test(key))).toEqual([]);
    expect(names).toContain('fc.weight');
    expect(names).toContain('layer4.0.bn1.running_mean');
  });

  it('paused and killed in every phase, ends bit for bit where it does undisturbed', async () => {
    const job = await tuned('tuned-stopped');
    for (const epoch of [1, 3, 4]) {
      let steps = 0;
      await runChild(job, (message, child) => {
        if (message.type !== 'epoch' || message.resumed) return;
        steps += 1;
        if (message.metrics.epoch !== epoch) return;
        if (epoch === 3) child.kill('SIGKILL');
        else command(child, { type: 'pause' });
      });
      expect(steps).toBeGreaterThan(0);
    }
    const again = await resultOf(job, await runChild(job));
    expect(again.best).toBe(whole.best);
    expect(again.bytes.equals(whole.bytes)).toBe(true);
  });

  it('stops when the validation loss no longer falls, and keeps the best weights', async () => {
    const training = trainingSchema.parse({
      ...{ epochs: 40, batch: 8, lr: { peak: 0.5 }, 'clip-norm': 1 },
      'early-stopping': { patience: 2 },
    });
    const job = await fixture.job('early', { training });
    const messages = await runChild(job);
    const { bestEpoch, weightsHash, files } = doneOf(messages);
    const last = messages.flatMap((m) => (m.type === 'epoch' ? [m.metrics.epoch] : [])).at(-1);
    expect(last).toBe((bestEpoch ?? NaN) + 2);
    expect(last).toBeLessThan(40);
    const result = files.find(({ kind, epoch }) => kind === 'weights' && epoch === bestEpoch);
    expect(result?.sha256).toBe(weightsHash);
    expect(messages.some((m) => m.type === 'note' && m.text.includes('stopped early'))).toBe(true);
  });

  it('gives an imported checkpoint the channels of the network, and says what it lacks', async () => {
    const parent = join(fixture.folder, 'reference', 'weights-0004.safetensors');
    const { tensors } = await readWeights(parent);
    tensors.delete('layer1.0.bias1a');
    const file = join(fixture.folder, 'imported.safetensors');
    await writeFile(file, encodeSafetensors({ tensors, metadata: {} }));
    const training = trainingSchema.parse({ epochs: 1, batch: 8, lr: { peak: 0.05 } });
    const base = await fixture.job('grey');
    const architecture = { ...base.architecture, channels: 1 as const };
    const job = await fixture.job('grey', {
      ...{ architecture, training, start: { kind: 'checkpoint', file } },
    });
    const messages = await runChild(job);
    doneOf(messages);
    expect(messages.find((m) => m.type === 'note')).toMatchObject({
      text: 'the checkpoint lacks layer1.0.bias1a: drawn at random',
    });
    const before = (await readWeights(parent)).tensors.get('conv1.weight');
    const start = (await readWeights(join(job.folder, 'weights-0000.safetensors'))).tensors;
    const grey = start.get('conv1.weight');
    expect(grey?.shape[1]).toBe(1);
    const area = (grey?.shape[2] ?? 0) * (grey?.shape[3] ?? 0);
    const sum = [0, 1, 2].reduce((all, c) => all + (before?.data[c * area] ?? NaN), 0);
    expect(grey?.data[0]).toBeCloseTo(sum, 6);
  });
});
