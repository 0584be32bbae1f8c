/** What stands in for the `electron` module: the parts that electron/ uses, and no more. */
export { app } from './app.ts';
export { BrowserWindow } from './browser-window.ts';
export { ipcMain } from './ipc-main.ts';
export { session } from './session.ts';
export { dialog, Menu, screen, shell } from './desktop.ts';
