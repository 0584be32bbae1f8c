import { spawn } from 'node:child_process';
import { readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { readSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { recipeSchema } from '../../contract/study.ts';
import { clearDecoded, decodedUse, makeRoom } from '../../host/trainer/decoded-cache.ts';
import { openDecoded } from '../../host/trainer/decoded.ts';
import type { ItemList } from '../../host/trainer/protocol.ts';
import { carryover } from './cli-support.ts';
import { all, drawItems, emptyFolder, loaderJob, opened } from './loader-support.ts';

const RECIPE = recipeSchema.parse({});
/** 4 images of 20 x 20 pixels. */
const LIST = 4 * 20 * 20 * 3;

async function lists(count: number): Promise<{ folder: string; cache: string; items: ItemList[] }> {
  const folder = await emptyFolder();
  const items = [];
  for (let i = 0; i < count; i++) items.push(await drawItems(folder, 4, 10 * i));
  return { folder, cache: join(folder, 'cache'), items };
}

const decoding = { recipe: RECIPE, size: 20, channels: 3 } as const;

/** Opens and releases a list; whether it had to be decoded, and whether it fitted. */
async function use(items: ItemList, folder: string, limit: number, size = 20) {
  let decoded = 0;
  const file = await openDecoded(items, { ...decoding, size }, { folder, limit }, () => decoded++);
  await file.release();
  return { decoded: decoded > 0, fits: file.fits };
}

/** Sets the last use of everything there so many seconds back. */
async function age(folder: string, seconds: number): Promise<void> {
  const then = new Date(Date.now() - seconds * 1000);
  for (const name of await readdir(folder)) await utimes(join(folder, name), then, then);
}

test('decoded pixels serve a second time without the images', async () => {
  const { cache, items } = await lists(1);
  const first = await openDecoded(items[0]!, decoding, { folder: cache, limit: 1e9 }, () => 0);
  onTestFinished(() => first.release());
  for (const { file } of items[0]!.places) await rm(file);
  const second = await openDecoded(items[0]!, decoding, { folder: cache, limit: 1e9 }, () => {
    throw new Error('decoded again');
  });
  onTestFinished(() => second.release());
  const [a, b] = [new Uint8Array(LIST), new Uint8Array(LIST)];
  expect(readSync(first.descriptor, a, 0, LIST, 0)).toBe(LIST);
  expect(readSync(second.descriptor, b, 0, LIST, 0)).toBe(LIST);
  expect(a).toEqual(b);
});

test('the least recently used lists go first', async () => {
  const { cache, items } = await lists(3);
  const limit = 2 * LIST;
  await use(items[0]!, cache, limit);
  await age(cache, 100);
  await use(items[1]!, cache, limit);
  await age(cache, 50);
  expect(await use(items[0]!, cache, limit)).toEqual({ decoded: false, fits: true });
  expect(await use(items[2]!, cache, limit)).toEqual({ decoded: true, fits: true });
  expect(await decodedUse(cache)).toEqual({ bytes: limit, files: 2 });
  expect((await use(items[0]!, cache, limit)).decoded).toBe(false);
  expect((await use(items[2]!, cache, limit)).decoded).toBe(false);
  expect((await use(items[1]!, cache, limit)).decoded).toBe(true);
});

test('one list is kept at several sizes, and not taken for another recipe', async () => {
  const { cache, items } = await lists(1);
  await use(items[0]!, cache, 1e9);
  expect((await use(items[0]!, cache, 1e9, 24)).decoded).toBe(true);
  expect((await use(items[0]!, cache, 1e9)).decoded).toBe(false);
  expect((await use(items[0]!, cache, 1e9, 24)).decoded).toBe(false);
  const cubic = { ...decoding, recipe: { ...RECIPE, interpolation: 'bicubic' } as const };
  const store = { folder: cache, limit: 1e9 };
  const third = await openDecoded(items[0]!, cubic, store, () => undefined);
  await third.release();
  expect((await decodedUse(cache)).files).toBe(3);
});

test('what is in use stays, even over the bound', async () => {
  const { cache, items } = await lists(2);
  const held = await openDecoded(items[0]!, decoding, { folder: cache, limit: LIST }, () => 0);
  expect((await use(items[1]!, cache, LIST)).fits).toBe(false);
  expect((await readdir(cache)).filter((name) => name.endsWith('.u8'))).toHaveLength(1);
  await clearDecoded(cache);
  expect(await decodedUse(cache)).toEqual({ bytes: LIST, files: 1 });
  await held.release();
  await clearDecoded(cache);
  expect(await readdir(cache)).toEqual([]);
});

test('another process holds what it uses while it lives, and no longer', async () => {
  const { cache, items } = await lists(1);
  await use(items[0]!, cache, 1e9);
  const [name = ''] = await readdir(cache);
  const leaser = `
    import { leaseDecoded } from ${JSON.stringify(new URL('../../host/trainer/decoded-cache.ts', import.meta.url).href)};
    await leaseDecoded(${JSON.stringify(join(cache, name))});
    process.stdout.write('held');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', leaser]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  expect(await makeRoom(cache, 0, 1)).toBe(false);
  expect((await decodedUse(cache)).files).toBe(1);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  expect(await makeRoom(cache, 0, 1)).toBe(true);
  expect(await readdir(cache)).toEqual([]);
});

test('a forgotten lease does not hold for ever, although its number lives', async () => {
  const { cache, items } = await lists(1);
  await use(items[0]!, cache, 1e9);
  const [name = ''] = await readdir(cache);
  const lease = join(cache, `${name}.${process.pid}-999.lease`);
  await writeFile(lease, '');
  expect(await makeRoom(cache, 0, 1)).toBe(false);
  const then = new Date(Date.now() - 3_600_000);
  await utimes(lease, then, then);
  expect(await makeRoom(cache, 0, 1)).toBe(true);
  expect(await readdir(cache)).toEqual([]);
});

test('half-written files never count as pixels, and are cleared away', async () => {
  const { cache, items } = await lists(2);
  await use(items[0]!, cache, 1e9);
  const [name = ''] = await readdir(cache);
  const whole = await readFile(join(cache, name));
  await writeFile(join(cache, name), whole.subarray(0, LIST - 1));
  // No process has this number: Linux and macOS count to 2^22 at most, Windows in steps of 4.
  await writeFile(join(cache, `${name}.99999999-0.tmp`), whole);
  expect((await use(items[0]!, cache, 1e9)).decoded).toBe(true);
  expect(await readdir(cache)).toEqual([name]);
  expect((await readFile(join(cache, name))).equals(whole)).toBe(true);
});

test('images that do not fit are trained on all the same, and said so; then they go', async () => {
  const job = await loaderJob({ cacheBytes: 10_000 });
  const folder = join(job.cacheFolder, 'decoded');
  const { loader, messages } = await opened(job);
  expect(await all(loader.source('train')!.training(1, 0, 20))).toHaveLength(3);
  const notes = messages.flatMap((message) => (message.type === 'note' ? [message.text] : []));
  expect(notes).toEqual([expect.stringContaining('more than the cache has room for')]);
  expect((await decodedUse(folder)).files).toBe(2);
  await loader.close();
  expect(await decodedUse(folder)).toEqual({ bytes: 3 * 20 * 20 * 3, files: 1 });
  const { messages: roomy } = await opened({ ...job, cacheBytes: 1e9 });
  expect(roomy).toEqual([]);
});

test('carryover cache shows and clears it', async () => {
  const { folder, items } = await lists(1);
  const home = join(folder, 'home');
  expect((await carryover('samples', '--home', home)).code).toBe(0);
  const cache = join(home, 'cache', 'decoded');
  await use(items[0]!, cache, 1e9);
  const shown = await carryover('cache', '--json', '--home', home);
  const info = JSON.parse(shown.stdout) as { limitBytes: number };
  expect(info).toMatchObject({ folder: cache, bytes: LIST, files: 1 });
  expect(info.limitBytes).toBeGreaterThanOrEqual(1e8);
  const text = await carryover('cache', '--home', home);
  expect(text.stdout).toContain('1 image list, in');
  const cleared = await carryover('cache', '--clear', '--json', '--home', home);
  expect(JSON.parse(cleared.stdout)).toMatchObject({ bytes: 0, files: 0 });
  await expect(stat(cache)).resolves.toBeDefined();
  expect(await readdir(cache)).toEqual([]);
});
