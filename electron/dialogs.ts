import { dialog } from 'electron';
import type { MainWindow } from './window.ts';

/** Lets the user choose a folder of images; null when they close the dialog. */
export function pickFolder(window: MainWindow): Promise<string | null> {
  return pick(window, { title: 'Choose a folder of images', properties: ['openDirectory'] });
}

/** Lets the user choose a file that holds images or lists them; null when they close the dialog. */
export function pickFile(window: MainWindow): Promise<string | null> {
  return pick(window, {
    title: 'Choose an archive, a table, arrays or an image',
    properties: ['openFile'],
  });
}

async function pick(window: MainWindow, what: Electron.OpenDialogOptions): Promise<string | null> {
  const options: Electron.OpenDialogOptions = { ...what, buttonLabel: 'Choose' };
  const parent = window.browserWindow;
  const { canceled, filePaths } = parent
    ? await dialog.showOpenDialog(parent, options)
    : await dialog.showOpenDialog(options);
  return canceled ? null : (filePaths[0] ?? null);
}
