import { fork } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { architectureSchema } from '../../contract/architecture.ts';
import type { LearntFrom, SourceWay } from '../../contract/source.ts';
import { trainingSchema } from '../../contract/study.ts';
import { effectiveSampleSize } from '../../engine/analysis/importance.ts';
import { readWeights } from '../../host/trainer/journal.ts';
import { readLearnt } from '../../host/trainer/learnt.ts';
import type { RateMessage, TrainerJob, TrainerMessage } from '../../host/trainer/protocol.ts';
import type { Fixture } from './trainer-support.ts';
import { doneOf, finalWeights, pick, runChild, trainerFixture } from './trainer-support.ts';

vi.setConfig({ testTimeout: 120_000 });

let fixture: Fixture;

beforeAll(async () => {
  fixture = await trainerFixture();
});
afterAll(() => rm(fixture.folder, { recursive: true, force: true }));

const FIXUP = architectureSchema.parse({ name: 'fixup-resnet10', width: 4, image: 24 });
const CONVNET = architectureSchema.parse({ name: 'convnet', width: 8, image: 24 });

/** Twelve target images, 28 of the source. */
async function jobOf(name: string, way: SourceWay, epochs = 3): Promise<TrainerJob> {
  const { train: all } = await fixture.job('base');
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
  return fixture.job(name, {
    architecture: way === 'adabn' ? CONVNET : FIXUP,
    training: trainingSchema.parse({
      ...{ epochs, batch: 8, lr: { peak: 0.05 }, 'clip-norm': 5 },
      loss: { 'class-weights': 'balanced' },
    }),
    train: pick(all, 0, 12),
    source: { ...pick(all, 12, 40), way, groups: numbers(28), targetGroups: numbers(12) },
  });
}

const learnt = async (job: TrainerJob): Promise<LearntFrom> => (await readLearnt(job.folder))!;
const notes = (messages: TrainerMessage[]) =>
  messages.flatMap((message) => (message.type === 'note' ? [message.text] : []));

