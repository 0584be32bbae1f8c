import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { HostEvent } from '../../contract/api.ts';
import { encodeSafetensors } from '../../engine/formats/safetensors.ts';
import { readWeights } from '../../host/trainer/journal.ts';
import type { StudyDetail } from '../../contract/study.ts';
import { endOf, startCarryover } from './cli-support.ts';
import { put } from './datasets-folder.ts';
import { ended, openHome, runStudy, shapesHome, shapesStudy } from './studies-home.ts';

vi.setConfig({ testTimeout: 300_000 });

const runOf = ({ plan }: StudyDetail, arm: string): string =>
  plan.runs.find((run) => run.arm === arm)?.id ?? '';

/** The study of shapes with its texts replaced. */
const changed = (yaml: string, ...changes: [string, string][]): string =>
  changes.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, yaml);

const VALIDATED: [string, string] = ['test: 0.4', 'test: 0.4, validation: 0.3'];

test('validation images are kept apart, curves have them, early stopping ends runs by them', async () => {
  const { home, workbench } = await shapesHome();
  const { handlers } = workbench;
  const yaml = changed(shapesStudy({ epochs: 30, seeds: [0, 1] }), VALIDATED, [
    'lr: { peak: 0.02 }',
    'lr: { peak: 0.3 }, clip-norm: 1, early-stopping: { patience: 2 }',
  ]);
  const study = await runStudy(workbench, `${yaml}analyses: [agreement]\n`);
  const [dataset] = await handlers['datasets.list']({});
  const counts = await handlers['images.counts']({
    datasetId: dataset?.id ?? '',
    filter: { domains: ['thick'], studyId: study.id },
  });
  expect(counts.splits).toMatchObject({
    train: study.plan.trainImages,
    validation: study.plan.validationImages,
    test: study.plan.testImages,
  });
  expect(study.plan.validationImages).toBeGreaterThan(0);

  const run = await handlers['runs.get']({ id: runOf(study, 'RI-T') });
  const { bestEpoch, curve } = run;
  const best = curve.find(({ epoch }) => epoch === bestEpoch);
  expect(run.epochsDone).toBe((bestEpoch ?? NaN) + 2);
  expect(run.epochsDone).toBeLessThan(run.epochs);
  const later = curve.filter(({ epoch }) => epoch > 0).map((each) => each.validationLoss ?? NaN);
  expect(best?.validationLoss).toBe(Math.min(...later));
  expect(run.testAccuracy).toBe(best?.testAccuracy);
  const pair = await handlers['compare.pair']({
    ...{ a: run.id, b: runOf(study, 'P-T'), split: 'test' },
  });
  expect(pair.agreement.accuracyA).toBeCloseTo(best?.testAccuracy ?? NaN, 12);

  const pretraining = await handlers['runs.get']({ id: runOf(study, 'P') });
  expect(pretraining).toMatchObject({ bestEpoch: null, epochsDone: 2, validationImages: 0 });
  const report = readFileSync(join(home, 'reports', study.id, 'report.html'), 'utf8');
  expect(report).toContain(`${study.plan.validationImages} validation`);
  expect(report).toContain('stopped early, after epoch');
  const epochs = readFileSync(join(home, 'reports', study.id, 'epochs.csv'), 'utf8');
  expect(epochs.split('\r\n')[0]).toContain('validation_loss,validation_accuracy');
});

