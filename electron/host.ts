import { app, dialog } from 'electron';
import { HostProcess, type HostCommand } from './host-process.ts';
import type { MainWindow } from './window.ts';

/** Supervises the host: the window follows it, the user hears of a failure, quitting ends it. */
export function setupHost(command: HostCommand, window: MainWindow): HostProcess {
  const host = new HostProcess(command, {
    ready: (url) => window.show(url),
    failed: (text) => void askWhatNow(text, host),
  });
  endWithApp(host);
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  return host;
}

async function askWhatNow(text: string, host: HostProcess): Promise<void> {
  const [what, ...rest] = text.split('\n\n');
  const { response } = await dialog.showMessageBox({
    type: 'error',
    title: 'Carryover',
    message: what ?? text,
    detail: rest.join('\n\n') || 'It said nothing more.',
    buttons: ['Try again', 'Quit'],
    defaultId: 0,
    cancelId: 1,
    noLink: true,
  });
  if (response === 0) host.start();
  else app.quit();
}

/** Holds the app's end until the host has ended. */
function endWithApp(host: HostProcess): void {
  let ended = false;
  app.on('will-quit', (event) => {
    if (ended) return;
    event.preventDefault();
    void host.stop().then(() => {
      ended = true;
      app.quit();
    });
  });
}
