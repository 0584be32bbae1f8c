import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

/**
 * The real path of `relative` ('/' between parts) below `root`, links followed; null when it is
 * not there or leads out of the root.
 */
export async function resolveUnder(root: string, relative: string): Promise<string | null> {
  if (relative.includes('\0')) return null;
  try {
    const [top, path] = await Promise.all([realpath(root), realpath(join(root, relative))]);
    return path.startsWith(top.endsWith(sep) ? top : top + sep) ? path : null;
  } catch {
    return null;
  }
}
