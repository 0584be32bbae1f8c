import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
const TINY = ['--architecture', 'convnet', '--width', '4', '--image', '32', '--batch', '2'];

interface Report {
  bench: string;
  machine: { cores: number; load: number };
  results: Record<string, unknown>[];
}

/** Runs a bench on a tiny network; PyTorch has no such one and leaves itself out. */
async function bench(name: string, ...more: string[]): Promise<Report> {
  const common = ['--rounds', '2', '--no-tfjs', '--threads', '1', '--json'];
  const args = [MAIN, name, ...TINY, ...common, ...more];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Report;
}

test.each(['train-step', 'inference'])('bench %s times our rounds', async (name) => {
  const { machine, results } = await bench(name);
  expect(machine.cores).toBeGreaterThan(0);
  expect(results).toHaveLength(1);
  const [result] = results;
  const timings = result?.['timings'] as { name: string; seconds: number[] }[];
  expect(timings.map((each) => each.name)).toEqual(['carryover']);
  expect(timings[0]?.seconds).toHaveLength(2);
  expect(result?.['ratios']).toMatchObject({ torch: null });
});

test('bench compile says what each part takes', async () => {
  const { results } = await bench('compile');
  expect(results[0]?.['seconds']).toHaveProperty('session');
  expect(results[0]?.['nodes']).toBeGreaterThan(50);
});

test('bench memory tells the steps from the idle runtime', async () => {
  const { results } = await bench('memory');
  const { idle, steps } = results[0]?.['ours'] as { idle: number; steps: number };
  expect(idle).toBeGreaterThan(2 ** 20);
  expect(steps).toBeGreaterThan(idle / 2);
  expect(results[0]?.['torch']).toBeNull();
});

test('bench profile sums the operators of a step', async () => {
  const { results } = await bench('profile');
  const operators = results[0]?.['operators'] as { operator: string; share: number }[];
  expect(operators.map(({ operator }) => operator)).toContain('Conv');
  expect(operators.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
});

test('bench input and bench evaluations run on real images', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'carryover-bench-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [i, colour] of ['red', 'green', 'blue'].entries()) {
    const file = join(folder, 'flat', colour, `${i}.png`);
    await mkdir(dirname(file), { recursive: true });
    const create = { width: 40, height: 40, channels: 3, background: colour } as const;
    await sharp({ create }).png().toFile(file);
  }
  const { results } = await bench('input', '--sample', folder);
  const timings = results[0]?.['timings'] as { name: string; seconds: number[]; ratio: number }[];
  expect(timings.map(({ seconds }) => seconds.length)).toEqual([2, 2, 2, 2, 2]);
  expect(timings[0]).toMatchObject({ name: 'in memory', ratio: 1 });
  const evaluated = (await bench('evaluations', '--sample', folder)).results[0];
  const rates = (evaluated?.['timings'] as { perMinute: number }[]).map((each) => each.perMinute);
  expect(rates).toHaveLength(2);
  expect(Math.min(...rates)).toBeGreaterThan(0);
});
