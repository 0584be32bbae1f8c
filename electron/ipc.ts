import { ipcMain, shell, type IpcMainInvokeEvent } from 'electron';
import { isAbsolute } from 'node:path';
import { channels } from './bridge.ts';
import { pickFile, pickFolder } from './dialogs.ts';
import { originOf } from './origin.ts';
import type { MainWindow } from './window.ts';

/** Answers the bridge's three requests, and only those of our own page. */
export function setupIpc(window: MainWindow): void {
  handle(window, channels.pickFolder, () => pickFolder(window));
  handle(window, channels.pickFile, () => pickFile(window));
  handle(window, channels.showInFolder, (path) => shell.showItemInFolder(checkedPath(path)));
}

/** The one place where IPC comes in. Any frame but the main window's own page is refused. */
function handle(window: MainWindow, channel: string, answer: (argument: unknown) => unknown): void {
  ipcMain.handle(channel, (event, argument: unknown) => {
    refuseForeign(window, channel, event);
    return answer(argument);
  });
}

function refuseForeign(window: MainWindow, channel: string, event: IpcMainInvokeEvent): void {
  const frame = event.senderFrame;
  const origin = frame === null ? null : originOf(frame.url);
  const ours = event.sender === window.browserWindow?.webContents && frame?.parent === null;
  if (ours && origin !== null && origin === window.origin) return;
  const from = frame === null ? 'a frame that is gone' : `a frame at ${frame.url.slice(0, 200)}`;
  throw new Error(`refused ${channel} from ${from}`);
}

/** An absolute local path; a Windows network path would send the user's credentials away. */
function checkedPath(value: unknown): string {
  if (typeof value === 'string' && isAbsolute(value) && !/^[\\/]{2}/.test(value)) return value;
  throw new Error(`refused to show ${JSON.stringify(value)}: it is no absolute local path`);
}
