import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import { childCommand, runCommand, temporaryFolder } from './support.ts';

test.skipIf(process.platform === 'win32')(
  'folders and files without permission are skipped with that reason; the root is an error',
  async () => {
    const root = temporaryFolder();
    const picture = await sharp({
      create: { width: 8, height: 8, channels: 3, background: '#123456' },
    })
      .png()
      .toBuffer();
    chmodSync(root, 0o755);
    for (const name of ['open', 'closed', 'listed']) {
      mkdirSync(join(root, name));
      writeFileSync(join(root, name, '1.png'), picture);
    }
    writeFileSync(join(root, 'open', 'private.png'), picture, { mode: 0 });
    chmodSync(join(root, 'closed'), 0);
    chmodSync(join(root, 'listed'), 0o444);
    onTestFinished(() => {
      for (const name of ['closed', 'listed']) chmodSync(join(root, name), 0o755);
    });
    const scan = await runCommand(childCommand('scan-as-nobody.ts', [root]));
    expect(scan.stderr).toBe('');
    const report = JSON.parse(scan.stdout);
    expect(report.images).toBe(1);
    expect(report.skipped).toEqual([
      { path: 'closed', reason: 'the folder cannot be read: permission denied' },
      { path: 'listed/1.png', reason: 'cannot be read: permission denied' },
      { path: 'open/private.png', reason: expect.stringContaining('cannot be read') },
    ]);

    const closed = await runCommand(childCommand('scan-as-nobody.ts', [join(root, 'closed')]));
    expect(closed.code).not.toBe(0);
    expect(closed.stderr).toContain(`could not list ${join(root, 'closed')}`);
  },
);
