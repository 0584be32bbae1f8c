import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { importScan } from '../../host/datasets/import.ts';
import { scanSource } from '../../host/datasets/scan.ts';
import { openWorkbench } from '../../host/workbench.ts';
import { goodPicture } from './broken-files.ts';
import { killHard, nextLine, startChild, temporaryFolder } from './support.ts';

const IMAGES = 1500;

test('a scan that was killed goes on where it was, and ends as if it had not been', async () => {
  const root = join(temporaryFolder(), 'pets');
  for (const label of ['cat', 'dog']) mkdirSync(join(root, label), { recursive: true });
  for (let i = 0; i < IMAGES; i++) {
    writeFileSync(join(root, i % 2 ? 'cat' : 'dog', `${i}.png`), await goodPicture(i));
  }
  const home = temporaryFolder();
  const child = startChild('scan.ts', [home, root]);
  expect(await nextLine(child)).toContain('900');
  await killHard(child);

  const { context, close } = openWorkbench({ home, command: 'test' });
  onTestFinished(close);
  const kept = () => context.db.prepare('SELECT count(*) FROM inspections').pluck().get() as number;
  expect(kept()).toBeGreaterThanOrEqual(500);
  expect(kept()).toBeLessThan(IMAGES);
  const resumed = await scanSource(context, root);
  expect(kept()).toBe(IMAGES);

  const fresh = await scanSource(null, root);
  expect(resumed.images).toEqual(fresh.images);
  expect(resumed.report).toEqual(fresh.report);
  expect(resumed.contentHash).toBe(fresh.contentHash);
  expect(importScan(context, resumed, 'pets')).toMatchObject({ images: IMAGES });
}, 60_000);
