import { chmodSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import { scanSource } from '../../host/datasets/scan.ts';
import type { Workbench } from '../../host/workbench.ts';
import { openWorkbench } from '../../host/workbench.ts';
import { picture, pictures, put, temporaryFolder } from './datasets-folder.ts';

function open(home = temporaryFolder()): Workbench {
  const workbench = openWorkbench({ home, command: 'test' });
  onTestFinished(() => workbench.close());
  return workbench;
}

function kept({ context }: Workbench): number {
  return context.db.prepare('SELECT count(*) FROM inspections').pluck().get() as number;
}

/** Other bytes of the same number, under the same time. */
function replaceUnnoticed(path: string, byte: number): void {
  const { size, atime, mtime } = statSync(path);
  writeFileSync(path, Buffer.alloc(size, byte));
  utimesSync(path, atime, mtime);
}

test('a file is opened once; one that changed is looked at again', async () => {
  const { context } = open();
  const root = temporaryFolder();
  await pictures(root, [''], ['cat', 'dog'], 3);
  put(root, 'cat/broken.png', (await picture(9)).subarray(0, 200));
  for (const path of ['cat/0.png', 'cat/broken.png']) utimesSync(join(root, path), 1.7e9, 1.7e9);
  const first = await scanSource(context, root);
  expect(first.report.skipped).toMatchObject([{ path: 'cat/broken.png' }]);

  replaceUnnoticed(join(root, 'cat/0.png'), 1);
  replaceUnnoticed(join(root, 'cat/broken.png'), 2);
  const again = await scanSource(context, root);
  expect(again.images).toEqual(first.images);
  expect(again.report).toEqual(first.report);

  utimesSync(join(root, 'cat/0.png'), 1.7e9, 1.7e9 + 1);
  writeFileSync(join(root, 'cat/broken.png'), await picture(9));
  const third = await scanSource(context, root);
  expect(third.report.skipped).toMatchObject([
    { path: 'cat/0.png', reason: expect.stringContaining('no known image format') },
  ]);
  expect(third.images).toHaveLength(6);
});

test('what was found outlives the process, and is forgotten with the file', async () => {
  const home = temporaryFolder();
  const root = temporaryFolder();
  await pictures(root, [''], ['cat', 'dog'], 3);
  utimesSync(join(root, 'dog/2.png'), 1.7e9, 1.7e9);
  const first = open(home);
  const scan = await scanSource(first.context, root);
  expect(kept(first)).toBe(6);
  await first.close();

  const second = open(home);
  replaceUnnoticed(join(root, 'dog/2.png'), 1);
  expect((await scanSource(second.context, root)).contentHash).toBe(scan.contentHash);
  rmSync(join(root, 'cat'), { recursive: true });
  await scanSource(second.context, root);
  expect(kept(second)).toBe(3);
});

test('a scan that is cancelled keeps what it has, and the next one goes on', async () => {
  const workbench = open();
  const root = temporaryFolder();
  await pictures(root, [''], ['cat', 'dog'], 20);
  const controller = new AbortController();
  const scan = scanSource(workbench.context, root, null, {
    signal: controller.signal,
    onProgress: ({ phase, done }) => {
      if (phase === 'reading images' && done === 10) {
        controller.abort(new CarryoverError('cancelled', 'enough'));
      }
    },
  });
  await expect(scan).rejects.toMatchObject({ code: 'cancelled' });
  expect(kept(workbench)).toBeGreaterThanOrEqual(9);
  expect(kept(workbench)).toBeLessThan(40);
  const whole = await scanSource(workbench.context, root);
  expect(whole.images).toEqual((await scanSource(null, root)).images);
});

test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
  'a file that could not be read is tried again',
  async () => {
    const { context } = open();
    const root = temporaryFolder();
    await pictures(root, [''], ['cat', 'dog'], 2);
    chmodSync(join(root, 'cat/0.png'), 0);
    expect((await scanSource(context, root)).images).toHaveLength(3);
    chmodSync(join(root, 'cat/0.png'), 0o644);
    expect((await scanSource(context, root)).images).toHaveLength(4);
  },
);

test('every image has its perceptual hash, mean and deviation', async () => {
  const root = temporaryFolder();
  const bright = await picture(4);
  put(root, 'a/0.png', bright);
  put(root, 'b/0.webp', await picture(4, 'webp'));
  const [first, second] = (await scanSource(null, root)).images;
  expect(first!.phash).toBeGreaterThan(0n);
  expect(first!.phash < 2n ** 64n).toBe(true);
  expect(first!.mean).toBeCloseTo(0.5, 1);
  expect(first!.deviation).toBeGreaterThan(0.05);
  expect(second!.sha256).not.toBe(first!.sha256);
});
