import { app, type WebContents } from 'electron';
import { openExternal } from './external.ts';
import type { MainWindow } from './window.ts';
import { originOf } from './origin.ts';
import { isReport, openReport } from './report.ts';

/** Keeps every page on the host's origin: no other navigation, no window or webview of its own. */
export function setupNavigation(window: MainWindow): void {
  app.on('web-contents-created', (_event, contents) => guard(contents, window));
}

function guard(contents: WebContents, window: MainWindow): void {
  const stay = (details: { url: string; preventDefault(): void }): void => {
    if (window.origin !== null && originOf(details.url) === window.origin) return;
    details.preventDefault();
    console.warn(`refused to navigate to ${details.url.slice(0, 200)}`);
  };
  contents.on('will-frame-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    if (isReport(url, window.origin)) openReport(url);
    else void openExternal(url);
    return { action: 'deny' };
  });
}
