import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Page } from '@playwright/test';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeSafetensors } from '../../engine/formats/safetensors.ts';
import { drawnWeights } from '../integration/drawn-weights.ts';
import { makeClone, node, root, type CloneFolder } from './clone.ts';
import { dropPaths } from './drop.ts';
import { ShellUnderTest } from './launch.ts';

let clone: CloneFolder;
let shell: ShellUnderTest;
let page: Page;

beforeAll(async () => {
  if (!existsSync(join(root, 'dist', 'renderer', 'index.html'))) {
    execFileSync(join(root, node), [join(root, 'scripts', 'build-renderer.mjs')]);
  }
  clone = makeClone(join(root, 'cli', 'carryover.ts'));
  shell = new ShellUnderTest({
    appPath: clone.path,
    env: { CARRYOVER_HOME: join(clone.path, 'home') },
  });
  page = await shell.page();
});

afterAll(async () => {
  await shell.close();
  clone.remove();
});

test('the window shows the real workbench', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Compare' }).click();
  await page.waitForURL(/#\/compare/);
  expect(await page.title()).toContain('Carryover');
});

test('a dropped folder is looked through at once, by its path', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'photos – 2026 '));
  for (const label of ['cats', 'dogs']) {
    mkdirSync(join(folder, label));
    const background = label === 'cats' ? 'orange' : 'brown';
    const image = sharp({ create: { width: 32, height: 32, channels: 3, background } });
    await image.png().toFile(join(folder, label, 'one.png'));
  }
  await dropPaths(page, [folder]);
  await page.getByRole('radio', { name: /^Folders: class/ }).waitFor();
  await page.getByRole('button', { name: 'Look at every image' }).click();
  await page.getByRole('button', { name: 'Import 2 images' }).waitFor();
  expect(await page.getByLabel('Name').inputValue()).toBe(basename(folder));
  rmSync(folder, { recursive: true });
});

test('a dropped weights file is looked into by its path, and imported', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weights – 2026 '));
  const file = join(folder, 'my net.safetensors');
  const tensors = drawnWeights({ name: 'convnet', image: 64, width: 8 }, 5);
  writeFileSync(file, encodeSafetensors({ tensors, metadata: {} }));
  await dropPaths(page, [file]);
  await page.getByText('Everything fits.').waitFor();
  await page.getByText('convnet, width 8, small stem, RGB').waitFor();
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  const made = page.getByRole('dialog', { name: 'my net' });
  await made.getByText('init: { checkpoint: my net }').waitFor();
  expect(await made.getByText(file).count()).toBeGreaterThan(0);
  rmSync(folder, { recursive: true });
});

test('a second start with the same home is told which process holds it', async () => {
  const second = new ShellUnderTest({
    appPath: clone.path,
    env: { CARRYOVER_HOME: join(clone.path, 'home') },
  });
  const shown = await second.answer('showMessageBox', { response: 1 });
  expect(shown['message']).toContain('could not be started');
  expect(shown['detail']).not.toBe('It said nothing more.');
  expect(await second.exited).toBe(0);
  await second.close();
});

test('after a crash of the host the same page is shown again', async () => {
  const { origin } = new URL(page.url());
  await page.evaluate('location.hash = "/studies"');
  const hosts = hostsOf(shell.pid);
  expect(hosts).toHaveLength(1);
  for (const pid of hosts) process.kill(pid, 'SIGKILL');
  await page.waitForURL((url) => url.origin !== origin && url.hash === '#/studies');
  await page.getByRole('heading', { name: 'Studies', exact: true }).waitFor();
});

/** The host among the children of the app (the other one is Chromium). */
function hostsOf(parent: number): number[] {
  const children = execFileSync('ps', ['--ppid', String(parent), '-o', 'pid=,args='], {
    encoding: 'utf8',
  });
  const lines = children.split('\n').filter((line) => line.includes('carryover.ts serve'));
  return lines.map((line) => Number.parseInt(line, 10));
}
