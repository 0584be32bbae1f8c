import { BrowserWindow } from 'electron';
import { hardened } from './hardened.ts';
import { originOf } from './origin.ts';

/** Whether an address is a study's report on the host at `origin`. */
export function isReport(address: string, origin: string | null): boolean {
  if (origin === null || originOf(address) !== origin) return false;
  return new URL(address).pathname.startsWith('/reports/');
}

/** Shows a report in a window of the app's own making, without the bridge. */
export function openReport(address: string): void {
  const window = new BrowserWindow({
    width: 1100,
    height: 900,
    title: 'Carryover report',
    webPreferences: hardened(),
  });
  window.loadURL(address).catch((error: unknown) => {
    console.warn(`the report at ${address} did not load: ${String(error)}`);
  });
}