describe('a training on source images', () => {
  it.each([
    ['joint', 40],
    ['importance-weights', 40],
    ['kliep', 40],
    ['tradaboost', 40],
    ['source-only', 28],
  ] as const)(
    '%s: steps count %i images; accuracies are of the 12 of the target',
    async (way, images) => {
      const job = await jobOf(`counts-${way}`, way, 1);
      const messages = await runChild(job);
      const done = doneOf(messages);
      const found = await learnt(job);
      expect(found).toMatchObject({ way, sources: 28, pseudoLabelled: null });
      expect(found.imageIds).toHaveLength(images);
      expect(found.weights.slice(28)).toEqual(Array(images - 28).fill(1));
      const steps = messages.filter((message) => message.type === 'step');
      for (const step of steps) expect(step.stepsPerEpoch).toBe(images / 8 > 4 ? 5 : 4);
      const logits = done.files.find((file) => file.kind === 'logits' && file.split === 'train');
      expect(logits?.bytes).toBe(12 * 3 * 4);
      const own = found.weights.slice(0, 28);
      expect(found.effectiveSources).toBeCloseTo(effectiveSampleSize(own), 9);
      const said = `28 source images weigh like ${Math.round(found.effectiveSources)}`;
      const weighs = !['joint', 'source-only'].includes(way);
      expect(notes(messages).includes(said)).toBe(weighs);
      if (way === 'importance-weights' || way === 'kliep') {
        expect(own.reduce((sum, each) => sum + each, 0) / 28).toBeCloseTo(1, 9);
      }
    },
  );

  it('pseudo-labels: learns from target images that a first head is sure of', async () => {
    const job = await jobOf('pseudo', 'pseudo-labels', 1);
    const messages = await runChild(job);
    doneOf(messages);
    const { pseudoLabelled, imageIds, labels } = await learnt(job);
    const { given, of, right } = pseudoLabelled!;
    expect(of).toBe(12);
    expect(imageIds).toHaveLength(28 + given);
    const truth = new Map(job.train.imageIds.map((id, row) => [id, job.train.labels[row]]));
    const told = imageIds.slice(28).map((id, at) => truth.get(id) === labels[28 + at]);
    expect(told.filter(Boolean)).toHaveLength(right);
    expect(notes(messages)).toContain(
      `${given} of 12 target images were given a label, ${right} of them right`,
    );
    // Other labels of the target change what is said of it, never what is learnt.
    const lied = await fixture.job('pseudo-lied', {
      ...job,
      runId: 'pseudo-lied',
      folder: join(fixture.folder, 'pseudo-lied'),
      train: { ...job.train, labels: job.train.labels.map((label) => (label + 1) % 3) },
    });
    doneOf(await runChild(lied));
    expect((await finalWeights(lied)).equals(await finalWeights(job))).toBe(true);
  });

  it.each(['coral', 'adabn'] as const)(
    '%s: is source-only but for what is changed after the last epoch',
    async (way) => {
      const job = await jobOf(`adapted-${way}`, way);
      const control = await fixture.job(`control-${way}`, {
        ...job,
        runId: 'control',
        folder: join(fixture.folder, `control-${way}`),
        source: { ...job.source!, way: 'source-only' },
      });
      for (const each of [job, control]) doneOf(await runChild(each));
      const tensors = async ({ folder }: TrainerJob, epoch: string) =>
        (await readWeights(join(folder, `weights-000${epoch}.safetensors`))).tensors;
      const [own, other] = [await tensors(job, '3'), await tensors(control, '3')];
      const changed = [...own.keys()].filter(
        (name) =>
          Buffer.compare(bytesOf(own.get(name)!.data), bytesOf(other.get(name)!.data)) !== 0,
      );
      const expected = way === 'coral' ? /^fc\.(weight|bias)$/ : /running_(mean|var)$/;
      expect(changed.length).toBeGreaterThan(0);
      for (const name of changed) expect(name).toMatch(expected);
    },
  );

  it.each(['importance-weights', 'pseudo-labels', 'coral', 'adabn'] as const)(
    '%s: killed at several moments and started again, ends with the same weights bit for bit',
    async (way) => {
      const undisturbed = await jobOf(`whole-${way}`, way);
      doneOf(await runChild(undisturbed));
      const job = await jobOf(`killed-${way}`, way);
      const moments: ((message: TrainerMessage) => boolean)[] = [
        (m) => m.type === 'note' || m.type === 'epoch',
        (m) => m.type === 'step',
        (m) => m.type === 'epoch' && m.metrics.epoch === 2,
      ];
      for (const moment of moments) {
        const messages = await runChild(job, (message, child) => {
          if (moment(message)) child.kill('SIGKILL');
        });
        expect(messages.some(({ type }) => type === 'done')).toBe(false);
      }
      const kept = await readFile(join(job.folder, 'source.json'), 'utf8');
      doneOf(await runChild(job));
      expect(await readFile(join(job.folder, 'source.json'), 'utf8')).toBe(kept);
      expect((await finalWeights(job)).equals(await finalWeights(undisturbed))).toBe(true);
    },
  );
});

it('a search for a learning rate takes its steps on the same images, and leaves no file', async () => {
  const job = await jobOf('rate', 'importance-weights');
  const file = join(job.folder, 'rate.json');
  await writeFile(file, JSON.stringify({ job }));
  const program = fileURLToPath(new URL('../../host/trainer/rate-main.ts', import.meta.url));
  const child = fork(program, [file], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const messages: RateMessage[] = [];
  child.on('message', (message: RateMessage) => messages.push(message));
  await new Promise((resolve) => child.on('exit', resolve));
  expect(messages.at(-1)).toMatchObject({ type: 'done' });
  expect(await readLearnt(job.folder)).toBeNull();
});

function bytesOf(data: Float32Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
