import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { importScan } from '../../host/datasets/import.ts';
import { scanSource } from '../../host/datasets/scan.ts';
import { writeFileAtomic } from '../../host/files.ts';
import { openWorkbench } from '../../host/workbench.ts';
import { goodPicture } from './broken-files.ts';
import { childCommand, runCommand, temporaryFolder } from './support.ts';
import { onlyRandom, shapesHome, shapesStudy } from '../integration/studies-home.ts';
import { syntheticScan } from './synthetic-scan.ts';

const FULL = {
  code: 'disk-full',
  message: expect.stringMatching(/^the disk is full: could not write/),
  detail: expect.objectContaining({ wayOut: expect.stringContaining('free some space') }),
};

/** A namespace of its own, so that the mount goes when the child goes. */
const UNSHARE = process.getuid?.() === 0 ? ['unshare', '-m'] : ['unshare', '-rm'];
const mounts =
  spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status ===
  0;

/** Runs a command for which `folder` is a disk of that size. */
function runOnSmallDisk(size: string, folder: string, command: string[]) {
  const mount = `mount -t tmpfs -o size=${size} tmpfs "$0" && exec "$@"`;
  return runCommand([UNSHARE[0]!, ...UNSHARE.slice(1), 'sh', '-c', mount, folder, ...command]);
}

describe.skipIf(!mounts)('on a real full disk (needs unshare and mount)', () => {
  test('an import and a file fail with disk-full, leave nothing half-written, and smaller ones work', async () => {
    const home = temporaryFolder();
    const done = await runOnSmallDisk('3m', home, childCommand('fill-disk.ts', [home]));
    expect(done).toMatchObject({ code: 0, stderr: '' });
    const after = JSON.parse(done.stdout);
    expect(after).toMatchObject({
      importFailure: { code: 'disk-full', detail: { file: join(home, 'carryover.db') } },
      fileFailure: { code: 'disk-full', detail: { file: join(home, 'runs/weights.bin') } },
      datasets: [after.kept],
      images: 20,
      check: 'ok',
      runsFolder: ['weights.bin'],
      again: 10,
    });
  });

  test('a training fails with disk-full, leaves whole files, and goes on once there is room', async () => {
    const { home, workbench } = await shapesHome(4);
    await workbench.close();
    const study = join(home, 'study.yaml');
    writeFileSync(study, onlyRandom(shapesStudy({ epochs: 12, seeds: [0] })));
    const child = childCommand('fill-disk-training.ts', [home, study]);
    const done = await runOnSmallDisk('8m', join(home, 'runs'), child);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    const { full, again } = JSON.parse(done.stdout);

    expect(full).toMatchObject({ status: 'failed', failure: FULL });
    expect(full.failure.detail.file).toContain(join(home, 'runs', full.run.id));
    expect(full.run).toMatchObject({ status: 'failed', failure: full.failure });
    expect(full.files.filter((name: string) => name.endsWith('.tmp'))).toEqual([]);

    expect(again).toMatchObject({ status: 'done', run: { id: full.run.id, status: 'done' } });
    expect(again.run.curve).toHaveLength(13);
    // With the seconds that each took: what was trained before is not trained again.
    expect(again.run.curve.slice(0, 4)).toEqual(full.run.curve.slice(0, 4));
  }, 300_000);
});

test('a database that may not grow takes an import back whole', async () => {
  const { context, handlers, close } = openWorkbench({ home: temporaryFolder(), command: 'test' });
  onTestFinished(close);
  const small = importScan(context, syntheticScan({ root: '/small', images: 20 }), 'small');
  const pages = context.db.pragma('page_count', { simple: true }) as number;
  context.db.pragma(`max_page_count = ${pages + 20}`);
  const big = syntheticScan({ root: '/big', images: 5000 });
  expect(() => importScan(context, big, 'big')).toThrowError(expect.objectContaining(FULL));
  expect(await handlers['datasets.list']({})).toEqual([small]);
  expect(context.db.prepare('SELECT count(*) FROM images').pluck().get()).toBe(20);
  expect(context.db.pragma('integrity_check', { simple: true })).toBe('ok');
});

test('a scan whose results cannot be kept says so, and goes on once there is room', async () => {
  const { context, close } = openWorkbench({ home: temporaryFolder(), command: 'test' });
  onTestFinished(close);
  const root = temporaryFolder();
  mkdirSync(join(root, 'cat'));
  const images = 60;
  for (let i = 0; i < images; i++) {
    writeFileSync(join(root, 'cat', `${i}${'-long'.repeat(40)}.png`), await goodPicture(i));
  }
  const pages = context.db.pragma('page_count', { simple: true }) as number;
  context.db.pragma(`max_page_count = ${pages + 2}`);
  await expect(scanSource(context, root)).rejects.toMatchObject(FULL);
  context.db.pragma('max_page_count = 100000');
  expect((await scanSource(context, root)).images).toHaveLength(images);
});

describe('writeFileAtomic', () => {
  test('replaces a file whole and leaves nothing else', async () => {
    const folder = temporaryFolder();
    const file = join(folder, `${'long name '.repeat(24)}.bin`);
    await writeFileAtomic(file, 'old');
    await writeFileAtomic(file, Uint8Array.of(1, 2, 3));
    expect(readdirSync(folder)).toEqual([`${'long name '.repeat(24)}.bin`]);
  });

  test.each([
    ['a missing folder', (folder: string) => join(folder, 'none', 'x')],
    ['a file for a folder', () => join(import.meta.filename, 'x')],
    ['a folder for a file', (folder: string) => folder],
  ])('%s is an io failure that names the path', async (_, make) => {
    const folder = temporaryFolder();
    const path = make(folder);
    await expect(writeFileAtomic(path, 'x')).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining(path),
      detail: { file: path },
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});
