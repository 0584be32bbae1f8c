import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { CheckpointDetail } from '../../contract/checkpoints.ts';
import type { Tensor } from '../../engine/formats/safetensors.ts';
import { encodeSafetensors } from '../../engine/formats/safetensors.ts';
import { exportWeights } from '../../host/checkpoints/export.ts';
import { readWeights } from '../../host/trainer/journal.ts';
import { carryover } from './cli-support.ts';
import { drawnWeights } from './drawn-weights.ts';
import { openHome, runStudy, shapesHome, shapesStudy } from './studies-home.ts';

vi.setConfig({ testTimeout: 120_000 });

const isStatistic = (name: string): boolean => /\.running_(mean|var)$/.test(name);
const differing = (a: Map<string, Tensor>, b: Map<string, Tensor>): string[] =>
  [...a].flatMap(([name, { data }]) =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).equals(
      Buffer.from(Float32Array.from(b.get(name)?.data ?? []).buffer),
    )
      ? []
      : [name],
  );

/** A trained convnet, and its weights as a checkpoint whose running statistics are worthless. */
async function trainedHome() {
  const { home, workbench } = await shapesHome(6);
  const yaml = shapesStudy({ epochs: 2, seeds: [0] }).replace(
    'name: fixup-resnet10, width: 4',
    'name: convnet, width: 8',
  );
  const { plan } = await runStudy(workbench, yaml);
  const run = plan.runs.find(({ arm }) => arm === 'RI-T')?.id ?? '';
  const { data } = await exportWeights(workbench.context, run, 'safetensors');
  const trained = join(home, '..', 'trained.safetensors');
  writeFileSync(trained, data);
  const { tensors, metadata } = await readWeights(trained);
  const spoilt = [...tensors].map(([name, tensor]): [string, Tensor] => [
    name,
    isStatistic(name) ? { ...tensor, data: tensor.data.map(() => 7) } : tensor,
  ]);
  const path = join(home, '..', 'spoilt.safetensors');
  writeFileSync(path, encodeSafetensors({ tensors: new Map(spoilt), metadata }));
  await workbench.handlers['checkpoints.import']({ path, name: 'spoilt', loose: false });
  const fixup = join(home, '..', 'fixup.safetensors');
  const drawn = drawnWeights({ name: 'fixup-resnet10', width: 4, image: 16 }, 3);
  writeFileSync(fixup, encodeSafetensors({ tensors: drawn, metadata: {} }));
  await workbench.handlers['checkpoints.import']({ path: fixup, name: 'fixup', loose: false });
  await workbench.close();
  return { home, run, tensors };
}

test('running statistics are made anew by the images alone; all else stays', async () => {
  const { home, run, tensors } = await trainedHome();
  const recalibrate = (source: string, name: string, ...more: string[]) =>
    carryover(
      ...['weights', 'recalibrate', source, '--data', 'shapes', '--name', name],
      ...[...more, '--json', '--home', home],
    );
  const thick = ['--domain', 'thick', '--batch', '8'];
  const made = await recalibrate('spoilt', 'renewed', ...thick);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  const renewed = JSON.parse(made.stdout) as CheckpointDetail;
  expect(renewed).toMatchObject({
    name: 'renewed',
    source: 'spoilt recalibrated on shapes (thick)',
    architecture: { name: 'convnet', width: 8, image: 16 },
    classNames: ['box', 'cross', 'disc'],
    preprocessing: { size: 16, mean: [0.5, 0.5, 0.5] },
    report: { match: { strict: true } },
  });
  expect(JSON.parse(renewed.report.metadata['carryover.recalibrated'] ?? '')).toMatchObject({
    ...{ dataset: 'shapes', domains: ['thick'], images: 18, batch: 8 },
  });
  const file = join(home, 'checkpoints', `${renewed.id}.safetensors`);
  const changed = differing(tensors, (await readWeights(file)).tensors);
  expect(changed).toEqual([...tensors.keys()].filter(isStatistic));

  // The run's own statistics were others; its images are fed alike, so the same weights come out.
  const again = await recalibrate(run, 'again', ...thick);
  expect(again.code).not.toBe(0);
  expect(again.stdout + again.stderr).toContain('imported before as \\"renewed\\"');
  const both = JSON.parse((await recalibrate(run, 'on both')).stdout) as CheckpointDetail;
  expect(both.source).toBe(`${run} recalibrated on shapes (thick, thin)`);
  expect(both.id).not.toBe(renewed.id);

  const workbench = openHome(home);
  const provenance = renewed.report.metadata['carryover.recalibrated'];
  for (const format of ['safetensors', 'onnx'] as const) {
    const path = join(home, '..', `renewed.${format}`);
    writeFileSync(path, (await exportWeights(workbench.context, 'renewed', format)).data);
    const { metadata } = await workbench.handlers['checkpoints.inspect']({ path });
    expect(metadata['carryover.recalibrated'], format).toBe(provenance);
  }
  const files = readdirSync(workbench.context.home.cache, { recursive: true }).map(String);
  expect(files.filter((name) => name.includes('recalibrated'))).toEqual([]);
});

test('what cannot be recalibrated is refused with its reason', async () => {
  const { home } = await trainedHome();
  const refused = async (source: string, data: string, ...more: string[]) => {
    const ended = await carryover(
      ...['weights', 'recalibrate', source, '--data', data, '--name', 'new', ...more],
      ...['--home', home],
    );
    expect(ended.code).not.toBe(0);
    return ended.stderr;
  };
  expect(await refused('fixup', 'shapes')).toContain('fixup-resnet10, which has no BatchNorm');
  expect(await refused('none', 'shapes')).toContain('there is no checkpoint none');
  expect(await refused('spoilt', 'none')).toContain('there is no data set none');
  const domain = await refused('spoilt', 'shapes', '--domain', 'thik');
  expect(domain).toMatch(/no domain "thik"[\s\S]*thick, thin/);
  expect(await refused('spoilt', 'shapes', '--batch', '0')).toContain('whole number');
});
