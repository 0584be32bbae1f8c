import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Competitor } from './competitors.ts';
import { RATE } from './competitors.ts';
import type { Setting } from './setting.ts';

const script = fileURLToPath(new URL('./peers/train_step.py', import.meta.url));

/** A Python that has PyTorch, or null. */
export function pythonWithTorch(): string | null {
  const works = (python: string) =>
    spawnSync(python, ['-c', 'import torch, numpy'], { stdio: 'ignore' }).status === 0;
  return ['python3', '/usr/bin/python3'].find(works) ?? null;
}

/**
 * PyTorch in a child process that stays alive between steps.
 * @param threads null for PyTorch's own choice
 */
export async function torch(
  python: string,
  setting: Setting,
  threads: number | null,
): Promise<Competitor> {
  const folder = await mkdtemp(join(tmpdir(), 'carryover-bench-'));
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async <T>(message: object): Promise<T> => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('PyTorch ended early; what it wrote is above');
    return JSON.parse(value as string) as T;
  };
  const close = async () => {
    child.stdin.end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const job = await writeJob(folder, setting, threads);
    const { version, threads: used } = await ask<{ version: string; threads: number }>(job);
    const name = threads === null ? 'pytorch (its own thread count)' : 'pytorch (every core)';
    return { name, version: `PyTorch ${version}`, threads: used, step: () => ask({}), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function writeJob(folder: string, setting: Setting, threads: number | null) {
  const { options, training, start, batch } = setting;
  const [weights, images] = [join(folder, 'weights'), join(folder, 'images')];
  const names = [...start.weights.keys()];
  await writeFile(weights, Buffer.concat([...start.weights.values()].map(bytes)));
  await writeFile(images, bytes(batch.images));
  return {
    architecture: options.architecture.name,
    width: options.architecture.width,
    image: options.architecture.image,
    classes: options.classes,
    labels: [...batch.labels],
    rate: RATE,
    momentum: training.optimiser.momentum,
    weightDecay: training.optimiser['weight-decay'],
    multipliers: training['lr-multipliers'],
    ...{ names, weights, images, threads },
  };
}

function bytes({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
