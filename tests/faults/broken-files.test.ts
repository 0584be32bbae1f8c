import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { importScan } from '../../host/datasets/import.ts';
import { scanSource } from '../../host/datasets/scan.ts';
import { openWorkbench } from '../../host/workbench.ts';
import { goodPicture, writeBroken } from './broken-files.ts';
import { temporaryFolder } from './support.ts';

test.skipIf(process.platform !== 'linux')(
  'of a folder with one hundred broken files the good ones are imported and the hundred listed',
  async () => {
    const root = join(temporaryFolder(), 'set');
    const broken = await writeBroken(join(root, 'cat'));
    expect(Object.keys(broken)).toHaveLength(100);
    for (const [i, label] of ['cat', 'dog', 'cat', 'dog'].entries()) {
      mkdirSync(join(root, label), { recursive: true });
      writeFileSync(join(root, label, `good ${i}.png`), await goodPicture(100 + i));
    }
    const { context, close } = openWorkbench({ home: temporaryFolder(), command: 'test' });
    onTestFinished(close);

    const scan = await scanSource(context, root);
    expect(scan.images.map(({ path }) => path)).toEqual([
      'cat/good 0.png',
      'cat/good 2.png',
      'dog/good 1.png',
      'dog/good 3.png',
    ]);
    const reasons = Object.fromEntries(
      scan.report.skipped.map(({ path, reason }) => [path.replace(/^cat\//, ''), reason]),
    );
    expect(reasons).toEqual(
      Object.fromEntries(
        Object.entries(broken).map(([name, reason]) => [name, expect.stringMatching(reason)]),
      ),
    );
    expect(JSON.stringify(reasons)).not.toContain(root);
    expect(importScan(context, scan, 'pets')).toMatchObject({ images: 4, classes: 2 });

    expect((await scanSource(context, root)).report).toEqual(scan.report);
    expect((await scanSource(null, root)).report).toEqual(scan.report);
  },
);
