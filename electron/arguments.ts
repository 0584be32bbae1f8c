import { app } from 'electron';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { MainWindow } from './window.ts';

/** Opens the folder or file that this start, a second start, or the system hands over. */
export function setupArguments(window: MainWindow): void {
  const first = pathIn(process.argv, process.cwd());
  if (first !== null) window.openPath(first);
  app.on('second-instance', (_event, argv, workingFolder) => {
    const path = pathIn(argv, workingFolder);
    if (path === null) window.focus();
    else window.openPath(path);
  });
  app.on('open-file', (event, path) => {
    event.preventDefault();
    if (isThere(path)) window.openPath(path);
  });
  app.on('activate', () => window.focus());
}

/** The folder or file named on a command line, made absolute; null when it names none. */
function pathIn(argv: readonly string[], workingFolder: string): string | null {
  // In a clone the first plain argument after Electron is the app itself.
  const plain = argv.slice(1).filter((text) => !text.startsWith('-'));
  const paths = plain.slice(app.isPackaged ? 0 : 1).map((text) => resolve(workingFolder, text));
  return paths.find(isThere) ?? null;
}

function isThere(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && (found.isDirectory() || found.isFile());
}
