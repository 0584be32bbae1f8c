import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { makeClone, type CloneFolder } from './clone.ts';
import { dropPaths } from './drop.ts';
import { ShellUnderTest } from './launch.ts';

/** How long a step may take on a busy machine before the test gives up. */
const soon = { timeout: 20_000 };

let clone: CloneFolder;
let foreign: Server;
let foreignOrigin: string;
let foreignHits: string[];
let shell: ShellUnderTest;

beforeAll(async () => {
  clone = makeClone(join(import.meta.dirname, 'hosts', 'tiny.ts'));
  foreign = createServer((request, response) => {
    foreignHits.push(request.url ?? '');
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>foreign</title>');
  });
  await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
  foreignOrigin = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await new Promise((resolve) => foreign.close(resolve));
  clone.remove();
});

async function open(args: string[] = []): Promise<Page> {
  foreignHits = [];
  shell = new ShellUnderTest({ appPath: clone.path, args });
  return shell.page();
}

afterEach(() => shell.close());

const carryoverKeys = 'Object.keys(window.carryover).sort()';

describe('launch', () => {
  test('shows the host in one sandboxed window with exactly five things on the bridge', async () => {
    const page = await open();
    await page.waitForFunction('document.title.startsWith("tiny host")');
    expect(new URL(page.url()).pathname).toBe('/');
    expect(await page.evaluate(carryoverKeys)).toEqual([
      'pathOf',
      'pickFile',
      'pickFolder',
      'showInFolder',
      'version',
    ]);
    expect(await page.evaluate('window.carryover.version')).toMatch(/^\d+\.\d+\.\d+/);
    expect(await page.evaluate('typeof require + typeof process')).toBe('undefinedundefined');
    const preferences = await shell.evaluate(
      ({ BrowserWindow }) =>
        BrowserWindow.getAllWindows().map(
          (window) => (window as unknown as Inspectable).options.webPreferences,
        ),
      null,
    );
    expect(preferences).toHaveLength(1);
    expect(preferences[0]).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      webSecurity: true,
    });
    expect(
      await shell.evaluate(({ app }) => (app as unknown as { sandboxed: boolean }).sandboxed, null),
    ).toBe(true);
  });

  test('offers the import of the folder named on the command line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pictures & more '));
    const page = await open([folder]);
    expect(importOf(page)).toBe(folder);
    rmSync(folder, { recursive: true });
  });

  test('quitting ends the host', async () => {
    const page = await open();
    const { origin } = new URL(page.url());
    await shell.close();
    await expect(fetch(origin)).rejects.toThrow('fetch failed');
  });

  test('a crash of the app itself leaves no host behind', async () => {
    const page = await open();
    const { origin } = new URL(page.url());
    await shell.kill();
    const answers = (): Promise<boolean> =>
      fetch(origin).then(
        () => true,
        () => false,
      );
    await expect.poll(answers, soon).toBe(false);
  });
});

describe('the place of the window', () => {
  const stored = { bounds: { x: 300, y: 200, width: 1000, height: 700 }, maximised: true };
  const offScreen = { bounds: { ...stored.bounds, x: 9000 }, maximised: false };

  test.each([
    ['is that of the last time', JSON.stringify(stored), { ...stored.bounds, maximised: true }],
    [
      'is left to the system when no screen is there any more',
      JSON.stringify(offScreen),
      { x: undefined, y: undefined, width: 1000, height: 700, maximised: false },
    ],
    [
      'is the default after a damaged file',
      '{"bounds":{"x":1e400',
      { x: undefined, y: undefined, width: 1400, height: 900, maximised: false },
    ],
  ])('%s', async (_name, text, expected) => {
    const userData = mkdtempSync(join(tmpdir(), 'carryover-user-'));
    writeFileSync(join(userData, 'window.json'), text);
    shell = new ShellUnderTest({ appPath: clone.path, userData });
    await shell.page();
    const [place] = await shell.evaluate(
      ({ BrowserWindow }) =>
        BrowserWindow.getAllWindows().map((window) => {
          const { x, y, width, height } = (window as unknown as Inspectable).options;
          return { x, y, width, height, maximised: window.isMaximized() };
        }),
      null,
    );
    expect({ x: undefined, y: undefined, ...place }).toEqual(expected);
    await shell.close();
    const file = JSON.parse(readFileSync(join(userData, 'window.json'), 'utf8')) as typeof stored;
    expect(file.bounds).toMatchObject({ width: expected.width, height: expected.height });
    expect(file.maximised).toBe(expected.maximised);
    rmSync(userData, { recursive: true });
  });
});

