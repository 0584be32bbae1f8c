import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeNpy } from '../../engine/formats/npy.ts';
import type { Features } from '../../engine/analysis/gram.ts';
import reference from '../reference/similarity.json' with { type: 'json' };
import { demoFeatures, noise } from '../unit/similarity-support.ts';
import { carryover } from './cli-support.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'carryover-cka-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function saved(name: string, { values, rows, dimensions }: Features): string {
  const path = join(folder, name);
  writeFileSync(path, encodeNpy({ shape: [rows, dimensions], data: values }));
  return path;
}

async function answer(...args: string[]) {
  const { code, stdout, stderr } = await carryover('cka', ...args, '--json');
  expect(stderr).toBe('');
  return { code, json: JSON.parse(stdout) as Record<string, unknown> };
}

test("CKA of the notebook's features, with null and interval", async () => {
  const { x, y } = demoFeatures();
  const [a, b] = [saved('a.npy', x), saved('b.npy', y)];
  const { code, json } = await answer(a, b, '--permutations', '50');
  expect(code).toBe(0);
  expect(json).toMatchObject({
    cka: expect.closeTo(reference.demo.unbiased, 6) as number,
    n: 100,
    estimator: 'unbiased',
    form: 'features',
    null: { permutations: 50, p: expect.closeTo(1 / 51, 12) as number },
  });
  const [low, high] = json['interval'] as [number, number];
  expect(low).toBeLessThan(reference.demo.unbiased);
  expect(high).toBeGreaterThan(reference.demo.unbiased);
  const { json: biased } = await answer(a, b, '--biased', '--permutations', '0');
  expect(biased).toMatchObject({
    cka: expect.closeTo(reference.demo.biased, 6) as number,
    estimator: 'biased',
    interval: null,
    null: null,
  });
});

test('more than fit together are compared in minibatches', async () => {
  const x = noise(2100, 2200, 1);
  const a = saved('many.npy', x);
  const { json } = await answer(a, a, '--permutations', '3', '--replicates', '3');
  expect(json).toMatchObject({ cka: 1, n: 2048, form: 'minibatches' });
});

test('errors name the file', async () => {
  const a = saved('ten.npy', noise(10, 3, 1));
  const b = saved('nine.npy', noise(9, 3, 1));
  expect(await answer(a, b)).toMatchObject({
    code: 1,
    json: { error: { code: 'bad-input', detail: { file: b, value: '9' } } },
  });
  const wrong = noise(10, 3, 1);
  wrong.values[7] = NaN;
  const c = saved('wrong.npy', wrong);
  expect(await answer(a, c)).toMatchObject({
    code: 1,
    json: {
      error: { message: expect.stringContaining(`${c}: the value in row 2, column 1`) as string },
    },
  });
  const flat = join(folder, 'flat.npy');
  writeFileSync(flat, encodeNpy({ shape: [8], data: new Float32Array(8) }));
  expect(await answer(a, flat)).toMatchObject({
    code: 1,
    json: { error: { detail: { file: flat } } },
  });
});

test('in words', async () => {
  const a = join(folder, 'ten.npy');
  const { stdout } = await carryover('cka', a, a);
  expect(stdout).toContain('CKA (linear, unbiased)  1.0000');
});
