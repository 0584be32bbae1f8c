import type { WebPreferences } from 'electron';
import { app } from 'electron';

/** What a page may do in any window of the app: nothing that a web page may not. */
export function hardened(): WebPreferences {
  return {
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    webSecurity: true,
    webviewTag: false,
    spellcheck: false,
    devTools: !app.isPackaged,
  };
}
