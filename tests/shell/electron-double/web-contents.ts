import { EventEmitter } from 'node:events';
import type * as Electron from 'electron';
import type { Page } from '@playwright/test';

type OpenHandler = Parameters<Electron.WebContents['setWindowOpenHandler']>[0];

type ContentsPart = Pick<
  Electron.WebContents,
  'loadURL' | 'getURL' | 'reload' | 'setWindowOpenHandler'
>;

const withoutHash = (address: string): string => address.replace(/#.*$/, '');

export class WebContents extends EventEmitter implements ContentsPart {
  readonly page: Promise<Page>;
  #shown: Page | null = null;
  #ownLoad: string | null = null;
  #openHandler: OpenHandler | null = null;

  constructor(open: (contents: WebContents) => Promise<Page>) {
    super();
    this.page = open(this).then((page) => {
      this.#shown = page;
      page.on('domcontentloaded', () => this.emit('dom-ready'));
      return page;
    });
  }

  async loadURL(url: string): Promise<void> {
    const page = await this.page;
    this.#ownLoad = withoutHash(url);
    await page.goto(url, { waitUntil: 'domcontentloaded' });
  }

  getURL(): string {
    return this.#shown?.url() ?? '';
  }

  reload(): void {
    this.#ownLoad = withoutHash(this.getURL());
    void this.#shown?.reload();
  }

  setWindowOpenHandler(handler: OpenHandler): void {
    this.#openHandler = handler;
  }

  /** Whether the app itself asked for this address: Electron raises no will-navigate then. */
  takeOwnLoad(url: string): boolean {
    const own = this.#ownLoad === withoutHash(url);
    if (own) this.#ownLoad = null;
    return own;
  }

  /** What the app says to a window that a page wants to open. */
  windowOpen(url: string): 'allow' | 'deny' {
    const details = { url, frameName: '', features: '', disposition: 'foreground-tab' as const };
    const referrer = { url: this.getURL(), policy: 'default' as const };
    return this.#openHandler?.({ ...details, referrer }).action ?? 'allow';
  }
}
