/**
 * The shell on the real Electron, wherever its binary is: the same main.ts and preload.ts, bundled
 * as they ship. docs/electron.md says how to fetch the binary.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { _electron, type ElectronApplication } from '@playwright/test';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeClone, root, type CloneFolder } from './clone.ts';

function electronBinary(): string | null {
  const folder = join(root, 'node_modules', 'electron');
  const path = join(folder, 'path.txt');
  if (!existsSync(path)) return null;
  const binary = join(folder, 'dist', readFileSync(path, 'utf8'));
  return existsSync(binary) ? binary : null;
}

const display =
  process.platform !== 'linux' || process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY'];
const binary = display ? electronBinary() : null;

const names = {
  launch: 'real Electron: shows the host in one window with four things on the bridge',
  leave: 'real Electron: a page cannot leave the host',
  popup: 'real Electron: no window is opened',
  permission: 'real Electron: permissions are denied',
  crash: 'real Electron: the host is restarted after a crash',
};

if (binary === null) {
  const reason = display ? 'the Electron binary is not here' : 'there is no display';
  console.warn(
    Object.values(names)
      .map((name) => `skipped, ${reason}: ${name}`)
      .join('\n'),
  );
}

describe.skipIf(binary === null)('on the real Electron', () => {
  let clone: CloneFolder;
  let app: ElectronApplication;

  beforeEach(async () => {
    clone = makeClone(join(import.meta.dirname, 'hosts', 'tiny.ts'));
    app = await _electron.launch({
      executablePath: binary ?? '',
      args: [clone.path, `--user-data-dir=${join(clone.path, 'user')}`],
    });
  });

  afterEach(async () => {
    await app.close();
    clone.remove();
  });

  test(names.launch, async () => {
    const page = await app.firstWindow();
    await page.waitForFunction('document.title.startsWith("tiny host")');
    expect(await page.evaluate('Object.keys(window.carryover).sort()')).toEqual([
      'pathOf',
      'pickFile',
      'pickFolder',
      'showInFolder',
      'version',
    ]);
    expect(await page.evaluate('typeof require + typeof process')).toBe('undefinedundefined');
  });

  test(names.leave, async () => {
    const page = await app.firstWindow();
    await page.waitForFunction('document.title.startsWith("tiny host")');
    const here = page.url();
    await page.evaluate('location.href = "https://example.org/"');
    await page.evaluate('location.href = "/?to=https%3A%2F%2Fexample.org%2F"');
    await page.evaluate('new Promise((done) => setTimeout(done, 500))');
    expect(page.url()).toBe(here);
  });

  test(names.popup, async () => {
    const page = await app.firstWindow();
    await page.waitForFunction('document.title.startsWith("tiny host")');
    expect(await page.evaluate('window.open("http://127.0.0.1:1/") === null')).toBe(true);
    expect(app.windows()).toHaveLength(1);
  });

  test(names.permission, async () => {
    const page = await app.firstWindow();
    await page.waitForFunction('document.title.startsWith("tiny host")');
    for (const name of ['geolocation', 'notifications', 'camera', 'midi']) {
      const state = `navigator.permissions.query({ name: "${name}" }).then(({ state }) => state)`;
      expect(await page.evaluate(state), name).toBe('denied');
    }
  });

  test(names.crash, async () => {
    const page = await app.firstWindow();
    await page.waitForFunction('document.title.startsWith("tiny host")');
    const { origin } = new URL(page.url());
    process.kill(Number((await page.title()).split(' ').at(-1)), 'SIGKILL');
    await page.waitForURL((url) => url.origin !== origin);
  });
});
