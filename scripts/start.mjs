// Opens the workbench: in the Electron window where the Electron binary is, else in the browser.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

/** Path of the Electron binary, or undefined; nothing is fetched. */
function electronBinary() {
  const folder = join(root, 'node_modules', 'electron');
  const pathFile = join(folder, 'path.txt');
  if (!existsSync(pathFile)) return undefined;
  const binary = join(folder, 'dist', readFileSync(pathFile, 'utf8'));
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
