import { existsSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { HostEvent } from '../../contract/api.ts';
import { importScan } from '../../host/datasets/import.ts';
import { scanSource } from '../../host/datasets/scan.ts';
import type { Workbench } from '../../host/workbench.ts';
import { openWorkbench } from '../../host/workbench.ts';
import { picture, pictures, put, temporaryFolder } from './datasets-folder.ts';
import { shapesHome, shapesStudy } from './studies-home.ts';

function open(): Workbench {
  const workbench = openWorkbench({ home: temporaryFolder(), command: 'test' });
  onTestFinished(() => workbench.close());
  return workbench;
}

async function folder(): Promise<string> {
  const root = temporaryFolder();
  await pictures(root, ['photo', 'sketch'], ['cat', 'dog'], 2);
  return root;
}

describe('through jobs, as the window does it', () => {
  test('scan, report, import, list, detail', async () => {
    const { context, handlers } = open();
    const events: HostEvent[] = [];
    context.events.subscribe((event) => events.push(event));
    const root = await folder();
    put(root, 'photo/cat/notes.txt', 'x');

    const scan = await context.jobs.wait((await handlers['datasets.scan']({ path: root })).id);
    expect(scan).toMatchObject({ kind: 'scan', status: 'done', subject: root });
    expect(scan.progress).toMatchObject({ done: 9, total: 9, unit: 'images' });
    const scanId = scan.result!;
    const report = await handlers['datasets.scanReport']({ scanId });
    expect(await handlers['datasets.list']({})).toEqual([]);

    const started = await handlers['datasets.import']({ scanId, name: 'Pets' });
    const imported = await context.jobs.wait(started.id);
    expect(imported).toMatchObject({ kind: 'import', status: 'done', failure: null });
    const list = await handlers['datasets.list']({});
    expect(list).toEqual([
      expect.objectContaining({
        id: imported.result,
        name: 'Pets',
        root,
        images: 8,
        classes: 2,
        domains: 2,
      }),
    ]);
    expect(events).toContainEqual({ type: 'datasets' });
    const detail = await handlers['datasets.get']({ id: imported.result! });
    expect(detail).toEqual({
      ...list[0],
      classNames: ['cat', 'dog'],
      domainNames: ['photo', 'sketch'],
      counts: [
        [2, 2],
        [2, 2],
      ],
      reading: { format: 'folders', levels: ['domain', 'class'] },
      attributes: [],
      tags: [],
      report,
      studies: [],
    });
    expect(report.skipped.map(({ path }) => path)).toEqual(['photo/cat/notes.txt']);
  });

  test('a scan of nothing fails as data, and an unknown scan says so', async () => {
    const { context, handlers } = open();
    const job = await handlers['datasets.scan']({ path: temporaryFolder() });
    expect(await context.jobs.wait(job.id)).toMatchObject({
      status: 'failed',
      failure: { code: 'bad-input', detail: { wayOut: expect.any(String) } },
    });
    await expect(handlers['datasets.scanReport']({ scanId: 'gone' })).rejects.toMatchObject({
      code: 'not-found',
      detail: { wayOut: 'scan the folder again' },
    });
  });
});

describe('importing again', () => {
  test('the same content of the same folder gives the same data set, whatever the name', async () => {
    const { context, handlers } = open();
    const root = await folder();
    const first = importScan(context, await scanSource(null, root), 'Pets');
    expect(importScan(context, await scanSource(null, root), 'Pets')).toEqual(first);
    expect(importScan(context, await scanSource(null, root), 'Other')).toEqual(first);
    expect(await handlers['datasets.list']({})).toHaveLength(1);
  });

  test('under an exact name it is a second data set; once there, that is found again', async () => {
    const { context, handlers } = open();
    const scan = await scanSource(null, await folder());
    const first = importScan(context, scan, 'Pets');
    const second = importScan(context, scan, 'Other', { exact: true });
    expect(second).toMatchObject({ name: 'Other', contentHash: first.contentHash, images: 8 });
    expect(second.id).not.toBe(first.id);
    expect(importScan(context, scan, 'Other', { exact: true })).toEqual(second);
    expect(importScan(context, scan, 'Other')).toEqual(second);
    expect(importScan(context, scan, 'Third')).toEqual(first);
    expect(await handlers['datasets.list']({})).toHaveLength(2);
  });

  test('ids are stable: the same content and name give the same id in another home', async () => {
    const scan = await scanSource(null, await folder());
    const ids = [open(), open()].map(({ context }) => importScan(context, scan, 'Pets').id);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).toMatch(/^[0-9a-f]{12}$/);
    expect(importScan(open().context, scan, 'Pets 2').id).not.toBe(ids[0]);
  });

  test('the same name with other content is a conflict with a way out, and changes nothing', async () => {
    const { context, handlers } = open();
    const root = await folder();
    const first = importScan(context, await scanSource(null, root), 'Pets');
    put(root, 'photo/cat/new.png', await picture(77));
    const scan = await scanSource(null, root);
    expect(() => importScan(context, scan, 'Pets')).toThrowError(
      expect.objectContaining({
        code: 'conflict',
        message: expect.stringContaining('"Pets" with other content'),
        detail: expect.objectContaining({
          wayOut: 'choose another name, or remove that data set in the workbench',
        }),
      }),
    );
    expect(await handlers['datasets.list']({})).toEqual([first]);
    expect(importScan(context, scan, 'Pets 2').images).toBe(9);
  });

  test('a data set that a study uses is not offered for removal', async () => {
    const { workbench } = await shapesHome(4);
    await workbench.handlers['studies.create']({ yaml: shapesStudy() });
    const scan = await scanSource(null, await folder());
    expect(() => importScan(workbench.context, scan, 'shapes')).toThrowError(
      expect.objectContaining({
        detail: expect.objectContaining({ wayOut: 'choose another name' }),
      }),
    );
  });

  test('a folder that moved: the same images under the same ids, found at their new place', async () => {
    const { context, handlers } = open();
    const root = await folder();
    const { id } = importScan(context, await scanSource(null, root), 'Pets');
    const page = { datasetId: id, filter: {}, offset: 0, limit: 100 };
    const before = (await handlers['images.query'](page)).images;
    const moved = join(temporaryFolder(), 'moved');
    renameSync(root, moved);
    renameSync(join(moved, 'photo/cat/0.png'), join(moved, 'photo/cat/renamed.png'));
    expect((await handlers['images.get']({ id: before[0]!.id })).state).toBe('missing');

    expect(importScan(context, await scanSource(null, moved), 'Pets')).toMatchObject({
      id,
      root: moved,
    });
    const after = (await handlers['images.query'](page)).images;
    expect(new Set(after.map((image) => image.id))).toEqual(
      new Set(before.map((image) => image.id)),
    );
    for (const image of after) {
      expect((await handlers['images.get']({ id: image.id })).state).toBe('ok');
    }
    const renamed = await handlers['images.get']({ id: before[0]!.id });
    expect(renamed.path).toBe('photo/cat/renamed.png');
  });
});