test('an arm with a training of its own differs in that, and plan and report say so', async () => {
  const { home, workbench } = await shapesHome();
  const yaml = changed(shapesStudy({ epochs: 2, seeds: [0] }), [
    'P-T: { init: { checkpoint: thin@last } }',
    'P-T: { init: { checkpoint: thin@last }, training: { fine-tuning: { freeze-to: layer3 } } }',
  ]);
  const study = await runStudy(workbench, yaml);
  expect(study.plan.warnings.join()).toContain('(fine-tuning.rate-factor, fine-tuning.freeze-to)');
  expect(study.plan.stages).toContain('layer3');
  const job = readFileSync(join(home, 'runs', runOf(study, 'P-T'), 'job.json'), 'utf8');
  expect(JSON.parse(job)).toMatchObject({
    training: { 'fine-tuning': { 'freeze-to': 'layer3', 'rate-factor': 2.6 } },
  });
  const weights = async (epoch: string) => {
    const file = join(home, 'runs', runOf(study, 'P-T'), `weights-${epoch}.safetensors`);
    return (await readWeights(file)).tensors;
  };
  const [start, end] = [await weights('0000'), await weights('0002')];
  expect(end.get('conv1.weight')?.data).toEqual(start.get('conv1.weight')?.data);
  expect(end.get('fc.weight')?.data).not.toEqual(start.get('fc.weight')?.data);
  const report = readFileSync(join(home, 'reports', study.id, 'report.html'), 'utf8');
  expect(report).toContain('arms differ in more than their start');
  expect(report).toContain('frozen: stem, layer1, layer2, layer3');
});

test('a study starts from an imported checkpoint, fed as that was trained', async () => {
  const { home, pictures, workbench } = await shapesHome();
  const { handlers } = workbench;
  const first = await runStudy(workbench, shapesStudy({ epochs: 1, seeds: [0] }));
  const trained = join(home, 'runs', runOf(first, 'P'), 'weights-0002.safetensors');
  const { tensors } = await readWeights(trained);
  const file = put(pictures, '../trunk.safetensors', '');
  const { writeFile } = await import('node:fs/promises');
  await writeFile(file, encodeSafetensors({ tensors, metadata: {} }));
  await handlers['checkpoints.import']({
    ...{ path: file, name: 'trunk', licence: 'CC0-1.0', loose: false },
    preprocessing: { size: 16, mean: [0.9, 0.9, 0.9], std: [0.2, 0.2, 0.2] },
  });
  const yaml = `name: from a file
data: { set: shapes, domain: thick, split: { train: 0.6, test: 0.4 } }
architecture: { name: fixup-resnet10 }
arms:
  P-T: { init: { checkpoint: trunk } }
  RI-T: { init: random }
seeds: [0]
training: { epochs: 1, batch: 8, lr: { peak: 0.02 } }
`;
  const study = await runStudy(workbench, yaml);
  expect(study.spec.architecture).toMatchObject({ width: 4, image: 16 });
  expect(study.spec.recipe.mean).toEqual([0.9, 0.9, 0.9]);
  const run = await handlers['runs.get']({ id: runOf(study, 'P-T') });
  expect(run.parentCheckpoint).toBe('trunk');
  const begin = await readWeights(join(home, 'runs', run.id, 'weights-0000.safetensors'));
  for (const [name, { data }] of begin.tensors) {
    if (!name.startsWith('fc.')) expect(data, name).toEqual(tensors.get(name)?.data);
  }
  expect((await handlers['checkpoints.get']({ id: 'trunk' })).studies).toEqual([
    { id: study.id, name: 'from a file' },
  ]);
  const report = readFileSync(join(home, 'reports', study.id, 'report.html'), 'utf8');
  expect(report).toContain('licence: CC0-1.0');

  const other = changed(
    yaml,
    ['from a file', 'otherwise'],
    ['seeds: [0]', 'seeds: [0]\nrecipe: { mean: [0.5, 0.5, 0.5] }'],
  );
  const { plan } = await handlers['studies.check']({ yaml: other });
  expect(plan?.warnings.join()).toContain('but checkpoint "trunk" was trained with 0.9, 0.9, 0.9');
  const misfit = changed(yaml, ['{ name: fixup-resnet10 }', '{ name: fixup-resnet10, width: 8 }']);
  const { issues } = await handlers['studies.check']({ yaml: misfit });
  expect(issues).toMatchObject([{ line: 5, path: 'arms.P-T.init.checkpoint' }]);
  expect(issues[0]?.message).toContain('it has width 4, not 8');
});

