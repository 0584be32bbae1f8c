import { describe, expect, onTestFinished, test } from 'vitest';
import type { ImageFilter } from '../../contract/datasets.ts';
import { importScan } from '../../host/datasets/import.ts';
import { scanFolder } from '../../host/datasets/scan.ts';
import { openWorkbench } from '../../host/workbench.ts';
import { picture, put, temporaryFolder } from './datasets-folder.ts';

const PATHS = [
  'photo/cat/Äpfel 1.png',
  'photo/cat/100%.png',
  'photo/dog/b[1].png',
  'sketch/cat/what?.png',
  'sketch/dog/star*.png',
  'sketch/dog/x^y-z.png',
];

/** A data set of PATHS and a study in which photo/cat trains and sketch/dog tests. */
async function prepared() {
  const root = temporaryFolder();
  for (const [i, path] of PATHS.entries()) put(root, path, await picture(i));
  const workbench = openWorkbench({ home: temporaryFolder(), command: 'test' });
  onTestFinished(() => workbench.close());
  const { context, handlers } = workbench;
  const { id: datasetId } = importScan(context, await scanFolder(root), 'set');
  context.db
    .prepare(
      `INSERT INTO studies (id, name, yaml, spec_json, dataset_id, plan_json, status, created_at)
       VALUES ('s', 'study', '', '{}', ?, '{}', 'planned', '')`,
    )
    .run(datasetId);
  const part = context.db.prepare(
    `INSERT INTO study_images SELECT 's', id, ? FROM images WHERE path LIKE ?`,
  );
  part.run('train', 'photo/cat/%');
  part.run('test', 'sketch/dog/%');
  const query = async (filter: ImageFilter, offset = 0, limit = 100) => {
    const found = await handlers['images.query']({ datasetId, filter, offset, limit });
    return { total: found.total, paths: found.images.map(({ path }) => path) };
  };
  const counts = (filter: ImageFilter) => handlers['images.counts']({ datasetId, filter });
  return { query, counts, handlers };
}

const inOrder = (paths: string[]): string[] =>
  paths.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

describe('images.query', () => {
  test('pages come in the order of the paths, without gap or repeat', async () => {
    const { query } = await prepared();
    const pages = await Promise.all([0, 2, 4, 6].map((offset) => query({}, offset, 2)));
    expect(pages.flatMap(({ paths }) => paths)).toEqual(inOrder([...PATHS]));
    expect(pages.map(({ total }) => total)).toEqual([6, 6, 6, 6]);
  });

  test.each<[ImageFilter, string[]]>([
    [{ domains: ['photo'] }, PATHS.slice(0, 3)],
    [{ labels: ['dog'], domains: ['sketch'] }, PATHS.slice(4)],
    [{ labels: ['cat', 'dog'], domains: ['photo'] }, PATHS.slice(0, 3)],
    [{ labels: [] }, []],
    [{ labels: ['unknown'] }, []],
    [{ text: 'äPFEL' }, [PATHS[0]!]],
    [{ text: '100%' }, [PATHS[1]!]],
    [{ text: '[1]' }, [PATHS[2]!]],
    [{ text: 'WHAT?' }, [PATHS[3]!]],
    [{ text: 'star*' }, [PATHS[4]!]],
    [{ text: 'X^Y-Z' }, [PATHS[5]!]],
    [{ text: '_' }, []],
    [{ text: 'photo'.repeat(20_000) }, []],
    [{ studyId: 's', split: 'train' }, PATHS.slice(0, 2)],
    [{ studyId: 's', split: 'test' }, PATHS.slice(4)],
    [{ studyId: 's', split: 'unused' }, PATHS.slice(2, 4)],
    [{ studyId: 's', split: 'unused', labels: ['dog'] }, [PATHS[2]!]],
  ])('%j', async (filter, expected) => {
    const { query } = await prepared();
    expect(await query(filter)).toEqual({ total: expected.length, paths: inOrder(expected) });
  });

  test('a split without its study, an unknown study or data set are errors', async () => {
    const { query, handlers } = await prepared();
    await expect(query({ split: 'train' })).rejects.toMatchObject({ code: 'bad-input' });
    const unknown = { studyId: 'none', split: 'train' } as const;
    await expect(query(unknown)).rejects.toMatchObject({ code: 'not-found' });
    const request = { datasetId: 'none', filter: {}, offset: 0, limit: 1 };
    await expect(handlers['images.query'](request)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('images.counts', () => {
  test('each facet is counted without its own restriction', async () => {
    const { counts } = await prepared();
    expect(await counts({})).toEqual({
      total: 6,
      domains: { photo: 3, sketch: 3 },
      labels: { cat: 3, dog: 3 },
      splits: {},
    });
    expect(await counts({ domains: ['photo'], labels: ['cat'] })).toEqual({
      total: 2,
      domains: { photo: 2, sketch: 1 },
      labels: { cat: 2, dog: 1 },
      splits: {},
    });
    expect(await counts({ studyId: 's', split: 'train', domains: ['photo'] })).toEqual({
      total: 2,
      domains: { photo: 2, sketch: 0 },
      labels: { cat: 2, dog: 0 },
      splits: { train: 2, test: 0, unused: 1 },
    });
  });
});
