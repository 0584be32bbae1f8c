import { app, Menu, type MenuItemConstructorOptions } from 'electron';
import { pickFile, pickFolder } from './dialogs.ts';
import type { MainWindow } from './window.ts';

/** The application menu; roles bring their own labels and keys. */
export function setupMenu(window: MainWindow): void {
  const mac: MenuItemConstructorOptions[] =
    process.platform === 'darwin' ? [{ role: 'appMenu' }] : [];
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([
      ...mac,
      { label: 'File', submenu: fileMenu(window) },
      { role: 'editMenu' },
      { label: 'View', submenu: viewMenu() },
      { role: 'windowMenu' },
    ]),
  );
}

function fileMenu(window: MainWindow): MenuItemConstructorOptions[] {
  const importPath = async (pick: typeof pickFile): Promise<void> => {
    const path = await pick(window);
    if (path !== null) window.openPath(path);
  };
  return [
    {
      id: 'import-folder',
      label: 'Import folder…',
      accelerator: 'CmdOrCtrl+O',
      click: () => void importPath(pickFolder),
    },
    {
      id: 'import-file',
      label: 'Import file…',
      accelerator: 'CmdOrCtrl+Shift+O',
      click: () => void importPath(pickFile),
    },
    { type: 'separator' },
    { role: process.platform === 'darwin' ? 'close' : 'quit' },
  ];
}

function viewMenu(): MenuItemConstructorOptions[] {
  const tools: MenuItemConstructorOptions[] = app.isPackaged ? [] : [{ role: 'toggleDevTools' }];
  return [
    { role: 'reload' },
    { type: 'separator' },
    { role: 'resetZoom' },
    { role: 'zoomIn' },
    { role: 'zoomOut' },
    { role: 'togglefullscreen' },
    ...tools,
  ];
}
