import { app, BrowserWindow } from 'electron';
import { hardened } from './hardened.ts';
import { versionArgument } from './bridge.ts';
import { readWindowState, writeWindowState } from './window-state.ts';

/** The app's main window, on the host's origin. */
export class MainWindow {
  readonly #preload: string;
  #window: BrowserWindow | null = null;
  #address: URL | null = null;
  #path: string | null = null;

  constructor(preload: string) {
    this.#preload = preload;
  }

  /** The host's origin, once it answers. */
  get origin(): string | null {
    return this.#address?.origin ?? null;
  }

  get browserWindow(): BrowserWindow | null {
    return this.#window;
  }

  /** Shows the host at `address`; after a restart, the page that was open before. */
  show(address: URL): void {
    const restarted = this.#address !== null;
    this.#address = address;
    if (restarted && this.#window === null) return; // the user closed it: no new one uncalled
    this.#open();
  }

  /** Opens the window anew if it was closed, else brings it to the front. */
  focus(): void {
    if (this.#window === null) {
      this.#open();
      return;
    }
    if (this.#window.isMinimized()) this.#window.restore();
    this.#window.show();
    this.#window.focus();
  }

  /** Asks the page to offer the import of a folder or file (absolute path). */
  openPath(path: string): void {
    this.#path = path;
    const shown = this.#window !== null;
    this.focus();
    if (shown && this.#address) this.#load(new URL('/', this.#address));
  }

  #open(): void {
    if (this.#address === null) return; // the host is still starting; `show` follows
    const target = new URL(this.#address);
    target.hash = URL.parse(this.#window?.webContents.getURL() ?? '')?.hash ?? '';
    this.#window ??= this.#create();
    this.#load(target);
  }

  #load(target: URL): void {
    if (this.#path !== null) target.hash = `/data?import=${encodeURIComponent(this.#path)}`;
    this.#path = null;
    this.#window?.loadURL(target.href).catch((error: unknown) => {
      console.warn(`the window did not load ${target.origin}: ${String(error)}`);
    });
  }

  #create(): BrowserWindow {
    const { maximised, ...place } = readWindowState();
    const window = new BrowserWindow({
      ...place,
      minWidth: 900,
      minHeight: 600,
      show: false,
      title: 'Carryover',
      webPreferences: {
        preload: this.#preload,
        additionalArguments: [versionArgument + app.getVersion()],
        ...hardened(),
      },
    });
    if (maximised) window.maximize();
    window.once('ready-to-show', () => window.show());
    window.on('close', () => writeWindowState(window));
    window.on('closed', () => {
      this.#window = null;
      for (const report of BrowserWindow.getAllWindows()) report.close();
    });
    window.webContents.on('render-process-gone', (_event, { reason }) => {
      console.warn(`the page's process is gone: ${reason}`);
      if (reason !== 'clean-exit') window.webContents.reload();
    });
    return window;
  }
}
