/** Starts the real electron/main.ts on the double of `electron`, in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Electron from 'electron';
import { chromium, type Browser, type Page } from '@playwright/test';
import { node, root } from './clone.ts';
import type { FromDouble, ShellCall, ToDouble } from './electron-double/control.ts';

export interface LaunchOptions {
  appPath: string;
  /** Command-line arguments after the app. */
  args?: string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Another start with the same folder is a second instance. */
  userData?: string;
}

/** Where the app runs: the test's view of it, as Playwright's `ElectronApplication` gives it. */
export class ShellUnderTest {
  readonly #child: ChildProcess;
  readonly #userData: string;
  readonly #keep: boolean;
  readonly #calls: ShellCall[] = [];
  readonly #results = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #endpoint = Promise.withResolvers<string>();
  /** Settles what waits whenever something was said or the process ended. */
  #news = Promise.withResolvers<void>();
  #browser: Browser | null = null;
  #lastId = 0;
  output = '';
  readonly exited: Promise<number | null>;

  constructor(options: LaunchOptions) {
    this.#keep = options.userData !== undefined;
    this.#userData = options.userData ?? mkdtempSync(join(tmpdir(), 'carryover-user-'));
    this.#child = start(options, this.#userData);
    this.#child.on('message', (message: FromDouble) => this.#receive(message));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#said(text));
    this.exited = once(this.#child, 'exit').then(([code]) => {
      this.#endpoint.reject(new Error(`the shell ended with ${code}\n${this.output}`));
      this.#said('');
      return code as number | null;
    });
    this.#endpoint.promise.catch(() => undefined);
  }

  get userData(): string {
    return this.#userData;
  }

  /** The page in the app's window, once it shows an address of a host. */
  async page(): Promise<Page> {
    const endpoint = await this.#endpoint.promise;
    this.#browser ??= await chromium.connectOverCDP(endpoint);
    const page = this.#browser.contexts()[0]?.pages()[0];
    if (!page) throw new Error('the app has no window');
    await page.waitForURL(/^http:/).catch((cause: unknown) => {
      const said = `${this.output}\nnot answered: ${this.pendingCalls.join(', ') || 'nothing'}`;
      throw new Error(`the window shows no host\n${said}`, { cause });
    });
    return page;
  }

  /** Runs `code` beside the app; it can use nothing but its two arguments. */
  evaluate<R, A>(code: (electron: typeof Electron, argument: A) => R, argument: A): Promise<R> {
    this.#lastId += 1;
    const result = Promise.withResolvers<unknown>();
    this.#results.set(this.#lastId, result);
    const source = code.toString();
    this.#send({ type: 'evaluate', id: this.#lastId, source, argument });
    return result.promise as Promise<R>;
  }

  /** Waits for the next dialog (or call to the desktop) of that name and takes it. */
  async call(name: string): Promise<unknown> {
    for (;;) {
      const index = this.#calls.findIndex((call) => call.name === name);
      const [call] = index < 0 ? [] : this.#calls.splice(index, 1);
      if (call) return call.argument;
      if (this.#child.exitCode !== null) throw new Error(`ended without ${name}\n${this.output}`);
      await this.#news.promise;
    }
  }

  /** What was called and not yet taken by `call`. */
  get pendingCalls(): readonly string[] {
    return this.#calls.map(({ name }) => name);
  }

  /** Waits for a dialog and answers it; returns its options. */
  async answer(name: string, value: unknown): Promise<Record<string, unknown>> {
    const { id, argument } = (await this.call(name)) as AskedCall;
    this.#send({ type: 'answer', id, value });
    return argument;
  }

  /** Waits until the app has written `text` to its standard error. */
  async says(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.#child.exitCode !== null) throw new Error(`ended without: ${text}\n${this.output}`);
      await this.#news.promise;
    }
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Ends the app the hard way, as a crash does; Chromium, which is ours, goes with it. */
  async kill(): Promise<void> {
    const commands = await this.#browser?.newBrowserCDPSession();
    this.#child.kill('SIGKILL');
    await this.exited;
    await commands?.send('Browser.close');
  }

  /** Quits the app and removes its folder. */
  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.evaluate(({ app }) => setImmediate(() => app.quit()), null).catch(() => undefined);
    }
    await this.exited;
    await this.#browser?.close();
    if (!this.#keep) rmSync(this.#userData, { recursive: true, force: true, maxRetries: 5 });
  }

  #send(message: ToDouble): void {
    this.#child.send(message);
  }

  #said(text: string): void {
    this.output += text;
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  #receive(message: FromDouble): void {
    if (message.type === 'ready') this.#endpoint.resolve(message.endpoint);
    else if (message.type === 'call') this.#calls.push(message.call);
    else if (message.type === 'ask') {
      const argument = { id: message.id, argument: message.call.argument };
      this.#calls.push({ name: message.call.name, argument });
    } else if (message.type === 'result') this.#results.get(message.id)?.resolve(message.value);
    else this.#results.get(message.id)?.reject(new Error(message.message));
    this.#said('');
  }
}

interface AskedCall {
  id: number;
  argument: Record<string, unknown>;
}

function start(options: LaunchOptions, userData: string): ChildProcess {
  const register = pathToFileURL(join(import.meta.dirname, 'electron-double', 'register.ts')).href;
  const main = join(root, 'electron', 'main.ts');
  return spawn(join(root, node), ['--import', register, main, ...(options.args ?? [])], {
    cwd: options.cwd ?? options.appPath,
    env: {
      ...process.env,
      ...options.env,
      DOUBLE_APP_PATH: options.appPath,
      DOUBLE_USER_DATA: userData,
    },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
}
