import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { onTestFinished } from 'vitest';
import type { Answer, RequestBody, RequestName, Responses } from '../../contract/api.ts';
import type { Failure } from '../../contract/errors.ts';
import { startServer } from '../../host/http/server.ts';
import { openWorkbench } from '../../host/workbench.ts';

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  data: Buffer;
  text: string;
}

/** A temporary folder that goes with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carryover-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Sends one request just as given, Host and Origin included; the path is not normalised. */
export function send(port: number, path: string, asked: Asked = {}): Promise<Reply> {
  const { method = 'GET', headers = {}, body } = asked;
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false });
    sent.once('error', reject);
    sent.once('response', async (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const data = Buffer.concat(chunks);
      const { statusCode = 0, headers: got } = response;
      resolve({ status: statusCode, headers: got, data, text: data.toString('utf8') });
    });
    sent.end(body);
  });
}

export type TestServer = Awaited<ReturnType<typeof openServer>>;

/** A real workbench on an empty home behind a real server on a free port, ended with the test. */
export async function openServer() {
  const folder = await temporaryFolder();
  const rendererFolder = join(folder, 'renderer');
  await mkdir(join(rendererFolder, 'assets'), { recursive: true });
  await writeFile(join(rendererFolder, 'index.html'), '<!doctype html><p>the renderer');
  await writeFile(join(rendererFolder, 'assets', 'index-a1b2c3.js'), 'export {};');
  await writeFile(join(folder, 'secret.txt'), 'secret');
  const workbench = openWorkbench({ home: join(folder, 'home'), command: 'test' });
  const server = await startServer({ ...workbench, rendererFolder });
  onTestFinished(async () => {
    await server.close();
    await workbench.close();
  });
  const { port } = server;
  const cookie = await cookieOf(server.url, port);
  const ask = (path: string, asked: Asked = {}): Promise<Reply> =>
    send(port, path, { ...asked, headers: { cookie, ...asked.headers } });

  async function call<N extends RequestName>(
    name: N,
    body: RequestBody<N>,
  ): Promise<Answer<Responses[N]>> {
    const headers = { 'content-type': 'application/json' };
    const reply = await ask(`/api/${name}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return JSON.parse(reply.text) as Answer<Responses[N]>;
  }
  const { context, handlers } = workbench;
  return { ...server, context, handlers, folder, cookie, ask, call };
}

async function cookieOf(url: string, port: number): Promise<string> {
  const { pathname, search } = new URL(url);
  const { headers } = await send(port, pathname + search);
  return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}

/** The failure in a reply. */
export function failureOf(reply: Reply): Failure {
  const answer = JSON.parse(reply.text) as Answer<unknown>;
  if (answer.ok) throw new Error(`this was an answer: ${reply.text}`);
  return answer.error;
}

/** An image whose every pixel differs from its neighbours: red counts columns, green rows. */
export async function patternPng(width: number, height: number): Promise<Buffer> {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      data.set([x % 256, y % 256, (x + y) % 256], (y * width + x) * 3);
  }
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Imports `<folder>/images` through the API and returns its images. */
export async function importImages(
  server: TestServer,
  files: Record<string, Uint8Array>,
): Promise<{ root: string; ids: Map<string, number>; datasetId: string }> {
  const root = join(server.folder, 'images');
  for (const [path, data] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), data);
  }
  return { root, ...(await importSource(server, root)) };
}

/** Imports what lies at a path through the API and returns its images. */
export async function importSource(
  server: TestServer,
  path: string,
): Promise<{ ids: Map<string, number>; datasetId: string }> {
  const scan = await finished(server, await server.call('datasets.scan', { path }));
  const imported = await server.call('datasets.import', { scanId: scan, name: 'images' });
  const datasetId = await finished(server, imported);
  const page = await server.call('images.query', { datasetId, filter: {}, offset: 0, limit: 100 });
  if (!page.ok) throw new Error(page.error.message);
  return { datasetId, ids: new Map(page.value.images.map((image) => [image.path, image.id])) };
}

async function finished(server: TestServer, started: Answer<{ id: string }>): Promise<string> {
  if (!started.ok) throw new Error(started.error.message);
  const job = await server.context.jobs.wait(started.value.id);
  if (job.result === null) throw new Error(`${job.title}: ${job.failure?.message ?? job.status}`);
  return job.result;
}
