import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import type { TrustReport } from '../../contract/trust.ts';
import { dataResponse } from '../../host/http/data-files.ts';
import type { Workbench } from '../../host/workbench.ts';
import { carryover } from './cli-support.ts';
import { bitmap, picture, pictures, put, temporaryFolder } from './datasets-folder.ts';
import { chexpertHome, chexpertStudy } from './studies-chexpert.ts';
import { ended, openHome } from './studies-home.ts';

type Asked = Parameters<Workbench['handlers']['trust.start']>[0];

async function trust(workbench: Workbench, asked: Asked): Promise<TrustReport> {
  const { handlers } = workbench;
  const { result } = await ended(workbench, await handlers['trust.start'](asked));
  return handlers['trust.get']({ id: result ?? '' });
}

/** Imports a folder under the name `set`; gives the id. */
async function imported(workbench: Workbench, path: string, levels: ('class' | 'split')[]) {
  const { handlers } = workbench;
  const reading = { format: 'folders' as const, levels };
  const scan = await ended(workbench, await handlers['datasets.scan']({ path, reading }));
  const scanId = scan.result ?? '';
  const { result } = await ended(
    workbench,
    await handlers['datasets.import']({ scanId, name: 'set' }),
  );
  return result ?? '';
}

/** 2 x 4 pictures, among them a copy under another label, a blank and a broken one. */
async function petsHome() {
  const folder = temporaryFolder();
  const root = join(folder, 'pets');
  await pictures(root, [''], ['cat', 'dog'], 4);
  copyFileSync(join(root, 'cat', '0.png'), join(root, 'dog', 'copy of 0.png'));
  put(root, 'cat/blank.bmp', bitmap(24, 20, 77));
  put(root, 'cat/broken.png', (await picture(99)).subarray(0, 60));
  const home = join(folder, 'home');
  const workbench = openHome(home);
  return { home, workbench, id: await imported(workbench, root, ['class']) };
}

test('of 31 test images 19 are of a patient in training: a leak of 61.3 %', async () => {
  const folder = temporaryFolder();
  const root = join(folder, 'chest');
  const rows = ['file_name,group'];
  const add = async (split: string, number: number, patient: string) => {
    const path = `${split}/${number % 2 === 0 ? 'edema' : 'normal'}/${number}.png`;
    put(root, path, await picture(rows.length));
    rows.push(`${path},${patient}`);
  };
  for (let i = 0; i < 31; i++) await add('test', i, i < 19 ? `patient ${i}` : `tested ${i}`);
  for (let i = 0; i < 29; i++) await add('train', i, i < 19 ? `patient ${i}` : `trained ${i}`);
  put(root, 'metadata.csv', rows.join('\n'));
  const workbench = openHome(join(folder, 'home'));
  const datasetId = await imported(workbench, root, ['split', 'class']);
  const report = await trust(workbench, { datasetId });
  expect(report.splitNames).toEqual(['train', 'test']);
  expect(report.groupsAcrossSplits).toMatchObject({ groups: 19, affectedTestImages: 19 });
  const [worst] = report.findings;
  expect(worst!.text).toMatch(/^19 of 31 test images \(61\.3 %\) are of a group .* training/);
  const tested = await workbench.handlers['images.query']({
    ...{ datasetId, filter: { ids: worst!.ids, given: ['test'] }, offset: 0, limit: 100 },
  });
  expect(tested.total).toBe(19);
  expect(tested.images.every(({ group }) => /^patient \d/.test(group))).toBe(true);
});

test('CheXpert split by image, not by patient: what leaks is what a count by hand finds', async () => {
  const workbench = await chexpertHome();
  const { handlers } = workbench;
  const [dataset] = await handlers['datasets.list']({});
  const datasetId = dataset!.id;
  const split = 'split: { kind: random, train: 0.5, test: 0.3, allow-leaks: true }';
  const study = await handlers['studies.create']({
    yaml: chexpertStudy(`findings: { names: [Cardiomegaly, Edema] }, ${split}`),
  });
  const studyId = study.id;
  const groups = async (part: 'train' | 'test') => {
    const filter = { studyId, split: part };
    const found = await handlers['images.query']({ datasetId, filter, offset: 0, limit: 1000 });
    return found.images.map(({ group }) => group);
  };
  const [train, tested] = [new Set(await groups('train')), await groups('test')];
  const leaked = tested.filter((group) => train.has(group)).length;
  expect(leaked).toBeGreaterThan(0);
  const report = await trust(workbench, { datasetId, studyId });
  expect(report.acrossSplits.testImages).toBe(tested.length);
  expect(report.groupsAcrossSplits.affectedTestImages).toBe(leaked);
  expect(report.findings[0]!.text).toContain(`${leaked} of ${tested.length} test images (`);
  expect(report.findings[0]!.text).toContain('by patient in the path');

  const given = await trust(workbench, { datasetId });
  expect(given.id).not.toBe(report.id);
  expect(given.groupsAcrossSplits.groups).toBe(0);
  // What is uncertain is part of the label, what is not mentioned is not.
  const labels = new Set([...given.near, ...given.conflicts].flatMap((set) => set.labels));
  expect([...labels].some((label) => label.includes('Edema'))).toBe(true);
});

