// Packages the desktop app for this system and processor (docs/electron.md).
// Usage: node scripts/run.mjs --renderer scripts/package.mjs [ELECTRON-BUILDER ARGS...]
// `dir` as the only argument leaves the unpacked app in dist/package.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildApp, buildIcon, buildShell } from './build-electron.mjs';
import { root } from './setup.mjs';

const systems = { linux: '--linux', darwin: '--mac', win32: '--win' };

await buildShell();
buildApp();
await buildIcon();
const cli = join(root, 'node_modules', 'electron-builder', 'cli.js');
const args = [systems[process.platform], ...process.argv.slice(2), `--${process.arch}`];
const done = spawnSync(process.execPath, [cli, ...args], { cwd: root, stdio: 'inherit' });
process.exit(done.status ?? 1);