describe('second instance', () => {
  test('ends, while the first comes to the front and offers the folder it was given', async () => {
    const page = await open();
    const folder = mkdtempSync(join(tmpdir(), 'dropped on the icon '));
    await shell.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.minimize(), null);
    const second = new ShellUnderTest({
      appPath: clone.path,
      userData: shell.userData,
      args: [folder],
    });
    expect(await second.exited).toBe(0);
    await second.close();
    await expect.poll(() => importOf(page), soon).toBe(folder);
    const state = await shell.evaluate(
      ({ BrowserWindow }) =>
        BrowserWindow.getAllWindows().map((window) => [window.isMinimized(), window.isFocused()]),
      null,
    );
    expect(state).toEqual([[false, true]]);
    rmSync(folder, { recursive: true });
  });
});

describe('folders', () => {
  test('a dropped folder reaches the page by its absolute path', async () => {
    const page = await open();
    const folder = mkdtempSync(join(tmpdir(), 'ein Ordner – "1" '));
    writeFileSync(join(folder, 'a.txt'), 'x');
    await dropPaths(page, [folder]);
    await expect
      .poll(() => page.evaluate('document.querySelector("#dropped").textContent'), soon)
      .toBe(JSON.stringify([folder]));
    rmSync(folder, { recursive: true });
  });

  test('a dropped archive reaches the page by its absolute path', async () => {
    const page = await open();
    const folder = mkdtempSync(join(tmpdir(), 'carryover-drop-'));
    const file = join(folder, 'les images (1).zip');
    writeFileSync(file, 'PK');
    await dropPaths(page, [file]);
    await expect
      .poll(() => page.evaluate('document.querySelector("#dropped").textContent'), soon)
      .toBe(JSON.stringify([file]));
    rmSync(folder, { recursive: true });
  });

  test('a file that a script made has no path', async () => {
    const page = await open();
    expect(await page.evaluate('window.carryover.pathOf(new File(["x"], "made.png"))')).toBe('');
  });

  test('the folder dialog gives the chosen folder, or null when it is closed', async () => {
    const page = await open();
    const chosen = page.evaluate('window.carryover.pickFolder()');
    const options = await shell.answer('showOpenDialog', {
      canceled: false,
      filePaths: ['/pictures'],
    });
    expect(options['properties']).toEqual(['openDirectory']);
    expect(await chosen).toBe('/pictures');
    const closed = page.evaluate('window.carryover.pickFolder()');
    await shell.answer('showOpenDialog', { canceled: true, filePaths: [] });
    expect(await closed).toBeNull();
  });

  test('the file dialog gives the chosen file', async () => {
    const page = await open();
    const chosen = page.evaluate('window.carryover.pickFile()');
    const options = await shell.answer('showOpenDialog', {
      canceled: false,
      filePaths: ['/pictures/pneumonia.npz'],
    });
    expect(options['properties']).toEqual(['openFile']);
    expect(await chosen).toBe('/pictures/pneumonia.npz');
  });

  test.each([
    ['import-folder', 'openDirectory', '/pictures/a b'],
    ['import-file', 'openFile', '/pictures/a b.zip'],
  ])('the menu has %s', async (item, property, path) => {
    const page = await open();
    await shell.evaluate(
      ({ Menu }, id) => Menu.getApplicationMenu()?.getMenuItemById(id)?.click(),
      item,
    );
    const options = await shell.answer('showOpenDialog', { canceled: false, filePaths: [path] });
    expect(options['properties']).toEqual([property]);
    await expect.poll(() => importOf(page), soon).toBe(path);
  });

  test('shows an absolute path in the file manager and refuses any other', async () => {
    const page = await open();
    await page.evaluate('window.carryover.showInFolder("/pictures/a.png")');
    expect(await shell.call('showItemInFolder')).toBe('/pictures/a.png');
    for (const path of ['a.png', '//server/share', '', 7]) {
      const shown = page.evaluate(`window.carryover.showInFolder(${JSON.stringify(path)})`);
      await expect(shown).rejects.toThrow(`refused to show ${JSON.stringify(path)}`);
    }
    expect(shell.pendingCalls).toEqual([]);
  });
});

describe('the host', () => {
  test('is restarted after a crash, and the window shows it where it was', async () => {
    const page = await open();
    const before = await hostPid(page);
    const { origin } = new URL(page.url());
    await page.evaluate('location.hash = "/compare?a=1&b=2"');
    process.kill(before, 'SIGKILL');
    await page.waitForURL((url) => url.origin !== origin);
    expect(await hostPid(page)).not.toBe(before);
    expect(new URL(page.url()).hash).toBe('#/compare?a=1&b=2');
    expect(await page.evaluate(carryoverKeys)).toHaveLength(5);
  });

  test('that never starts is reported in its own words; quitting ends the app', async () => {
    const broken = makeClone(join(import.meta.dirname, 'hosts', 'never-starts.ts'));
    shell = new ShellUnderTest({ appPath: broken.path });
    const first = await shell.answer('showMessageBox', { response: 0 });
    expect(first).toMatchObject({
      type: 'error',
      message: 'The workbench could not be started: it ended with code 1.',
      detail: 'carryover: another process holds this workbench',
      buttons: ['Try again', 'Quit'],
    });
    const again = await shell.answer('showMessageBox', { response: 1 });
    expect(again['message']).toBe(first['message']);
    expect(await shell.exited, shell.output).toBe(0);
    broken.remove();
  });
});

