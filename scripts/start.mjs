// Opens the workbench: in the Electron window where the Electron binary is or can be fetched,
// else (or with --browser) in the browser.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

/** Fetching the binary (about 100 MB, from outside npm) may take this long. */
const FETCH_LIMIT_MS = 300_000;

/**
 * Path of the Electron binary, or undefined. As in Electron's own package,
 * ELECTRON_OVERRIDE_DIST_PATH names a folder with another one.
 */
function electronBinary() {
  const folder = join(root, 'node_modules', 'electron');
  const pathFile = join(folder, 'path.txt');
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8') : 'electron';
  const binary = join(process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(folder, 'dist'), name);
  return existsSync(binary) ? binary : undefined;
}

/** Runs Electron's own installer once; where it fails, the browser does as well. */
function fetchElectron() {
  console.error("start: fetching Electron's binary, once; `npm start -- --browser` does without");
  const fetched = spawnSync(
    process.execPath,
    [join(root, 'node_modules', 'electron', 'install.js')],
    {
      stdio: ['ignore', 'ignore', 'ignore'],
      timeout: FETCH_LIMIT_MS,
    },
  );
  if (fetched.status === 0) return electronBinary();
  console.error('start: it cannot be fetched from here, so the workbench opens in the browser');
  return undefined;
}

/** Electron ends at once on a Linux machine without a display. */
function hasDisplay() {
  return process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
}

async function shell(binary) {
  const { buildShell } = await import('./build-electron.mjs');
  await buildShell();
  return [binary, [root]];
}

const args = process.argv.slice(2).filter((arg) => arg !== '--browser');
const window = hasDisplay() && !process.argv.includes('--browser');
const binary = window ? (electronBinary() ?? fetchElectron()) : undefined;
const [program, programArgs] = binary
  ? await shell(binary)
  : [process.execPath, [join(root, 'cli', 'carryover.ts'), 'serve', '--open']];

const child = spawn(program, [...programArgs, ...args], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`error: ${program} could not be started: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
