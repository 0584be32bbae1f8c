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

describe.skipIf(!mounts)('on a real full disk (needs unshare and mount)', () => {
  test('an import and a file fail with disk-full, leave nothing half-written, and smaller ones work', async () => {
    const home = temporaryFolder();
    const mount = 'mount -t tmpfs -o size=3m tmpfs "$0" && exec "$@"';
    const child = childCommand('fill-disk.ts', [home]);
    const done = await runCommand([
      UNSHARE[0]!,
      ...UNSHARE.slice(1),
      'sh',
      '-c',
      mount,
      home,
      ...child,
    ]);
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