test('a study stored by a version that planned other runs is planned anew when it starts', async () => {
  const { workbench } = await shapesHome();
  const { handlers, context } = workbench;
  const yaml = shapesStudy({ epochs: 1, seeds: [0] });
  const { id, plan } = await handlers['studies.create']({ yaml });
  context.db.exec(
    `DELETE FROM study_runs; DELETE FROM runs WHERE kind = 'target'; DELETE FROM runs`,
  );
  await ended(workbench, await handlers['studies.start']({ id }));
  const study = await handlers['studies.get']({ id });
  expect(study).toMatchObject({ status: 'done', runs: 3, runsDone: 3 });
  expect(study.plan.runs.map((run) => run.id)).toEqual(plan.runs.map((run) => run.id));
});

describe('a learning-rate search', () => {
  test('finds where the loss falls, and is there again after a restart', async () => {
    const { home, workbench } = await shapesHome();
    const { handlers, context } = workbench;
    const phases: string[] = [];
    context.events.subscribe((event: HostEvent) => {
      if (event.type === 'job' && event.job.kind === 'rate' && event.job.progress) {
        phases.push(event.job.progress.phase);
      }
    });
    const yaml = shapesStudy();
    await expect(
      (async () => handlers['studies.findRate']({ yaml, arm: 'P-T' }))(),
    ).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('not trained') });
    const job = await ended(workbench, await handlers['studies.findRate']({ yaml, arm: 'RI-T' }));
    const search = await handlers['studies.rateSearch']({ id: job.result ?? '' });
    expect(search).toMatchObject({ studyName: 'shapes', arm: 'RI-T' });
    expect(search.rates.length).toBe(search.losses.length);
    expect(search.rates).toEqual(search.rates.toSorted((a, b) => a - b));
    expect(search.suggestion).toBeGreaterThan(1e-5);
    expect(search.suggestion).toBeLessThan(10);
    expect(phases.some((phase) => phase.startsWith('at rate'))).toBe(true);
    expect(existsSync(join(home, 'cache', `rate-${search.id}.json`))).toBe(false);
    await workbench.close();
    const again = openHome(home);
    expect(await again.handlers['studies.rateSearch']({ id: search.id })).toEqual(search);
    await expect(
      (async () => again.handlers['studies.rateSearch']({ id: '../../carryover' }))(),
    ).rejects.toMatchObject({ code: 'not-found' });
  });

  test('is cancelled', async () => {
    const { workbench } = await shapesHome();
    const { handlers, context } = workbench;
    const begun = new Promise<void>((resolve) => {
      const unsubscribe = context.events.subscribe((event) => {
        if (event.type !== 'job' || !event.job.progress?.phase.startsWith('at rate')) return;
        unsubscribe();
        resolve();
      });
    });
    const yaml = shapesStudy();
    const job = await handlers['studies.findRate']({ yaml, arm: 'RI-T' });
    await begun;
    context.jobs.cancel(job.id);
    expect(await context.jobs.wait(job.id)).toMatchObject({ status: 'cancelled', result: null });
  });

  test('by command prints a plot, writes SVG and CSV, and says what an arm is called', async () => {
    const { home, workbench } = await shapesHome();
    await workbench.close();
    const file = put(home, '../study.yaml', shapesStudy());
    const [svg, csv] = [join(home, 'rate.svg'), join(home, 'rate.csv')];
    const command = ['--home', home, 'study', 'find-rate', file, '--arm'];
    const found = await endOf(startCarryover(...command, 'RI-T', '--svg', svg, '--csv', csv));
    expect(found.code).toBe(0);
    expect(found.stdout).toMatch(/suggestion: training.lr.peak: [\d.e-]+/);
    expect(found.stdout).toContain('*');
    expect(readFileSync(svg, 'utf8')).toMatch(/^<svg xmlns/);
    expect(readFileSync(csv, 'utf8').split('\r\n')[0]).toBe('learning_rate,loss');
    const unknown = await endOf(startCarryover(...command, 'P'));
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain('its arms are P-T, RI-T');
  });
});
