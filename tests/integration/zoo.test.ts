import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ZOO } from '../../host/zoo/catalogue.ts';
import { fileServer, sha256, sourceOf, weightsFile, zooWith } from './zoo-support.ts';

const file = weightsFile();
const half = Math.floor(file.length / 2);

describe('resources/zoo.json', () => {
  it('lists sources whose ids can name checkpoints, with what is published about them', () => {
    expect(new Set(ZOO.map(({ id }) => id)).size).toBe(ZOO.length);
    for (const { id, url, sha256: hash } of ZOO) {
      expect(id).toMatch(/^[a-z0-9][a-z0-9-]{0,63}$/);
      expect(url).toMatch(/^(https:\/\/|npm:)/);
      const [, digits] = /-([0-9a-f]{8})\.pth$/.exec(url) ?? [];
      if (digits) expect(hash).toBe(digits);
    }
  });

  it('is what a workbench shows, with nothing imported', async () => {
    const { handlers } = zooWith([]);
    const listed = await handlers['zoo.list']({});
    expect(listed.map(({ id }) => id)).toEqual(ZOO.map(({ id }) => id));
    expect(listed.every(({ checkpointId }) => checkpointId === null)).toBe(true);
  });

  it('says of a pickled module why it cannot be imported and what to do, and asks no server', async () => {
    const { handlers, context } = zooWith([]);
    await expect(handlers['zoo.download']({ id: 'xrv-densenet121' })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('running the code in it') as string,
      detail: { wayOut: expect.stringContaining('torch.save') as string },
    });
    expect(context.jobs.list()).toEqual([]);
  });
});

