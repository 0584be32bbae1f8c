import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

test('a dropped folder comes up for import, by its path', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'photos – 2026 '));
  mkdirSync(join(folder, 'cats'));
  await dropPaths(page, [folder]);
  await page.getByRole('dialog').waitFor();
  expect(await page.getByRole('dialog').innerHTML()).toContain(folder);
  await page.keyboard.press('Escape');
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
