/**
 * Browsing a large data set as the window does it, over HTTP: opening, filters with counts, pages,
 * jumps, search, changes, thumbnails from the disk cache; and the memory of the host. The rows are
 * synthetic, in a home that goes with the bench. Every filter is another one.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Answer, RequestBody, RequestName, Responses } from '../contract/api.ts';
import type { ImageFilter } from '../contract/datasets.ts';
import { openDatabase } from '../host/db/open.ts';
import { createHome } from '../host/home.ts';
import type { Bench, Choice } from './bench.ts';
import { median, timed } from './bench.ts';
import {
  CLASSES,
  DATASET,
  DOMAINS,
  STUDY,
  fillThumbnails,
  insertRows,
  twoDigits,
} from './browse-rows.ts';

const CHILD = fileURLToPath(new URL('browse-child.ts', import.meta.url));
const STANDARD = [100_000, 1_000_000];
const PAGE = 200;
const THUMBNAILS = 2000;
/** What browsers open to one host. */
const CONNECTIONS = 6;

interface Timing {
  name: string;
  /** Milliseconds, one entry each. */
  times: number[];
  median: number;
  /** 95 of 100 are faster. */
  p95: number;
}

interface Result {
  images: number;
  timings: Timing[];
  thumbnails: { count: number; perSecond: number };
  /** Bytes of the host process, now and at most. */
  memory: { rss: number; peak: number };
}

