/** Packages the app for real, by electron-builder, around a stand-in for the Electron binary. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { node, root } from './clone.ts';

/** What the fuse tools look for in Electron's binary: this mark, then version, length, fuses. */
const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
/** A released Electron's fuses, oldest first. */
const RELEASED = '101100011';

export interface Packed {
  /** The app's folder, as an installer would lay it out. */
  folder: string;
  resources: string;
  /** The (stand-in) binary with its fuses set. */
  binary: string;
  remove(): void;
}

export function packApp(): Packed {
  const work = mkdtempSync(join(tmpdir(), 'carryover-pack-'));
  const env = {
    ...process.env,
    PATH: [dirname(join(root, node)), process.env['PATH']].join(delimiter),
  };
  const run = (script: string, ...args: string[]): void => {
    execFileSync(join(root, node), [join(root, script), ...args], {
      cwd: root,
      env,
      stdio: 'pipe',
    });
  };
  if (!existsSync(join(root, 'dist', 'renderer', 'index.html'))) run('scripts/build-renderer.mjs');
  const electron = standIn(join(work, 'electron'));
  const output = join(work, 'out');
  run(
    'scripts/package.mjs',
    'dir',
    `-c.electronDist=${electron}`,
    `-c.directories.output=${output}`,
  );
  const [name = ''] = readdirSync(output).filter((entry) => entry.endsWith('-unpacked'));
  const folder = join(output, name);
  return {
    folder,
    resources: join(folder, 'resources'),
    binary: join(folder, 'carryover'),
    remove: () => rmSync(work, { recursive: true, force: true }),
  };
}

function standIn(folder: string): string {
  mkdirSync(join(folder, 'resources'), { recursive: true });
  const wire = Buffer.concat([Buffer.from([1, RELEASED.length]), Buffer.from(RELEASED)]);
  writeFileSync(join(folder, 'electron'), Buffer.concat([Buffer.from(SENTINEL), wire]), {
    mode: 0o755,
  });
  return folder;
}
