import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { changeImages, undoChange } from '../../host/datasets/changes.ts';
import type { RowImage } from './dataset-rows.ts';
import { insertDataset } from './dataset-rows.ts';
import { failureOf, openServer } from './http-support.ts';

const SINGLE: RowImage[] = [
  { path: '=SUM(A1).png', label: 'cat', split: 'train', attributes: { sex: 'F', path: '-1' } },
  { path: 'a "quoted", one.png', label: 'dog', attributes: { sex: 'M', path: '-0.30' } },
  { path: 'b.png', label: 'dog', domain: 'other', attributes: { path: '-1+2' } },
];
const MULTI: RowImage[] = [
  { path: '1.png', findings: { Edema: 1, Nodule: -1 } },
  { path: '2.png', findings: { Edema: 0 } },
];

async function served(images: RowImage[]) {
  const { ask, context } = await openServer();
  const ids = insertDataset(context.db, 'd', images);
  const table = async (name: string): Promise<Record<string, string>[]> => {
    const reply = await ask(`/data/d/${name}`);
    expect(reply.status).toBe(200);
    expect(reply.headers['content-disposition']).toBe(`attachment; filename="${name}"`);
    if (name.endsWith('.json')) return JSON.parse(reply.text);
    expect(reply.headers['content-type']).toBe('text/csv; charset=utf-8');
    return parse(reply.text, { columns: true });
  };
  return { ask, context, ids, table };
}

test('images.csv has every image with its changes, and nothing a spreadsheet would run', async () => {
  const { context, table } = await served(SINGLE);
  changeImages(context, 'd', { labels: ['cat'] }, { kind: 'relabel', value: 'dog' });
  changeImages(context, 'd', { text: 'quoted' }, { kind: 'tag', value: 'odd' });
  changeImages(context, 'd', { text: 'b.png' }, { kind: 'exclude' });
  const rows = await table('images.csv');
  expect(rows).toMatchObject([
    {
      ...{ path: "'=SUM(A1).png", label: 'dog', imported_label: 'cat', excluded: '0' },
      ...{ split: 'train', 'attribute: sex': 'F', 'attribute: path': '-1' },
    },
    { path: 'a "quoted", one.png', tags: 'odd', imported_label: 'dog', 'attribute: path': '-0.30' },
    { path: 'b.png', excluded: '1', 'attribute: sex': '', 'attribute: path': "'-1+2" },
  ]);
  const images = (await table('images.json')) as unknown[];
  expect(images).toMatchObject([
    { path: '=SUM(A1).png', relabelledFrom: 'cat', attributes: { sex: 'F', path: '-1' } },
    { tags: ['odd'], excluded: false, split: null },
    { excluded: true, width: 64 },
  ]);
});

test('metadata.csv has the labels now, exact and without excluded images', async () => {
  const { context, table } = await served(SINGLE);
  changeImages(context, 'd', { labels: ['cat'] }, { kind: 'relabel', value: 'bird' });
  changeImages(context, 'd', { text: 'b.png' }, { kind: 'exclude' });
  expect(await table('metadata.csv')).toMatchObject([
    { file_name: '=SUM(A1).png', label: 'bird', split: 'train', sex: 'F', path: '-1' },
    { file_name: 'a "quoted", one.png', label: 'dog', group: 'group of a "quoted", one.png' },
  ]);
});

test('findings have a column each', async () => {
  const { context, table } = await served(MULTI);
  changeImages(context, 'd', { text: '2.png' }, { kind: 'finding', value: 'Nodule=1' });
  expect(await table('images.csv')).toMatchObject([
    { label: 'Edema', 'finding: Edema': '1', 'finding: Nodule': '-1' },
    { label: 'Nodule', imported_label: '', 'finding: Edema': '0', 'finding: Nodule': '1' },
  ]);
  const [first, second] = await table('metadata.csv');
  expect(first).toMatchObject({ file_name: '1.png', Edema: '1', Nodule: '-1' });
  expect(first).not.toHaveProperty('label');
  expect(second).toMatchObject({ Edema: '0', Nodule: '1' });
});

test('changes tell which image had what before', async () => {
  const { context, table } = await served(SINGLE);
  const first = changeImages(context, 'd', {}, { kind: 'relabel', value: 'cat' });
  undoChange(context, 'd', first.id);
  changeImages(context, 'd', { text: 'b.png' }, { kind: 'exclude' });
  const rows = await table('changes.csv');
  expect(rows).toMatchObject([
    { change: '1', kind: 'relabel', value: 'cat', path: 'a "quoted", one.png', before: 'dog' },
    { change: '1', path: 'b.png', before: 'dog' },
    { change: '2', kind: 'exclude', value: '', path: 'b.png', before: '', undone_at: '' },
  ]);
  expect(rows[0]?.['undone_at']).not.toBe('');
  expect(await table('changes.json')).toHaveLength(3);
});

test('many images come in one piece', async () => {
  const images = Array.from({ length: 1234 }, (_, i): RowImage => ({ path: `${i}`, label: 'x' }));
  const { table, context } = await served(images);
  changeImages(context, 'd', {}, { kind: 'tag', value: 'all' });
  for (const name of ['images.csv', 'images.json', 'metadata.csv', 'changes.csv']) {
    const rows = await table(name);
    expect(new Set(rows.map((row) => row['path'] ?? row['file_name'])).size, name).toBe(1234);
  }
});

test('an empty set has empty tables; unknown tables and sets are named', async () => {
  const { table, ask } = await served([]);
  expect(await table('images.json')).toEqual([]);
  expect(await table('changes.csv')).toEqual([]);
  const unknown = await ask('/data/d/toString');
  expect(unknown.status).toBe(404);
  expect(failureOf(unknown).detail?.wayOut).toContain('metadata.csv');
  expect((await ask('/data/none/images.csv')).status).toBe(404);
  expect((await ask('/data/d')).status).toBe(404);
});
