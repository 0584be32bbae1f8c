import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { RunningServer } from '../../host/http/server.ts';
import type { Workbench } from '../../host/workbench.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine } from '../output.ts';

interface ServeOptions extends GlobalOptions {
  port: number;
  open?: boolean;
}

/** The built renderer, in a clone and in the packaged app alike. */
export const RENDERER_FOLDER = join(import.meta.dirname, '..', '..', 'dist', 'renderer');

/** `carryover serve`: the workbench for a browser on this machine, until it is interrupted. */
export function register(program: Command): void {
  program
    .command('serve')
    .description('serve the workbench to a browser on this machine and print its address')
    .option('--port <number>', 'port on 127.0.0.1; 0: any free one', parsePort, 0)
    .option('--open', 'open the default browser')
    .option('--json', 'print the address as JSON')
    .action(
      action(async (options: ServeOptions, command: Command) => {
        await serve({ ...options, ...globalOptions(command) });
      }),
    );
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return Number(text);
  throw new InvalidArgumentError('a port is a whole number from 0 to 65535');
}

async function serve({ home, port, open, json }: ServeOptions): Promise<void> {
  const stopped = stopSignal();
  const { openWorkbench } = await import('../../host/workbench.ts');
  const { startServer } = await import('../../host/http/server.ts');
  const workbench = openWorkbench({ command: 'serve', ...(home === undefined ? {} : { home }) });
  let server: RunningServer | undefined;
  try {
    server = await startServer({ ...workbench, port, rendererFolder: RENDERER_FOLDER });
    const { url, origin } = server;
    if (json) printJson({ url, origin, port: server.port });
    else printLine(url);
    if (open) openBrowser(url);
    await stopped;
  } finally {
    await shutDown(server, workbench);
  }
}

async function shutDown(server: RunningServer | undefined, workbench: Workbench): Promise<void> {
  await server?.close();
  await workbench.close();
}

/** Resolves at the first signal to stop; later ones change nothing while the end is under way. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => resolve());
    }
  });
}

const OPENERS: Partial<Record<NodeJS.Platform, [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Opens the default browser; where there is none the printed address has to do. */
function openBrowser(url: string): void {
  const [program, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
  const unable = (): void =>
    console.error('no browser could be opened here: open the address above yourself');
  child.once('error', unable);
  child.once('exit', (code) => {
    if (code !== 0) unable();
  });
  child.unref();
}
