import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type BrowserContext, type CDPSession } from '@playwright/test';

const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-popup-blocking', // as in Electron: the app decides
];

interface Chromium {
  process: ChildProcess;
  profile: string;
  context: BrowserContext;
  commands: CDPSession;
}

let opened: Chromium | null = null;

/** Starts Chromium and returns its DevTools address; the test connects to the same one. */
export async function openBrowser(): Promise<string> {
  const profile = join(process.env['DOUBLE_USER_DATA'] ?? '', 'chromium');
  const flags = ['--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
  const child = spawn(process.env['CARRYOVER_CHROMIUM'] || 'chromium', [...FLAGS, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const endpoint = await devToolsAddress(child);
  const browser = await chromium.connectOverCDP(endpoint);
  const [context] = browser.contexts();
  if (!context) throw new Error('Chromium has no browser context');
  opened = { process: child, profile, context, commands: await browser.newBrowserCDPSession() };
  return endpoint;
}

function devToolsAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`Chromium ended with ${code}: ${text}`)));
    child.stderr?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const found = /DevTools listening on (ws:\S+)/.exec(text);
      if (found?.[1]) resolve(found[1]);
    });
  });
}

export function chromiumInUse(): Chromium {
  if (opened === null) throw new Error('a BrowserWindow can only be created after app is ready');
  return opened;
}

export async function closeBrowser(): Promise<void> {
  if (opened === null) return;
  const { process: child, profile } = opened;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
