import { app } from 'electron';
import { join } from 'node:path';
import type { HostCommand } from './host-process.ts';

/** Where the shell finds what it starts. */
export interface Layout {
  preload: string;
  host: HostCommand;
}

/**
 * The shell's files in a clone (host as TypeScript, Node from the `node` package) or in the
 * packaged app (host as JavaScript outside the archive, Node beside it).
 */
export function shellLayout(): Layout {
  const root = app.getAppPath();
  const preload = join(root, 'dist', 'electron', 'preload.cjs');
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  if (!app.isPackaged) {
    const node = join(root, 'node_modules', 'node', 'bin', name);
    return { preload, host: hostCommand(node, root, '.ts') };
  }
  const host = join(process.resourcesPath, 'app.asar.unpacked', 'dist', 'app');
  return { preload, host: hostCommand(join(process.resourcesPath, 'node', name), host, '.js') };
}

function hostCommand(node: string, root: string, extension: string): HostCommand {
  return {
    node,
    guard: join(root, 'electron', `host-guard${extension}`),
    args: [join(root, 'cli', `carryover${extension}`), 'serve', '--port', '0'],
  };
}
