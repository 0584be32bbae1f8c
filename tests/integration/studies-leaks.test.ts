/** What a study's numbers say of leaks wherever they go, and of images that two data sets share. */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { carryover } from './cli-support.ts';
import { put } from './datasets-folder.ts';
import { chexpertHome, chexpertStudy } from './studies-chexpert.ts';
import { ended, runStudy, shapesHome, shapesStudy } from './studies-home.ts';

const LEAKY =
  'split: { kind: random, allow-leaks: true, train: 0.5, test: 0.5 }, findings: { names: [Edema] }';

test('runs of another data set with the same images are used, with subgroups of their own', async () => {
  const workbench = await chexpertHome();
  const { handlers } = workbench;
  const [first] = await handlers['datasets.list']({});
  const { root } = await handlers['datasets.get']({ id: first!.id });
  const published = readFileSync(join(root, 'train.csv'), 'utf8');
  put(root, 'list.csv', published.replaceAll('CheXpert-v1.0-small/', ''));
  const label = { kind: 'findings' as const, columns: ['Cardiomegaly', 'Edema'] };
  const columns = { path: 'Path', label, attributes: ['Sex'] };
  const reading = { format: 'table' as const, tables: ['list.csv'], columns };
  const scan = await ended(workbench, await handlers['datasets.scan']({ path: root, reading }));
  const again = { scanId: scan.result ?? '', name: 'again' };
  await ended(workbench, await handlers['datasets.import'](again));
  const yaml = chexpertStudy(`${LEAKY}, subgroups: [Sex]`);
  const one = await runStudy(workbench, yaml);
  const two = await runStudy(
    workbench,
    yaml.replace('name: chex', 'name: other').replace('set: chex', 'set: again'),
  );
  expect(two.plan.runs.map(({ id }) => id)).toEqual(one.plan.runs.map(({ id }) => id));
  expect(one.results!.subgroups).toHaveLength(4);
  expect(two.results!.subgroups).toEqual(one.results!.subgroups);
});

test('the report, its tables and what the command line prints carry the leaks of its split', async () => {
  const workbench = await chexpertHome();
  const study = await runStudy(workbench, chexpertStudy(`${LEAKY}, subgroups: [Sex]`));
  const folder = join(workbench.context.home.reports, study.id);
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  for (const name of ['runs', 'epochs', 'pairs', 'findings', 'subgroups']) {
    const rows = parse(read(`${name}.csv`), { columns: true }) as { leak: string }[];
    expect(rows.length).toBeGreaterThan(0);
    for (const { leak } of rows) expect(leak).toBe(study.results!.warnings.join('; '));
  }
  await workbench.close();
  const file = join(folder, 'study.yaml');
  writeFileSync(file, study.yaml);
  const home = dirname(workbench.context.home.reports);
  for (const command of [
    ['run', file],
    ['status', 'chex'],
  ]) {
    const { stdout } = await carryover('--home', home, 'study', ...command);
    for (const leak of study.results!.warnings) expect(stdout).toContain(`warning: ${leak}`);
  }
  const walls = read('report.html').split('id="images"')[1]!.split('<h3>')[0];
  expect(walls).toContain('This split leaks');
});

test('every figure and table of an analysis carries the leaks of its split', async () => {
  const workbench = await chexpertHome();
  const yaml = `${chexpertStudy(LEAKY)}analyses: [distance]\n`;
  const study = await runStudy(workbench, yaml);
  const { warnings, analyses } = study.results!;
  const { figures, tables } = await workbench.handlers['studies.analysis']({
    id: analyses[0]!.id!,
  });
  const folder = join(workbench.context.home.reports, study.id);
  const page = readFileSync(join(folder, 'report.html'), 'utf8');
  const own = page.split('id="analysis-distance"')[1]!.split('<h2')[0]!;
  const said = own.match(/This split leaks/g)?.length;
  expect(figures.length + tables.length).toBeGreaterThan(1);
  expect(said).toBe(1 + figures.length + tables.length);
  await workbench.close();
  const home = dirname(workbench.context.home.reports);
  const command = ['study', 'analyses', 'chex', 'distance', '--json'];
  const { stdout } = await carryover('--home', home, ...command);
  expect(JSON.parse(stdout)).toMatchObject({ name: 'distance', leaks: warnings });
});

test('a run that starts from what saw the test images says so, one from a random start does not', async () => {
  const { workbench } = await shapesHome();
  const { handlers } = workbench;
  const yaml = shapesStudy({ seeds: [0] }).replace(
    'domains: [thin] }',
    'domains: [thick], hold-out-test-groups: false }',
  );
  const study = await runStudy(workbench, yaml);
  const notes = async (arm: string) => {
    const { id } = study.plan.runs.find((run) => run.arm === arm)!;
    return (await handlers['runs.get']({ id })).notes.join();
  };
  expect(await notes('P-T')).toContain('leak: ');
  expect(await notes('RI-T')).not.toContain('leak: ');
  const { a, b } = study.results!.pairs[0]!;
  const { warnings } = await handlers['compare.pair']({ a, b, split: 'test' });
  expect(warnings.filter((each) => each.startsWith('leak: '))).toEqual(study.results!.warnings);
});

test('the training images of a study are those of all its arms, also for the report of trust', async () => {
  const { workbench } = await shapesHome();
  const { handlers } = workbench;
  const yaml = shapesStudy()
    .replace(
      'data: { set: shapes, domain: thick,',
      'data: { set: shapes, domain: thick, per-class: 1,',
    )
    .replace('RI-T: { init: random }', 'RI-T: { init: random, per-class: 500 }');
  const { id: studyId } = await handlers['studies.create']({ yaml });
  const { plan } = await handlers['studies.get']({ id: studyId });
  const [shapes] = await handlers['datasets.list']({});
  expect(plan.trainImages).toBe(3);
  const { splits } = await handlers['images.counts']({
    datasetId: shapes!.id,
    filter: { studyId },
  });
  expect(splits['test']).toBe(plan.testImages);
  expect(splits['train']).toBe(36 - plan.testImages);
});
