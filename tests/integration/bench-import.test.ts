import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { ImportFigures } from '../../bench/import-child.ts';
import { pictures, temporaryFolder } from './datasets-folder.ts';

const CHILD = fileURLToPath(new URL('../../bench/import-child.ts', import.meta.url));

test('the import bench imports for real, and again', async () => {
  const root = temporaryFolder();
  await pictures(root, [''], ['cat', 'dog'], 3);
  const home = join(temporaryFolder(), 'home');
  const once = async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD, root, home]);
    return JSON.parse(stdout) as ImportFigures;
  };
  for (const figures of [await once(), await once()]) {
    expect(figures.images).toBe(6);
    expect(figures.scan).toBeGreaterThan(0);
    expect(figures.store).toBeGreaterThan(0);
    expect(figures.cpu).toBeGreaterThan(0);
    expect(figures.bytes).toBeGreaterThan(2 ** 20);
  }
});
