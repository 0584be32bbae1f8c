/** A folder laid out like a clone (or the packaged app), with a host of the test's choice. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');
export const node = join('node_modules', 'node', 'bin', 'node');

export interface CloneFolder {
  path: string;
  remove(): void;
}

/** Builds the preload and links the rest; `host` is a script (absolute) that plays `serve`. */
export function makeClone(host: string): CloneFolder {
  const path = mkdtempSync(join(tmpdir(), 'carryover-shell-'));
  const link = (target: string, name: string): void => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    symlinkSync(target, join(path, name));
  };
  const build = join(root, 'scripts', 'build-electron.mjs');
  execFileSync(join(root, node), [build, '--shell', join(path, 'dist')]);
  cpSync(join(root, 'package.json'), join(path, 'package.json'));
  link(host, join('cli', 'carryover.ts'));
  link(join(root, 'electron', 'host-guard.ts'), join('electron', 'host-guard.ts'));
  link(join(root, node), node);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
