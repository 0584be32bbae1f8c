import { EventEmitter } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { join } from 'node:path';
import type * as Electron from 'electron';
import { closeBrowser, openBrowser } from './browser.ts';
import { send } from './control.ts';
import { DoubleEvent } from './event.ts';

type AppPart = Pick<
  Electron.App,
  | 'enableSandbox'
  | 'requestSingleInstanceLock'
  | 'getAppPath'
  | 'getPath'
  | 'getVersion'
  | 'isPackaged'
  | 'whenReady'
  | 'quit'
>;

function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`the electron double needs ${name}`);
  return value;
}

class AppDouble extends EventEmitter implements AppPart {
  readonly isPackaged = process.env['DOUBLE_PACKAGED'] === '1';
  sandboxed = false;
  /** Set by browser-window.ts, which knows the windows. */
  closeWindows: () => void = () => undefined;
  #ready: Promise<void> | null = null;
  #lock: { folder: string; watcher: FSWatcher } | null = null;

  enableSandbox(): void {
    if (this.#ready) throw new Error('app.enableSandbox() can only be called before app is ready');
    this.sandboxed = true;
  }

  /** Real between processes: a folder that only one can make, where others leave a note. */
  requestSingleInstanceLock(): boolean {
    const lock = join(this.getPath('userData'), 'single-instance');
    try {
      mkdirSync(lock);
    } catch {
      const note = { argv: process.argv, cwd: process.cwd() };
      writeFileSync(join(lock, `${process.pid}.part`), JSON.stringify(note));
      writeFileSync(join(lock, `${process.pid}.json`), JSON.stringify(note));
      return false;
    }
    this.#lock = { folder: lock, watcher: watch(lock, () => this.#readNotes(lock)) };
    return true;
  }

  #readNotes(lock: string): void {
    for (const name of readdirSync(lock).filter((entry) => entry.endsWith('.json'))) {
      const text = readFileSync(join(lock, name), 'utf8');
      if (text === '') continue; // the second write brings another event
      const note = JSON.parse(text) as { argv: string[]; cwd: string };
      rmSync(join(lock, name));
      this.emit('second-instance', new DoubleEvent(), note.argv, note.cwd, undefined);
    }
  }

  getAppPath(): string {
    return needed('DOUBLE_APP_PATH');
  }

  getPath(name: Parameters<Electron.App['getPath']>[0]): string {
    if (name !== 'userData') throw new Error(`the electron double has no path ${name}`);
    return needed('DOUBLE_USER_DATA');
  }

  getVersion(): string {
    const pack: { version: string } = JSON.parse(
      readFileSync(join(this.getAppPath(), 'package.json'), 'utf8'),
    );
    return pack.version;
  }

  whenReady(): Promise<void> {
    this.#ready ??= openBrowser().then((endpoint) => send({ type: 'ready', endpoint }));
    return this.#ready;
  }

  quit(): void {
    this.emit('before-quit', new DoubleEvent());
    this.closeWindows();
    const event = new DoubleEvent();
    this.emit('will-quit', event);
    if (event.defaultPrevented) return;
    this.#lock?.watcher.close();
    if (this.#lock) rmSync(this.#lock.folder, { recursive: true });
    void closeBrowser().then(() => process.exit(0));
  }
}

export const app = new AppDouble();