async function measure(images: number, rounds: number): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'carryover-browse-'));
  try {
    const home = createHome(join(folder, 'home'));
    const opened = openDatabase(home.database, { command: 'bench' });
    insertRows(opened.db, images);
    opened.close();
    await fillThumbnails(home.cache, Math.min(THUMBNAILS, images));
    const opening: number[] = [];
    for (let round = 1; round < Math.min(rounds, 5); round++) {
      opening.push(await withHost(home.root, openSet));
    }
    return await withHost(home.root, async (host) => {
      opening.push(await openSet(host));
      const timings = [timing('open', opening), ...(await askAll(host, images, rounds))];
      const thumbnails = await thumbnailRate(host, Math.min(THUMBNAILS, images));
      return { images, timings, thumbnails, memory: await host.memory() };
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Host {
  /** The value of a request and how long it took, in milliseconds. */
  ask<N extends RequestName>(
    name: N,
    body: RequestBody<N>,
  ): Promise<{ value: Responses[N]; ms: number }>;
  get(path: string): Promise<Buffer>;
  memory(): Promise<Result['memory']>;
}

async function withHost<T>(home: string, work: (host: Host) => Promise<T>): Promise<T> {
  const child = fork(CHILD, [home]);
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  try {
    return await work(await connect(child, agent));
  } finally {
    agent.destroy();
    const ended = once(child, 'exit');
    child.disconnect();
    await ended;
  }
}

async function connect(child: ChildProcess, agent: Agent): Promise<Host> {
  const [address] = (await once(child, 'message')) as [string];
  const { origin, pathname, search } = new URL(address);
  let cookie = '';
  const send = async (path: string, body?: string): Promise<Buffer> => {
    const headers = { cookie, ...(body && { 'content-type': 'application/json' }) };
    const sent = request(origin + path, { agent, headers, method: body ? 'POST' : 'GET' });
    sent.end(body);
    const [response] = await once(sent, 'response');
    cookie ||= response.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    if (response.statusCode >= 400) throw new Error(Buffer.concat(chunks).toString());
    return Buffer.concat(chunks);
  };
  await send(pathname + search);
  return {
    async ask(name, body) {
      const { seconds, result } = await timed(() => send(`/api/${name}`, JSON.stringify(body)));
      const answer = JSON.parse(result.toString()) as Answer<Responses[typeof name]>;
      if (!answer.ok) throw new Error(answer.error.message);
      return { value: answer.value, ms: seconds * 1000 };
    },
    get: (path) => send(path),
    async memory() {
      const told = once(child, 'message');
      child.send('memory');
      const [memory] = (await told) as [Result['memory']];
      return memory;
    },
  };
}

/** What the window asks when a data set is opened, in milliseconds. */
async function openSet(host: Host): Promise<number> {
  const { seconds } = await timed(() =>
    Promise.all([
      host.ask('datasets.get', { id: DATASET }),
      host.ask('images.query', { datasetId: DATASET, filter: {}, offset: 0, limit: PAGE }),
      host.ask('images.counts', { datasetId: DATASET, filter: {} }),
    ]),
  );
  return seconds * 1000;
}

/** The i-th of many filters that all differ. */
function filterOf(i: number): ImageFilter {
  const label = (k: number): string => `class-${twoDigits(k % CLASSES)}`;
  const domain = (k: number): string => `domain-${k % DOMAINS}`;
  return {
    labels: [label(i), label(i * 7 + 1)],
    ...(i % 2 && { domains: [domain(i), domain(i + 2)] }),
    ...(i % 3 && { attributes: { age: [String(i % 90), String((i * 3) % 90)] } }),
    ...(i % 5 === 0 && { given: ['train'] }),
    ...(i % 7 === 0 && { excluded: 'with' }),
  };
}

async function askAll(host: Host, images: number, rounds: number): Promise<Timing[]> {
  const datasetId = DATASET;
  const many = 10 * rounds;
  const each = async (name: string, count: number, work: (i: number) => Promise<number>) => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) times.push(await work(i));
    return timing(name, times);
  };
  const page = async (filter: ImageFilter, offset: number): Promise<number> =>
    (await host.ask('images.query', { datasetId, filter, offset, limit: PAGE })).ms;
  const counts = async (filter: ImageFilter): Promise<number> =>
    (await host.ask('images.counts', { datasetId, filter })).ms;
  const somewhere = (i: number): number => (i * 7_368_787) % images;
  const study = { studyId: STUDY, split: 'train' } as const;
  const sex = { attributes: { sex: ['1'] } };
  return [
    await each('counts of a new filter', many, (i) => counts(filterOf(i))),
    await each('first page of a new filter', many, (i) => page(filterOf(i + many), 0)),
    await each('any page of all', many, (i) => page({}, somewhere(i))),
    await each('any page of half', many, (i) => page(sex, Math.floor(somewhere(i) / 2))),
    await each('position of an image', many, async (i) => {
      const id = somewhere(i) + 1;
      return (await host.ask('images.position', { datasetId, filter: {}, id })).ms;
    }),
    await each('first search of a path', 1, () => page({ text: 'thing 00000' }, 0)),
    await each('search of a path', many, (i) => page({ text: `THING 0000${i}` }, 0)),
    await each('search that finds all', rounds, (i) => page({ text: 'of a thing'.slice(i) }, 0)),
    await each('counts of a study', rounds, (i) => counts({ ...study, ...filterOf(i) })),
    await each('tag one image', rounds, async (i) => {
      const change = { kind: 'tag', value: 'seen' } as const;
      return (await host.ask('datasets.change', { datasetId, filter: { ids: [i + 1] }, change }))
        .ms;
    }),
    ...(await changeHalf(host, sex)),
  ];
}

async function changeHalf(host: Host, filter: ImageFilter): Promise<Timing[]> {
  const change = { kind: 'relabel', value: 'class-00' } as const;
  const relabel = await host.ask('datasets.change', { datasetId: DATASET, filter, change });
  const undo = await host.ask('datasets.undo', { datasetId: DATASET, changeId: relabel.value.id });
  return [timing('relabel half of all', [relabel.ms]), timing('undo that', [undo.ms])];
}

function timing(name: string, times: number[]): Timing {
  const sorted = times.toSorted((a, b) => a - b);
  const p95 = sorted[Math.ceil(sorted.length * 0.95) - 1] ?? NaN;
  return { name, times, median: median(times), p95 };
}

async function thumbnailRate(host: Host, count: number): Promise<Result['thumbnails']> {
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  const { seconds } = await timed(() =>
    Promise.all(ids.map((id) => host.get(`/media/images/${id}?w=128`))),
  );
  return { count, perSecond: count / seconds };
}

function linesOf({ images, timings, thumbnails, memory }: Result): string[] {
  const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  return [
    `${images.toLocaleString('en')} images: median (95 of 100) in ms`,
    ...timings.map(({ name, median: middle, p95, times }) => {
      const range = times.length > 1 ? ` (${p95.toFixed(1)})` : '';
      return `  ${name}: ${middle.toFixed(1)}${range}`;
    }),
    `  thumbnails from the disk cache: ${Math.round(thumbnails.perSecond)} per second`,
    `  memory of the host: ${megabytes(memory.rss)}, at most ${megabytes(memory.peak)}`,
  ];
}

export const browse: Bench = {
  name: 'browse',
  about: 'Filters, pages, changes and thumbnails of data sets with 100,000 and 1,000,000 images.',
  async run({ images, rounds = 5 }: Choice) {
    const results: Result[] = [];
    for (const count of images ? [images] : STANDARD) results.push(await measure(count, rounds));
    return { results, lines: results.flatMap(linesOf) };
  },
};