test('copies, conflicts, blank and broken files of a real folder; once for the same state', async () => {
  const { workbench, id: datasetId } = await petsHome();
  const report = await trust(workbench, { datasetId, nearBits: 0 });
  expect(report).toMatchObject({
    ...{ datasetName: 'set', images: 10, excluded: 0, unhashed: 0, classNames: ['cat', 'dog'] },
    exact: [{ paths: ['cat/0.png', 'dog/copy of 0.png'], labels: ['cat', 'dog'], distance: 0 }],
    blank: [{ path: 'cat/blank.bmp' }],
    unreadable: [{ path: 'cat/broken.png' }],
    counts: [[[5, 5]]],
  });
  expect(report.conflicts[0]).toEqual(report.exact[0]);
  expect(await trust(workbench, { datasetId, nearBits: 0 })).toEqual(report);
  expect(await workbench.handlers['trust.latest']({ datasetId })).toEqual(report);
});

test('a change of the data set makes a new report; excluded images are left out of it', async () => {
  const { workbench, id: datasetId } = await petsHome();
  const { handlers } = workbench;
  const before = await trust(workbench, { datasetId });
  const exclude = { kind: 'exclude' } as const;
  await handlers['datasets.change']({ datasetId, filter: { text: 'copy' }, change: exclude });
  expect(await handlers['trust.latest']({ datasetId })).toBeNull();
  const after = await trust(workbench, { datasetId });
  expect(after.id).not.toBe(before.id);
  expect(after).toMatchObject({ images: 9, excluded: 1, exact: [], conflicts: [] });
  const [change] = await handlers['datasets.changes']({ datasetId });
  await handlers['datasets.undo']({ datasetId, changeId: change!.id });
  expect(await handlers['trust.latest']({ datasetId })).toEqual(before);
});

test('only the newest reports are kept', async () => {
  const { workbench, id: datasetId } = await petsHome();
  const first = await trust(workbench, { datasetId, nearBits: 0 });
  for (let nearBits = 1; nearBits <= 8; nearBits++) await trust(workbench, { datasetId, nearBits });
  await expect(workbench.handlers['trust.get']({ id: first.id })).rejects.toThrow(first.id);
  expect(await workbench.handlers['trust.latest']({ datasetId })).toMatchObject({
    spec: { nearBits: 8 },
  });
});

test('a report of an earlier version is not taken for one of this', async () => {
  const { workbench, id: datasetId } = await petsHome();
  const { id, version } = await trust(workbench, { datasetId });
  workbench.context.db
    .prepare("UPDATE dataset_analyses SET summary_json = json_set(summary_json, '$.version', ?)")
    .run(version - 1);
  await expect(
    Promise.resolve().then(() => workbench.handlers['trust.get']({ id })),
  ).rejects.toThrow('of an earlier version');
});

test('an unknown study fails by name; a cancelled job stores nothing', async () => {
  const { workbench, id: datasetId } = await petsHome();
  const { context, handlers } = workbench;
  const wrong = await handlers['trust.start']({ datasetId, studyId: 'none' });
  const end = await context.jobs.wait(wrong.id);
  expect(end).toMatchObject({ status: 'failed', failure: { code: 'not-found' } });
  expect(end.failure!.message).toContain('no study none');
  const job = await handlers['trust.start']({ datasetId });
  context.jobs.cancel(job.id);
  expect(await context.jobs.wait(job.id)).toMatchObject({ status: 'cancelled' });
  expect(await handlers['trust.latest']({ datasetId })).toBeNull();
});

test('the report comes as a file, of the newest or of a named report', async () => {
  const { workbench, id } = await petsHome();
  const { context } = workbench;
  expect(() => dataResponse(context, id, 'trust.csv')).toThrow('there is no trust report');
  const old = await trust(workbench, { datasetId: id, nearBits: 0 });
  const report = await trust(workbench, { datasetId: id });
  expect(await dataResponse(context, id, 'trust.json').json()).toEqual(report);
  expect(await dataResponse(context, id, 'trust.json', old.id).json()).toEqual(old);
  expect(() => dataResponse(context, id, 'trust.json', 'other')).toThrow('there is no trust other');
  const text = await dataResponse(context, id, 'trust.csv').text();
  const rows: Record<string, string>[] = parse(text, { columns: true });
  expect(rows.filter(({ kind }) => kind === 'exact duplicate')).toMatchObject([
    { path: 'cat/0.png', label: 'cat', set: '1', distance: '0' },
    { path: 'dog/copy of 0.png', label: 'dog' },
  ]);
  expect(rows.at(-1)).toMatchObject({ kind: 'unreadable', path: 'cat/broken.png' });
});

test('the command prints it, beside a running workbench', async () => {
  const { home } = await petsHome();
  const file = join(temporaryFolder(), 'trust.csv');
  const told = await carryover('--home', home, 'trust', 'set', '--csv', file);
  expect(told.code).toBe(0);
  expect(told.stdout).toContain('bad: 1 set of identical images with different labels');
  expect(told.stdout).toMatch(
    /identical images: 1 sets\nimages +distance .*\n +2 +0 +none +cat, dog/,
  );
  expect(readFileSync(file, 'utf8')).toContain('label conflict,1,');
  const json = await carryover('--home', home, 'trust', 'set', '--near-bits', '3', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ images: 10, spec: { nearBits: 3 } });
  for (const wrong of [
    ['--near-bits', '17'],
    ['--near-bits', ''],
    ['--study', 'none'],
  ]) {
    const refused = await carryover('--home', home, 'trust', 'set', ...wrong);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('way out: ');
  }
});
