import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Handlers } from '../../contract/api.ts';
import type { Failure } from '../../contract/errors.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { HostContext } from '../context.ts';
import { systemCode } from '../files.ts';
import { createApp } from './app.ts';
import type { EventStream } from './events.ts';
import { SECURITY_HEADERS, createSession, refusal } from './guard.ts';

export interface ServerOptions {
  handlers: Handlers;
  context: HostContext;
  /** 0 or absent: any free port. */
  port?: number;
  /** The built renderer (dist/renderer). */
  rendererFolder: string;
}

export interface RunningServer {
  /** The address to open, with the token of this start. */
  url: string;
  /** `http://127.0.0.1:<port>` */
  origin: string;
  port: number;
  /** Ends open event streams and connections. */
  close(): Promise<void>;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Serves the workbench on 127.0.0.1. Throws `busy` when the port is taken, `io` when the system
 * refuses it.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = createServer();
  const port = await listen(server, options.port ?? 0);
  const session = createSession(port);
  const streams = new Set<EventStream>();
  const app = createApp({ ...options, session, streams });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  server.on('request', guarded(port, listener));
  const origin = `http://127.0.0.1:${port}`;
  return {
    url: `${origin}/?token=${session.token}`,
    origin,
    port,
    close: () => close(server, streams),
  };
}

/** Security headers on every response; a request from outside is refused before anything reads it. */
function guarded(port: number, listener: Listener): Listener {
  return async (request, response) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    const reason = refusal(request.headers, port);
    if (reason === null) return listener(request, response);
    const error: Failure = { code: 'bad-input', message: `refused: ${reason}` };
    response.writeHead(403, { 'Content-Type': 'application/json', Connection: 'close' });
    response.end(JSON.stringify({ ok: false, error }));
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(portError(error, port)));
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function portError(error: Error, port: number): CarryoverError {
  const value = String(port);
  return systemCode(error) === 'EADDRINUSE'
    ? new CarryoverError('busy', `port ${port} is taken by another program`, {
        value,
        wayOut: 'choose another with --port, or leave it out for any free one',
      })
    : new CarryoverError('io', `could not listen on 127.0.0.1:${port}: ${error.message}`, {
        value,
        wayOut: 'choose a port above 1023 with --port, or leave it out for any free one',
      });
}

function close(server: Server, streams: Set<EventStream>): Promise<void> {
  for (const stream of [...streams]) stream.end();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
