import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { importScan } from '../../host/datasets/import.ts';
import type { Workbench } from '../../host/workbench.ts';
import { openWorkbench } from '../../host/workbench.ts';
import { killHard, nextLine, startChild, temporaryFolder } from './support.ts';
import { syntheticScan } from './synthetic-scan.ts';

function open(home: string, readonly = false): Workbench {
  const workbench = openWorkbench({ home, readonly, command: 'test' });
  onTestFinished(() => workbench.close());
  return workbench;
}

test('a second process is refused, told by whom and what to do; a reader is let in', async () => {
  const home = temporaryFolder();
  const first = startChild('hold.ts', [home]);
  expect(await nextLine(first)).toBe('open');
  expect(() => openWorkbench({ home, command: 'test' })).toThrowError(
    expect.objectContaining({
      code: 'busy',
      message: `process ${first.pid} (carryover hold) is working in ${home}`,
      detail: {
        file: home,
        value: String(first.pid),
        wayOut: expect.stringContaining('--home'),
      },
    }),
  );
  const reader = open(home, true);
  expect(await reader.handlers['datasets.list']({})).toEqual([]);
  first.stdin?.end();
  await once(first, 'exit');
  open(home);
});

test('the lock dies with a process that is killed, and what it left is no obstacle', async () => {
  const home = temporaryFolder();
  const first = startChild('hold.ts', [home]);
  await nextLine(first);
  await killHard(first);
  expect(existsSync(join(home, 'lock.json'))).toBe(true);
  const { context } = open(home);
  expect(context.jobs.list()).toMatchObject([{ title: 'Hold', status: 'interrupted' }]);
});

test('a lock note that is half-written does not hide the refusal', async () => {
  const home = temporaryFolder();
  const first = startChild('hold.ts', [home]);
  await nextLine(first);
  writeFileSync(join(home, 'lock.json'), '{"pid":');
  expect(() => openWorkbench({ home, command: 'test' })).toThrow(
    `another process is working in ${home}`,
  );
});

test('the same process opens a home once, too', () => {
  const home = temporaryFolder();
  open(home);
  expect(() => openWorkbench({ home, command: 'again' })).toThrow(`process ${process.pid}`);
});

test('a reader sees what a writer commits, and cannot write', async () => {
  const home = temporaryFolder();
  const reader = open(home, true);
  const writer = open(home);
  const scan = syntheticScan({ root: '/nowhere', images: 30 });
  const dataset = importScan(writer.context, scan, 'set');
  expect(await reader.handlers['datasets.list']({})).toEqual([dataset]);
  await expect(reader.handlers['datasets.remove']({ id: dataset.id })).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining('open for reading only'),
  });
  expect(() => importScan(reader.context, { ...scan, contentHash: 'x' }, 'other')).toThrow(
    'open for reading only',
  );
});
