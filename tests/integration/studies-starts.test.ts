import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeSafetensors } from '../../engine/formats/safetensors.ts';
import { runStudy, shapesHome, shapesStudy } from './studies-home.ts';

async function weights(home: string, run: string, epoch: number): Promise<Map<string, number[]>> {
  const name = `weights-${String(epoch).padStart(4, '0')}.safetensors`;
  const file = join(home, 'runs', run, name);
  const { tensors } = decodeSafetensors(await readFile(file), file);
  return new Map([...tensors].map(([key, { data }]) => [key, [...data]]));
}

test('a matched pair differs in its backbone only, and pretraining has a start of its own', async () => {
  const { home, workbench } = await shapesHome();
  const study = await runStudy(workbench, shapesStudy({ epochs: 1, seeds: [0] }));
  const idOf = (arm: string): string =>
    study.plan.runs.find((run) => run.arm === arm && run.seed === 0)?.id ?? '';
  const [source, pretrained, random] = [idOf('P'), idOf('P-T'), idOf('RI-T')];
  const begin = await weights(home, pretrained, 0);
  const fresh = await weights(home, random, 0);
  const end = await weights(home, source, 2);
  for (const [name, values] of begin) {
    expect(values, name).toEqual((name.startsWith('fc.') ? fresh : end).get(name));
  }
  // Both have seed 0, but a random start must not be where the pretraining began.
  const origin = await weights(home, source, 0);
  expect(origin.get('conv1.weight')).not.toEqual(fresh.get('conv1.weight'));
});

test('an image that is gone stops a study before anything is trained, by name', async () => {
  const { pictures, workbench } = await shapesHome();
  const { handlers, context } = workbench;
  const { id } = await handlers['studies.create']({ yaml: shapesStudy() });
  const { images } = await handlers['images.query']({
    datasetId: (await handlers['datasets.list']({}))[0]?.id ?? '',
    filter: { domains: ['thick'], studyId: id, split: 'test' },
    offset: 0,
    limit: 1,
  });
  const gone = join(pictures, images[0]?.path ?? '');
  await rename(gone, `${gone}.away`);
  const job = await context.jobs.wait((await handlers['studies.start']({ id })).id);
  expect(job).toMatchObject({ status: 'failed', failure: { code: 'not-found' } });
  expect(job.failure?.message).toContain(gone);
  const rows = await handlers['runs.list']({ studyId: id });
  for (const row of rows) expect(row.epochsDone).toBe(0);
});
