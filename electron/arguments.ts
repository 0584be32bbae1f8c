import { app } from 'electron';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { MainWindow } from './window.ts';

/** Opens the folder that this start, a second start, or the system hands over. */
export function setupArguments(window: MainWindow): void {
  const first = folderIn(process.argv, process.cwd());
  if (first !== null) window.openFolder(first);
  app.on('second-instance', (_event, argv, workingFolder) => {
    const folder = folderIn(argv, workingFolder);
    if (folder === null) window.focus();
    else window.openFolder(folder);
  });
  app.on('open-file', (event, path) => {
    event.preventDefault();
    if (isFolder(path)) window.openFolder(path);
  });
  app.on('activate', () => window.focus());
}

/** The folder named on a command line, made absolute; null when it names none. */
function folderIn(argv: readonly string[], workingFolder: string): string | null {
  // In a clone the first plain argument after Electron is the app itself.
  const plain = argv.slice(1).filter((text) => !text.startsWith('-'));
  const paths = plain.slice(app.isPackaged ? 0 : 1).map((text) => resolve(workingFolder, text));
  return paths.find(isFolder) ?? null;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
