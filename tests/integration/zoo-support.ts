import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { architectureSchema } from '../../contract/architecture.ts';
import { encodeCheckpoint } from '../../engine/checkpoints/export.ts';
import { UNKNOWN_PREPROCESSING } from '../../engine/formats/told.ts';
import { buildModel, initialise } from '../../engine/models/registry.ts';
import type { Job } from '../../contract/jobs.ts';
import { openWorkbench } from '../../host/workbench.ts';
import type { ZooSource } from '../../host/zoo/catalogue.ts';
import type { ZooOptions } from '../../host/zoo/handlers.ts';
import { zooHandlers } from '../../host/zoo/handlers.ts';

/** A file of real, small weights: a ResNet-18 of width 4, about 200 kB. */
export function weightsFile(seed = 0): Buffer {
  const architecture = architectureSchema.parse({ name: 'resnet18', width: 4, image: 32 });
  const options = { architecture, classes: 3, batch: 1 };
  const weights = initialise(buildModel(options).parameters, seed);
  const preprocessing = UNKNOWN_PREPROCESSING;
  return Buffer.from(
    encodeCheckpoint({ architecture, classes: 3, classNames: null, preprocessing, weights }),
  );
}

export const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

export interface FileServer {
  url: string;
  /** Headers of the requests that came, in order. */
  asked: IncomingMessage['headers'][];
  /** What is served; may be changed between requests. */
  file: Buffer;
  etag: string | null;
  /** The connection is ended after so many bytes of an answer, as long as there are such. */
  cuts: number[];
  /** Resolves when the client has so many bytes of the file: an earlier cut would lose some. */
  arrived: (bytes: number) => Promise<void>;
  /** Called when bytes of an answer were sent and it waits. */
  stall: (() => void) | null;
  status: number;
}

/** Serves one file on 127.0.0.1 with ranges, as the hubs do, and fails where told. */
export async function fileServer(file: Buffer): Promise<FileServer> {
  const state: FileServer = {
    url: '',
    asked: [],
    file,
    etag: '"one"',
    cuts: [],
    arrived: () => Promise.resolve(),
    stall: null,
    status: 200,
  };
  const server = createServer((request, response) => {
    state.asked.push(request.headers);
    answer(state, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models/net.safetensors`;
  return state;
}

function answer(state: FileServer, request: IncomingMessage, response: ServerResponse): void {
  const { file, etag, status } = state;
  if (status !== 200) return void response.writeHead(status).end('no');
  const start = rangeStart(request, etag);
  if (start !== null && start >= file.length) {
    return void response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
  }
  const rest = file.subarray(start ?? 0);
  const range = `bytes ${start}-${file.length - 1}/${file.length}`;
  response.setHeader('content-length', rest.length);
  if (etag !== null) response.setHeader('etag', etag);
  if (start !== null) response.setHeader('content-range', range);
  response.writeHead(start === null ? 200 : 206);
  send(state, file.length - rest.length, response);
}

/** First byte that is asked for; null for the whole file. */
function rangeStart({ headers }: IncomingMessage, etag: string | null): number | null {
  const [, from] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
  const isSame = headers['if-range'] === undefined || headers['if-range'] === etag;
  return from !== undefined && isSame ? Number(from) : null;
}

function send(state: FileServer, start: number, response: ServerResponse): void {
  const { file, stall } = state;
  const cut = state.cuts.shift();
  if (cut === undefined && stall === null) return void response.end(file.subarray(start));
  const end = cut === undefined ? Math.floor((start + file.length) / 2) : start + cut;
  response.flushHeaders();
  response.write(file.subarray(start, end), () => {
    if (cut === undefined) stall?.();
    else void state.arrived(end).then(() => response.destroy());
  });
}

/** A source of the model zoo for that file. */
export function sourceOf(url: string, more: Partial<ZooSource> = {}): ZooSource {
  return {
    id: 'small-net',
    title: 'A small net',
    architecture: 'resnet18',
    data: 'nothing',
    url,
    page: 'https://example.org/net',
    bytes: null,
    licence: 'CC0-1.0',
    sha256: null,
    preprocessing: {
      size: 32,
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
      interpolation: 'bicubic',
      crop: null,
    },
    obstacle: null,
    ...more,
  };
}

/** A workbench in a home of its own with that zoo. */
export function zooWith(sources: ZooSource[], options: ZooOptions = {}) {
  const home = mkdtempSync(join(tmpdir(), 'carryover-zoo-'));
  const { context, handlers, close } = openWorkbench({ home, command: 'test' });
  onTestFinished(async () => {
    await close();
    rmSync(home, { recursive: true, force: true });
  });
  const zoo = zooHandlers(context, { sources, ...options });
  return {
    home,
    context,
    handlers,
    list: async () => zoo['zoo.list']({}),
    start: async (id = 'small-net'): Promise<Job> => zoo['zoo.download']({ id }),
    /** Clicks and waits for the end. */
    async bring(id = 'small-net'): Promise<Job> {
      return context.jobs.wait((await zoo['zoo.download']({ id })).id);
    },
  };
}
