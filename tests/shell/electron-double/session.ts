import type * as Electron from 'electron';
import { chromiumInUse } from './browser.ts';

type RequestHandler = Parameters<Electron.Session['setPermissionRequestHandler']>[0];
type CheckHandler = Parameters<Electron.Session['setPermissionCheckHandler']>[0];
type DeviceHandler = Parameters<Electron.Session['setDevicePermissionHandler']>[0];
type Permission = Parameters<NonNullable<CheckHandler>>[1];

/** Electron's names and those of the web platform, for what a page can ask Chromium about. */
const KNOWN: [Permission, string][] = [
  ['geolocation', 'geolocation'],
  ['notifications', 'notifications'],
  ['media', 'camera'],
  ['media', 'microphone'],
  ['clipboard-read', 'clipboard-read'],
  ['midi', 'midi'],
];

let request: RequestHandler = null;
let check: CheckHandler = null;
let device: DeviceHandler = null;

const defaultSession = {
  setPermissionRequestHandler: (handler: RequestHandler) => void (request = handler),
  setPermissionCheckHandler: (handler: CheckHandler) => void (check = handler),
  setDevicePermissionHandler: (handler: DeviceHandler) => void (device = handler),
} satisfies Partial<Electron.Session>;

export const session = { defaultSession } satisfies {
  [K in keyof typeof Electron.session]?: unknown;
};

/** Gives Chromium the handlers' answers; without a handler Electron grants. */
export async function applyPermissions(contents: unknown): Promise<void> {
  const { commands } = chromiumInUse();
  for (const [permission, name] of KNOWN) {
    const granted = asChecked(permission) && (await asRequested(contents, permission));
    const setting = granted ? 'granted' : 'denied';
    await commands.send('Browser.setPermission', { permission: { name }, setting });
  }
}

/** Whether a USB, HID or serial device would be opened. */
export function deviceAllowed(details: Electron.DevicePermissionHandlerHandlerDetails): boolean {
  return device?.(details) ?? true;
}

function asChecked(permission: Permission): boolean {
  return check?.(null, permission, '', { isMainFrame: true }) ?? true;
}

function asRequested(contents: unknown, permission: Permission): Promise<boolean> {
  return new Promise((resolve) => {
    if (request === null) resolve(true);
    else {
      const details = { isMainFrame: true, requestingUrl: '' };
      request(contents as Electron.WebContents, permission, resolve, details);
    }
  });
}