describe('files after the import', () => {
  test('deleted, changed, touched and replaced files are told apart', async () => {
    const { context, handlers } = open();
    const root = await folder();
    const { id } = importScan(context, await scanSource(null, root), 'Pets');
    const { images } = await handlers['images.query']({
      datasetId: id,
      filter: { domains: ['photo'] },
      offset: 0,
      limit: 10,
    });
    const state = async (at: number) => {
      const image = await handlers['images.get']({ id: images[at]!.id });
      return image.state;
    };
    expect(await Promise.all([0, 1, 2, 3].map(state))).toEqual(['ok', 'ok', 'ok', 'ok']);
    rmSync(join(root, images[0]!.path));
    utimesSync(join(root, images[1]!.path), 1, 1);
    const third = join(root, images[2]!.path);
    const bytes = statSync(third).size;
    writeFileSync(third, Buffer.alloc(bytes, 1));
    utimesSync(third, 2, 2);
    writeFileSync(join(root, images[3]!.path), 'other');
    expect(await Promise.all([0, 1, 2, 3].map(state))).toEqual([
      'missing',
      'ok',
      'changed',
      'changed',
    ]);
  });

  test('an image carries everything that is known of it', async () => {
    const { context, handlers } = open();
    const root = temporaryFolder();
    put(root, 'a/x.png', await picture(5));
    put(root, 'b/y.png', await picture(6));
    put(root, 'metadata.csv', 'file_name,group,licence,source,camera\na/x.png,p7,CC0,here,X-T5\n');
    const scan = await scanSource(null, root);
    const { id } = importScan(context, scan, 'one');
    const { images } = await handlers['images.query']({
      datasetId: id,
      filter: { labels: ['a'] },
      offset: 0,
      limit: 1,
    });
    expect(await handlers['images.get']({ id: images[0]!.id })).toEqual({
      id: images[0]!.id,
      datasetId: id,
      path: 'a/x.png',
      absolutePath: join(root, 'a', 'x.png'),
      domain: 'all',
      label: 'a',
      group: 'p7',
      width: 24,
      height: 20,
      bytes: scan.images[0]!.file.bytes,
      sha256: scan.images[0]!.sha256,
      format: 'png',
      licence: 'CC0',
      attribution: null,
      source: 'here',
      split: null,
      attributes: { camera: 'X-T5' },
      findings: {},
      tags: [],
      excluded: false,
      relabelledFrom: null,
      state: 'ok',
    });
    await expect(handlers['images.get']({ id: 999_999 })).rejects.toMatchObject({
      code: 'not-found',
    });
  });
});