describe('zoo.download', () => {
  it('fetches, checks, imports under the id of the source, and leaves nothing behind', async () => {
    const server = await fileServer(file);
    const zoo = zooWith([sourceOf(server.url, { sha256: sha256(file).slice(0, 8) })]);
    const job = await zoo.bring();
    expect(job).toMatchObject({ kind: 'zoo', status: 'done', subject: 'small-net', failure: null });
    const checkpoint = await zoo.handlers['checkpoints.get']({ id: job.result! });
    expect(checkpoint).toMatchObject({
      name: 'small-net',
      architecture: { name: 'resnet18', width: 4 },
      licence: 'CC0-1.0',
      preprocessing: { size: 32, mean: [0.5, 0.5, 0.5], interpolation: 'bicubic', crop: null },
    });
    expect(await zoo.list()).toMatchObject([{ id: 'small-net', checkpointId: job.result }]);
    expect(readdirSync(join(zoo.home, 'zoo'))).toEqual([]);
    await expect(zoo.start()).rejects.toMatchObject({ code: 'conflict' });
    expect(server.asked).toHaveLength(1);
  });

  it('tells bytes done and to do while it fetches', async () => {
    const server = await fileServer(file);
    const zoo = zooWith([sourceOf(server.url)]);
    const stalled = new Promise<void>((resolve) => (server.stall = resolve));
    const { id } = await zoo.start();
    await stalled;
    await until(() => (zoo.context.jobs.get(id).progress?.done ?? 0) > 0);
    expect(zoo.context.jobs.get(id).progress).toMatchObject({
      phase: 'fetching net.safetensors',
      done: Math.round(half / 1e5) / 10,
      total: Math.round(file.length / 1e5) / 10,
      unit: 'MB',
    });
    zoo.context.jobs.cancel(id);
    expect((await zoo.context.jobs.wait(id)).status).toBe('cancelled');
  });

  it('takes up what a cut-off connection left, in the same job', async () => {
    const server = await fileServer(file);
    server.cuts = [1000, 2000];
    const zoo = zooWith([sourceOf(server.url, { sha256: sha256(file) })]);
    server.arrived = (bytes) => until(() => partSize(zoo.home) >= bytes);
    expect((await zoo.bring()).status).toBe('done');
    expect(server.asked.map(({ range }) => range)).toEqual([
      undefined,
      'bytes=1000-',
      'bytes=3000-',
    ]);
    expect(server.asked[1]?.['if-range']).toBe('"one"');
    for (const headers of server.asked) expect(headers['accept-encoding']).toBe('identity');
  });

  it('takes up what a cancelled job left', async () => {
    const server = await fileServer(file);
    const zoo = zooWith([sourceOf(server.url, { sha256: sha256(file) })]);
    const stalled = new Promise<void>((resolve) => (server.stall = resolve));
    const { id } = await zoo.start();
    await stalled;
    await until(() => partSize(zoo.home) === half);
    zoo.context.jobs.cancel(id);
    expect((await zoo.context.jobs.wait(id)).status).toBe('cancelled');
    server.stall = null;
    expect((await zoo.bring()).status).toBe('done');
    expect(server.asked[1]?.range).toBe(`bytes=${half}-`);
  });

  it('gives up when a connection brings nothing any more, keeps the part and goes on later', async () => {
    const server = await fileServer(file);
    server.cuts = [5000, 0];
    const zoo = zooWith([sourceOf(server.url, { sha256: sha256(file), bytes: file.length })]);
    server.arrived = (bytes) => until(() => partSize(zoo.home) >= bytes);
    const failed = await zoo.bring();
    expect(failed).toMatchObject({
      status: 'failed',
      failure: {
        code: 'io',
        message: expect.stringContaining(`after 5000 of ${file.length} bytes`) as string,
        detail: { wayOut: expect.stringContaining('is kept') as string },
      },
    });
    expect((await zoo.bring()).status).toBe('done');
    expect(server.asked.at(-1)?.range).toBe('bytes=5000-');
  });

  it('starts anew where the server has another file by now, or does not say which it has', async () => {
    const server = await fileServer(file);
    server.cuts = [5000, 0];
    const zoo = zooWith([sourceOf(server.url)]);
    server.arrived = (bytes) => until(() => partSize(zoo.home) >= bytes);
    expect((await zoo.bring()).status).toBe('failed');
    server.file = weightsFile(1);
    server.etag = '"two"';
    server.cuts = [6000, 0];
    expect((await zoo.bring()).status).toBe('failed');
    server.etag = null;
    server.cuts = [7000, 0];
    expect((await zoo.bring()).status).toBe('failed');
    const done = await zoo.bring();
    expect(done.status).toBe('done');
    expect(server.asked.at(-1)?.range).toBeUndefined();
    const { report } = await zoo.handlers['checkpoints.get']({ id: done.result! });
    expect(report.sha256).toBe(sha256(server.file));
  });

  it('is content with a part that is whole already', async () => {
    const server = await fileServer(file);
    const zoo = zooWith([sourceOf(server.url, { sha256: sha256(file) })]);
    const part = `${placeOf(zoo.home)}.part`;
    mkdirSync(dirname(part), { recursive: true });
    writeFileSync(part, file);
    writeFileSync(`${part}.json`, JSON.stringify({ url: server.url, tag: '"one"' }));
    expect((await zoo.bring()).status).toBe('done');
    expect(server.asked).toHaveLength(1);
  });

  it('refuses and removes a file of another hash', async () => {
    const server = await fileServer(file);
    const zoo = zooWith([sourceOf(server.url, { sha256: '01234567' })]);
    expect(await zoo.bring()).toMatchObject({
      status: 'failed',
      failure: {
        code: 'io',
        message: expect.stringContaining('should begin with 01234567') as string,
        detail: { value: sha256(file) },
      },
    });
    expect(readdirSync(dirname(placeOf(zoo.home)))).toEqual([]);
    expect(await zoo.handlers['checkpoints.list']({})).toEqual([]);
  });

  it.each([
    [404, 'not-found', /look for it on its page/],
    [503, 'io', /try again later/],
  ])('names the address that answered %i', async (status, code, wayOut) => {
    const server = await fileServer(file);
    server.status = status;
    const zoo = zooWith([sourceOf(server.url)]);
    const { failure } = await zoo.bring();
    expect(failure).toMatchObject({
      code,
      message: expect.stringContaining(`${status}`) as string,
      detail: { value: server.url, wayOut: expect.stringMatching(wayOut) as string },
    });
  });

  it('says without a network which file to bring, where to put it and how to import it', async () => {
    const url = 'http://127.0.0.1:9/models/net.safetensors'; // the discard port: nobody listens
    const zoo = zooWith([sourceOf(url)]);
    const { failure } = await zoo.bring();
    expect(failure).toMatchObject({ code: 'io', detail: { value: url } });
    expect(failure?.message).toMatch(/127\.0\.0\.1:9 could not be reached/);
    const command =
      'carryover weights import FILE --name small-net --size 32 --mean 0.5,0.5,0.5 --std 0.25,0.25,0.25 --interpolation bicubic';
    for (const part of [url, placeOf(zoo.home), command]) {
      expect(failure?.detail?.wayOut).toContain(part);
    }
  });

  it('takes a file that was put in its place by hand, and keeps one that is another', async () => {
    const url = 'http://127.0.0.1:9/models/net.safetensors';
    const zoo = zooWith([sourceOf(url, { sha256: sha256(file) })]);
    const place = placeOf(zoo.home);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, weightsFile(1));
    expect(await zoo.bring()).toMatchObject({
      status: 'failed',
      failure: {
        code: 'io',
        message: expect.stringContaining(`${place} is not what was published`) as string,
        detail: { file: place, wayOut: `remove ${place} and try again` },
      },
    });
    expect(readFileSync(place)).toEqual(weightsFile(1));
    writeFileSync(place, file);
    expect((await zoo.bring()).status).toBe('done');
  });

  it('keeps a file that it cannot import', async () => {
    const page = Buffer.from('<!DOCTYPE html><p>Please log in</p>');
    const server = await fileServer(page);
    const zoo = zooWith([sourceOf(server.url)]);
    const { failure } = await zoo.bring();
    expect(failure).toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('a web page') as string,
      detail: { wayOut: `remove ${placeOf(zoo.home)} to have it fetched anew` },
    });
    expect(existsSync(placeOf(zoo.home))).toBe(true);
  });

  it('finds a checkpoint that was imported by hand from the same file', async () => {
    const zoo = zooWith([
      sourceOf('https://example.org/net', { sha256: sha256(file).slice(0, 8) }),
    ]);
    const path = join(zoo.home, 'mine.safetensors');
    writeFileSync(path, file);
    const { id } = await zoo.handlers['checkpoints.import']({ path, name: 'mine', loose: false });
    expect(await zoo.list()).toMatchObject([{ checkpointId: id }]);
  });

  it('does not fetch twice at once, nor what it does not know', async () => {
    const server = await fileServer(file);
    const zoo = zooWith([sourceOf(server.url)]);
    server.stall = () => undefined;
    const { id } = await zoo.start();
    await expect(zoo.start()).rejects.toMatchObject({ code: 'busy' });
    await expect(zoo.start('other')).rejects.toMatchObject({
      code: 'not-found',
      detail: { wayOut: 'choose one of small-net' },
    });
    zoo.context.jobs.cancel(id);
    await zoo.context.jobs.wait(id);
  });
});

/** Where the file of the source is put. */
function placeOf(home: string): string {
  return join(home, 'zoo', 'small-net', basename('net.safetensors'));
}

function partSize(home: string): number {
  const part = `${placeOf(home)}.part`;
  return existsSync(part) ? statSync(part).size : 0;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
