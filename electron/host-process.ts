import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';

/** A Node binary, the guard it preloads, and the host's script with its arguments. */
export interface HostCommand {
  node: string;
  guard: string;
  args: string[];
}

export interface HostListener {
  /** The host answers at `url`; called again after every restart. */
  ready(url: URL): void;
  /** It could not be started, or crashed too often; nothing runs now. `text` says why. */
  failed(text: string): void;
}

/** How patient the supervisor is, in milliseconds. */
export interface HostPolicy {
  /** Waits before each restart; one crash more within `steadyAfter` is a failure. */
  backOff: readonly number[];
  /** After running this long, earlier crashes are forgotten. */
  steadyAfter: number;
  startLimit: number;
  stopLimit: number;
}

export const defaultPolicy: HostPolicy = {
  backOff: [250, 1000, 4000],
  steadyAfter: 60_000,
  startLimit: 60_000,
  stopLimit: 5000,
};

const ADDRESS = /http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+\S*/;
/** Characters of stderr that are kept for the user. */
const TAIL = 2000;
/** Milliseconds to wait for the output of a host that has ended. */
const LAST_WORDS = 500;

/** Starts the host, restarts it after a crash, and ends it with the app. */
export class HostProcess {
  readonly #command: HostCommand;
  readonly #listener: HostListener;
  readonly #policy: HostPolicy;
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | undefined;
  #crashes = 0;
  #stopping = false;

  constructor(command: HostCommand, listener: HostListener, policy = defaultPolicy) {
    this.#command = command;
    this.#listener = listener;
    this.#policy = policy;
  }

  /** Starts the host; again after `failed`, with the crashes forgotten. */
  start(): void {
    this.#crashes = 0;
    this.#launch();
  }

  /** Asks the host to end, then makes it. Nothing is restarted afterwards. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    if (child.connected) child.disconnect();
    const force = setTimeout(() => child.kill('SIGKILL'), this.#policy.stopLimit);
    await gone;
    clearTimeout(force);
  }

  #launch(): void {
    const { node, guard, args } = this.#command;
    const child = spawn(node, ['--import', pathToFileURL(guard).href, ...args], {
      env: hostEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      windowsHide: true,
    });
    this.#child = child;
    const watch = new HostWatch(child, this.#policy.startLimit, (url) => {
      this.#timer = setTimeout(() => (this.#crashes = 0), this.#policy.steadyAfter);
      this.#listener.ready(url);
    });
    child.once('error', (error) => this.#ended(child, watch, error.message));
    child.once('exit', (code, signal) => {
      const end = (): void =>
        this.#ended(child, watch, `it ended with ${signal ?? `code ${code}`}`);
      child.once('close', end); // its last words are read by then
      setTimeout(end, LAST_WORDS); // a process that it left behind may hold its output open
    });
  }

  #ended(child: ChildProcess, watch: HostWatch, reason: string): void {
    if (this.#child !== child) return;
    watch.end();
    this.#child = null;
    clearTimeout(this.#timer);
    if (this.#stopping) return;
    const wait = this.#policy.backOff[this.#crashes];
    if (watch.ready && wait !== undefined) {
      this.#crashes += 1;
      this.#timer = setTimeout(() => this.#launch(), wait);
      return;
    }
    const often = this.#crashes > 0 ? ` ${this.#crashes + 1} times in a row` : '';
    const what = watch.ready
      ? `The workbench crashed${often}`
      : 'The workbench could not be started';
    this.#listener.failed(`${what}: ${watch.late ?? reason}.\n\n${watch.tail}`.trim());
  }
}

/** Reads one host's output: its address on stdout, the end of what it says on stderr. */
class HostWatch {
  ready = false;
  /** Set when it was ended because it gave no address in time. */
  late: string | undefined;
  tail = '';
  readonly #limit: NodeJS.Timeout;

  constructor(child: ChildProcess, startLimit: number, found: (url: URL) => void) {
    this.#limit = setTimeout(() => {
      this.late = `it gave no address within ${startLimit / 1000} s`;
      child.kill('SIGKILL');
    }, startLimit);
    let head = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (this.ready) return;
      head += text;
      const address = ADDRESS.exec(head.slice(0, head.lastIndexOf('\n') + 1));
      if (!address) return;
      this.ready = true;
      this.end();
      found(new URL(address[0]));
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.tail = (this.tail + text).slice(-TAIL);
      process.stderr.write(text);
    });
  }

  end(): void {
    clearTimeout(this.#limit);
  }
}

/** The user's environment without what would change how Node itself runs. */
function hostEnvironment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, CARRYOVER_SHELL: String(process.pid) };
  delete env['NODE_OPTIONS'];
  delete env['ELECTRON_RUN_AS_NODE'];
  return env;
}