describe('removing', () => {
  test('forgets the data set and leaves the files', async () => {
    const { context, handlers } = open();
    const root = await folder();
    const { id } = importScan(context, await scanSource(null, root), 'Pets');
    const array = put(context.home.analyses, 'f1.features', 'x');
    context.db
      .prepare(`INSERT INTO dataset_analyses VALUES ('f1', ?, 'features', '', '', ?, '')`)
      .run(id, '[{"name":"f1.features","bytes":1,"sha256":""}]');
    expect(await handlers['datasets.remove']({ id })).toBeNull();
    expect(existsSync(array)).toBe(false);
    expect(await handlers['datasets.list']({})).toEqual([]);
    for (const table of ['images', 'classes', 'domains']) {
      expect(context.db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()).toBe(0);
    }
    expect((await scanSource(null, root)).images).toHaveLength(8);
    await expect(handlers['datasets.remove']({ id })).rejects.toMatchObject({ code: 'not-found' });
  });

  test('is refused while studies use it, and names them', async () => {
    const { context, handlers } = open();
    const { id } = importScan(context, await scanSource(null, await folder()), 'Pets');
    const study = context.db.prepare(
      `INSERT INTO studies (id, name, yaml, spec_json, dataset_id, plan_json, status, created_at)
       VALUES (?, ?, '', '{}', ?, '{}', 'planned', ?)`,
    );
    study.run('s1', 'First', id, '2026-01-01');
    study.run('s2', 'Second', id, '2026-01-02');
    await expect(handlers['datasets.remove']({ id })).rejects.toMatchObject({
      code: 'conflict',
      message: 'the data set "Pets" is used by the studies "First", "Second"',
    });
    expect((await handlers['datasets.get']({ id })).studies).toEqual([
      { id: 's1', name: 'First' },
      { id: 's2', name: 'Second' },
    ]);
  });

  test('is refused while trained runs need it', async () => {
    const { context, handlers } = open();
    const { id } = importScan(context, await scanSource(null, await folder()), 'Pets');
    context.db
      .prepare(
        `INSERT INTO runs (id, kind, arm, spec_json, dataset_id, dataset_hash, architecture, seed,
           shuffle, epochs, device, versions_json, status, notes_json, created_at)
         VALUES ('r', 'target', 'RI-T', '{}', ?, '', '', 0, 'none', 1, 'cpu', '{}', 'done', '[]', '')`,
      )
      .run(id);
    await expect(handlers['datasets.remove']({ id })).rejects.toMatchObject({
      code: 'conflict',
      message: 'the data set "Pets" is used by 1 trained run',
    });
    expect((await handlers['datasets.get']({ id })).images).toBe(8);
  });
});
