import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import type * as Electron from 'electron';
import type { Page } from '@playwright/test';
import { app } from './app.ts';
import { DoubleEvent } from './event.ts';
import { receive } from './ipc-main.ts';
import { takePage } from './navigation.ts';
import { preloadScript } from './page-side.ts';
import { applyPermissions } from './session.ts';
import { WebContents } from './web-contents.ts';

type WindowPart = Pick<
  Electron.BrowserWindow,
  | 'loadURL'
  | 'isMinimized'
  | 'restore'
  | 'show'
  | 'focus'
  | 'isFocused'
  | 'isVisible'
  | 'maximize'
  | 'minimize'
  | 'isMaximized'
  | 'getNormalBounds'
  | 'close'
>;

const windows = new Set<BrowserWindow>();

export class BrowserWindow extends EventEmitter implements WindowPart {
  readonly webContents: WebContents;
  readonly options: Electron.BrowserWindowConstructorOptions;
  #visible: boolean;
  #focused = false;
  #minimised = false;
  #maximised = false;

  constructor(options: Electron.BrowserWindowConstructorOptions = {}) {
    super();
    this.options = options;
    this.#visible = options.show ?? true;
    this.webContents = new WebContents((contents) =>
      openPage(contents, options.webPreferences ?? {}),
    );
    windows.add(this);
    this.webContents.once('dom-ready', () => this.emit('ready-to-show'));
    app.emit('web-contents-created', new DoubleEvent(), this.webContents);
  }

  static getAllWindows(): BrowserWindow[] {
    return [...windows];
  }

  loadURL(url: string): Promise<void> {
    return this.webContents.loadURL(url);
  }

  show(): void {
    this.#visible = true;
    this.#focused = true;
  }

  focus(): void {
    this.#focused = true;
  }

  minimize(): void {
    this.#minimised = true;
    this.#focused = false;
  }

  restore(): void {
    this.#minimised = false;
  }

  maximize(): void {
    this.#maximised = true;
  }

  isVisible(): boolean {
    return this.#visible;
  }

  isFocused(): boolean {
    return this.#focused;
  }

  isMinimized(): boolean {
    return this.#minimised;
  }

  isMaximized(): boolean {
    return this.#maximised;
  }

  getNormalBounds(): Electron.Rectangle {
    const { x = 10, y = 10, width = 800, height = 600 } = this.options;
    return { x, y, width, height };
  }

  close(): void {
    const event = new DoubleEvent();
    this.emit('close', event);
    if (event.defaultPrevented) return;
    windows.delete(this);
    // Chromium itself may be gone first when the app quits.
    this.webContents.page.then((page) => page.close()).catch(() => undefined);
    this.emit('closed');
    if (windows.size === 0 && !quitting) app.emit('window-all-closed');
  }
}

let quitting = false;

app.closeWindows = () => {
  quitting = true;
  for (const window of windows) window.close();
};

/** A page of Chromium with the preload in it and the app's rules around it. */
async function openPage(
  contents: WebContents,
  preferences: Electron.WebPreferences,
): Promise<Page> {
  const page = await takePage(contents);
  await applyPermissions(contents);
  await page.exposeBinding('electronDoubleInvoke', ({ frame }, channel: string, given: unknown[]) =>
    receive(contents, frame, channel, given),
  );
  if (preferences.preload !== undefined) {
    const source = readFileSync(preferences.preload, 'utf8');
    const content = preloadScript(source, ['electron', ...(preferences.additionalArguments ?? [])]);
    await page.addInitScript({ content });
  }
  return page;
}