describe('refusals', () => {
  test('a page cannot leave the host by a link, by a script or by a redirect', async () => {
    const page = await open();
    const here = page.url();
    // One at a time: a navigation that starts while another is pending replaces it unseen.
    for (const [path, go] of [
      ['script', `location.href = "${foreignOrigin}/script"`],
      [
        'link',
        `document.body.insertAdjacentHTML("beforeend", '<a id="out" href="${foreignOrigin}/link">x</a>'),
         document.querySelector("#out").click()`,
      ],
      ['redirected', `location.href = "/?to=${encodeURIComponent(`${foreignOrigin}/redirected`)}"`],
    ] as const) {
      await page.evaluate(go);
      await shell.says(`refused to navigate to ${foreignOrigin}/${path}`);
    }
    await page.evaluate('location.href = "file:///etc/passwd"');
    expect(foreignHits).toEqual([]);
    expect(page.url()).toBe(here);
    expect(await page.evaluate('document.title')).toMatch(/^tiny host/);
  });

  test('a page may go where it likes on its own host', async () => {
    const page = await open();
    await page.evaluate('location.href = "/?x=1"');
    await page.waitForURL('**/?x=1');
  });

  test('no window is opened; an https address is offered to the browser first', async () => {
    const page = await open();
    await page.evaluate(`void window.open("${foreignOrigin}/popup")`);
    await shell.says(`refused to open ${foreignOrigin}/popup`);
    await page.evaluate('void window.open("https://example.org/licence")');
    const asked = await shell.answer('showMessageBox', { response: 1 });
    expect(asked['detail']).toBe('https://example.org/licence');
    await page.evaluate('void window.open("https://example.org/yes")');
    await shell.answer('showMessageBox', { response: 0 });
    expect(await shell.call('openExternal')).toBe('https://example.org/yes');
    await expect.poll(() => page.context().pages().length, soon).toBe(1);
    expect(foreignHits).toEqual([]);
    expect(shell.pendingCalls).toEqual([]);
  });

  test('a report of the host opens in a window without the bridge, closed with the main one', async () => {
    const page = await open();
    await page.evaluate(`document.body.insertAdjacentHTML("beforeend",
      '<a id="report" href="/reports/1" target="_blank" rel="noopener">x</a>')`);
    await page.locator('#report').click();
    const report = await vi.waitUntil(
      () =>
        page
          .context()
          .pages()
          .find((other) => other.url().endsWith('/reports/1')),
      soon,
    );
    await report.waitForFunction('document.title === "a report"');
    expect(await report.evaluate('typeof window.carryover')).toBe('undefined');
    const sent = report.evaluate('electronDoubleInvoke("carryover:pick-folder", [])');
    await expect(sent).rejects.toThrow('refused carryover:pick-folder');
    await report.evaluate(`location.href = "${foreignOrigin}/from-report"`);
    await shell.says(`refused to navigate to ${foreignOrigin}/from-report`);
    await shell.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close(), null);
    expect(await shell.exited, shell.output).toBe(0);
    expect(foreignHits).toEqual([]);
  });

  test('every permission is denied', async () => {
    const page = await open();
    const names = ['geolocation', 'notifications', 'camera', 'microphone', 'clipboard-read'];
    for (const name of [...names, 'midi']) {
      const state = `navigator.permissions.query({ name: "${name}" }).then(({ state }) => state)`;
      expect(await page.evaluate(state), name).toBe('denied');
    }
  });

  test('a foreign frame finds no bridge, and its messages are refused', async () => {
    const page = await open();
    await page.evaluate(`document.body.insertAdjacentHTML("beforeend",
      '<iframe src="about:blank"></iframe>')`);
    await expect.poll(() => page.frames().length, soon).toBe(2);
    const frame = page.frames()[1];
    expect(await frame?.evaluate('typeof window.carryover')).toBe('undefined');
    for (const channel of ['carryover:pick-folder', 'carryover:show-in-folder']) {
      const sent = frame?.evaluate(`electronDoubleInvoke("${channel}", ["/etc"])`);
      await expect(sent).rejects.toThrow(`refused ${channel} from a frame at about:blank`);
    }
    expect(shell.pendingCalls).toEqual([]);
  });
});

interface Inspectable {
  options: Electron.BrowserWindowConstructorOptions;
}

function importOf(page: Page): string | null {
  return new URLSearchParams(new URL(page.url()).hash.split('?')[1]).get('import');
}

async function hostPid(page: Page): Promise<number> {
  await page.waitForFunction('document.title.startsWith("tiny host")');
  return Number((await page.title()).split(' ').at(-1));
}
