import { cpSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { importScan } from '../../host/datasets/import.ts';
import { scanSource } from '../../host/datasets/scan.ts';
import type { Workbench } from '../../host/workbench.ts';
import { openWorkbench } from '../../host/workbench.ts';
import { zip } from '../unit/archives-support.ts';
import { picture, pictures, put, temporaryFolder } from './datasets-folder.ts';

function open(): Workbench {
  const workbench = openWorkbench({ home: temporaryFolder(), command: 'test' });
  onTestFinished(() => workbench.close());
  return workbench;
}

/** Eight pictures in two splits, imported; and what is stored of them beside their places. */
async function imported({ context }: Workbench) {
  const root = join(temporaryFolder(), 'pets');
  await pictures(root, ['train', 'test'], ['cat', 'dog'], 2);
  const { id } = importScan(context, await scanSource(context, root), 'pets');
  const rest = (): unknown[] =>
    context.db
      .prepare('SELECT id, class_id, group_name, split, sha256 FROM images ORDER BY id')
      .all();
  return { root, id, rest };
}

async function finish({ context, handlers }: Workbench, id: string, path: string) {
  return context.jobs.wait((await handlers['datasets.relink']({ id, path })).id);
}

test('moved files are found again; ids and all else stay', async () => {
  const workbench = open();
  const { root, id, rest } = await imported(workbench);
  const before = rest();
  const moved = join(temporaryFolder(), 'elsewhere');
  renameSync(root, moved);
  renameSync(join(moved, 'train/cat/0.png'), join(moved, 'train/cat/renamed.png'));
  const job = await finish(workbench, id, moved);
  expect(job).toMatchObject({ kind: 'files', status: 'done', result: id, failure: null });
  expect(rest()).toEqual(before);
  const { handlers } = workbench;
  expect(await handlers['datasets.get']({ id })).toMatchObject({
    root: moved,
    report: { root: moved },
  });
  const page = { datasetId: id, filter: {}, offset: 0, limit: 100 };
  const { images } = await handlers['images.query'](page);
  expect(images.map(({ path }) => path)).toContain('train/cat/renamed.png');
  for (const image of images) {
    expect((await handlers['images.get']({ id: image.id })).state).toBe('ok');
  }
});

test('a folder with other content is refused, naming what differs, and nothing changes', async () => {
  const workbench = open();
  const { root, id } = await imported(workbench);
  const other = join(temporaryFolder(), 'other');
  cpSync(root, other, { recursive: true });
  writeFileSync(join(other, 'train/cat/0.png'), await picture(77));
  put(other, 'test/dog/new.png', await picture(78));
  const { status, failure } = await finish(workbench, id, other);
  expect(status).toBe('failed');
  expect(failure).toMatchObject({ code: 'conflict', detail: { file: other } });
  expect(failure!.message).toContain('1 image not there or changed (train/cat/0.png)');
  expect(failure!.message).toContain('2 images that it does not have');
  expect(await workbench.handlers['datasets.get']({ id })).toMatchObject({ root });
  await expect(finish(workbench, 'none', root)).rejects.toMatchObject({ code: 'not-found' });
});

test('a check tells missing, changed and merely touched files apart', async () => {
  const workbench = open();
  const { context, handlers } = workbench;
  const { root, id } = await imported(workbench);
  const check = async () => {
    const job = await context.jobs.wait((await handlers['datasets.checkFiles']({ id })).id);
    return handlers['datasets.fileCheck']({ checkId: job.result! });
  };
  expect(await check()).toEqual({ images: 8, missing: [], changed: [] });
  rmSync(join(root, 'test/cat/0.png'));
  utimesSync(join(root, 'test/cat/1.png'), 1, 1);
  writeFileSync(join(root, 'train/dog/0.png'), await picture(99));
  const { missing, changed } = await check();
  expect(missing.map(({ path }) => path)).toEqual(['test/cat/0.png']);
  expect(changed.map(({ path }) => path)).toEqual(['train/dog/0.png']);
  await expect(handlers['datasets.fileCheck']({ checkId: 'x' })).rejects.toMatchObject({
    code: 'not-found',
    detail: { wayOut: 'check the files again' },
  });
});

test('an archive that has grown has only changed where an image in it has', async () => {
  const workbench = open();
  const { context, handlers } = workbench;
  const part = async (name: string, seed: number) => ({ name, data: await picture(seed) });
  const [cat, dog] = [await part('cat/0.png', 1), await part('dog/0.png', 2)];
  const path = put(temporaryFolder(), 'pets.zip', zip([cat, dog]));
  const { id } = importScan(context, await scanSource(context, path), 'pets');
  const changed = async () => {
    const job = await context.jobs.wait((await handlers['datasets.checkFiles']({ id })).id);
    const check = await handlers['datasets.fileCheck']({ checkId: job.result! });
    return check.changed.map(({ path }) => path);
  };
  writeFileSync(path, zip([{ name: 'README', data: 'new' }, cat, dog]));
  expect(await changed()).toEqual([]);
  writeFileSync(path, zip([cat, await part('dog/0.png', 3), await part('dog/1.png', 2)]));
  expect(await changed()).toEqual(['pets.zip/dog/0.png']);
});

test('identifiers are hashed with one secret of the home, which no one is told', async () => {
  const { context, handlers } = open();
  const root = temporaryFolder();
  await pictures(root, [''], ['cat', 'dog'], 1);
  const salt = () =>
    context.db
      .prepare("SELECT value_json FROM settings WHERE key = 'identifier-salt'")
      .pluck()
      .get();
  await scanSource(context, root);
  const first = salt();
  expect(first).toMatch(/^"[0-9a-f]{64}"$/);
  await scanSource(context, root);
  expect(salt()).toBe(first);
  expect(Object.keys(await handlers['settings.get']({}))).not.toContain('identifier-salt');
});
