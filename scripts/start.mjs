// Opens the workbench: in the Electron window where the Electron binary is, else in the browser.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

/**
 * Path of the Electron binary, or undefined; nothing is fetched. As in Electron's own package,
 * ELECTRON_OVERRIDE_DIST_PATH names a folder with another one.
 */
function electronBinary() {
  const folder = join(root, 'node_modules', 'electron');
  const pathFile = join(folder, 'path.txt');
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8') : 'electron';
  const binary = join(process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(folder, 'dist'), name);
  return existsSync(binary) ? binary : undefined;
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

const args = process.argv.slice(2);
const binary = hasDisplay() ? electronBinary() : undefined;
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
