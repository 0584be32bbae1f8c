import { dialog } from 'electron';
import type { MainWindow } from './window.ts';

/** Lets the user choose a folder of images; null when they close the dialog. */
export async function pickFolder(window: MainWindow): Promise<string | null> {
  const options: Electron.OpenDialogOptions = {
    title: 'Choose a folder of images',
    buttonLabel: 'Choose',
    properties: ['openDirectory'],
  };
  const parent = window.browserWindow;
  const { canceled, filePaths } = parent
    ? await dialog.showOpenDialog(parent, options)
    : await dialog.showOpenDialog(options);
  return canceled ? null : (filePaths[0] ?? null);
}
