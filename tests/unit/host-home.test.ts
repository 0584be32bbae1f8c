import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createHome, resolveHome } from '../../host/home.ts';

const user = resolve('/home/ada');
const linux = { env: {}, platform: 'linux', user } as const;

test('--home comes before CARRYOVER_HOME, which comes before the system’s folder', () => {
  const at = { ...linux, env: { CARRYOVER_HOME: '/from/env', XDG_DATA_HOME: '/xdg' } };
  expect(resolveHome('/given', at)).toBe(resolve('/given'));
  expect(resolveHome('relative', at)).toBe(resolve('relative'));
  expect(resolveHome(undefined, at)).toBe(resolve('/from/env'));
  expect(resolveHome(undefined, { ...linux, env: { XDG_DATA_HOME: '/xdg' } })).toBe(
    join('/xdg', 'carryover'),
  );
});

test('each system has its own place for user data', () => {
  expect(resolveHome(undefined, linux)).toBe(join(user, '.local', 'share', 'carryover'));
  expect(resolveHome(undefined, { ...linux, platform: 'darwin' })).toBe(
    join(user, 'Library', 'Application Support', 'Carryover'),
  );
  const windows = { ...linux, platform: 'win32', env: { APPDATA: '/roaming' } } as const;
  expect(resolveHome(undefined, windows)).toBe(join('/roaming', 'Carryover'));
  expect(resolveHome(undefined, { ...windows, env: { CARRYOVER_HOME: '' } })).toBe(
    join(user, 'AppData', 'Roaming', 'Carryover'),
  );
});

test('a home is made with its folders, for the user alone, and again without harm', () => {
  const folder = mkdtempSync(join(tmpdir(), 'carryover-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const root = join(folder, 'deep', 'home');
  const paths = createHome(root);
  expect(createHome(root)).toEqual(paths);
  for (const path of [
    paths.runs,
    paths.checkpoints,
    paths.cache,
    paths.samples,
    paths.rates,
    paths.reports,
  ]) {
    expect(statSync(path).isDirectory()).toBe(true);
  }
  if (process.platform !== 'win32') expect(statSync(root).mode & 0o077).toBe(0);
});

test('a home where a file stands is an error that names it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'carryover-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'home');
  writeFileSync(file, '');
  expect(() => createHome(file)).toThrowError(
    expect.objectContaining({ code: 'io', message: expect.stringContaining(file) }),
  );
});
