import { watch } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { lumaOf } from '../../engine/transforms/colour.ts';
import { shufflePermutation } from '../../engine/transforms/shuffle.ts';
import type { ThumbnailSide } from '../../host/media/thumbnails.ts';
import { thumbnailPath } from '../../host/media/thumbnails.ts';
import type { TestServer } from './http-support.ts';
import { failureOf, importImages, openServer, patternPng } from './http-support.ts';

const WIDE = 'cats/wide one, "quoted" 🐈.png';
const SMALL = 'dogs/small.png';

async function withImages(more: Record<string, Uint8Array> = {}) {
  const server = await openServer();
  const files = { [WIDE]: await patternPng(200, 100), [SMALL]: await patternPng(48, 48), ...more };
  const { root, ids } = await importImages(server, files);
  return { ...server, root, wide: ids.get(WIDE)!, small: ids.get(SMALL)!, ids };
}

async function pixelsOf(png: Buffer): Promise<{ data: Buffer; width: number; height: number }> {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  expect(info.channels).toBe(3);
  return { data, width: info.width, height: info.height };
}

/** Files in the thumbnail cache, relative to it. */
async function cached({ context }: Pick<TestServer, 'context'>): Promise<string[]> {
  const files = await readdir(join(context.home.cache, 'thumbnails'), { recursive: true });
  return files.filter((name) => name.includes('.')).sort();
}

function cachePath({ db, home }: TestServer['context'], id: number, side: ThumbnailSide): string {
  const sha256 = db.prepare('SELECT sha256 FROM images WHERE id = ?').pluck().get(id);
  return thumbnailPath(home.cache, String(sha256), side);
}

describe('thumbnails', () => {
  test('fit the width asked for, keep their shape and are never enlarged', async () => {
    const { ask, wide, small } = await withImages();
    const sizes: [number, number, number, number][] = [
      [wide, 64, 64, 32],
      [wide, 128, 128, 64],
      [wide, 256, 200, 100],
      [wide, 512, 200, 100],
      [small, 64, 48, 48],
    ];
    for (const [id, w, width, height] of sizes) {
      const reply = await ask(`/media/images/${id}?w=${w}`);
      expect(reply.headers['content-type']).toBe('image/webp');
      expect(await sharp(reply.data).metadata()).toMatchObject({ format: 'webp', width, height });
    }
    const usual = await ask(`/media/images/${wide}`);
    expect(await sharp(usual.data).metadata()).toMatchObject({ width: 200, height: 100 });
  });

  test('stand upright, whatever the camera says', async () => {
    const turned = await sharp(await patternPng(60, 30))
      .jpeg()
      .withMetadata({ orientation: 6 });
    const { ask, ids } = await withImages({ 'cats/turned.jpg': await turned.toBuffer() });
    const reply = await ask(`/media/images/${ids.get('cats/turned.jpg')}?w=64`);
    expect(await sharp(reply.data).metadata()).toMatchObject({ width: 30, height: 60 });
  });

  test('are kept in the cache, revalidated by ETag and made anew when the cache goes', async () => {
    const { ask, wide, context } = await withImages();
    const address = `/media/images/${wide}?w=64`;
    const first = await ask(address);
    const [name] = await cached({ context });
    expect(name).toMatch(/^([0-9a-f]{2})[/\\]\1[0-9a-f]{62}-64\.webp$/);
    expect(await readFile(join(context.home.cache, 'thumbnails', name!))).toEqual(first.data);

    const again = await ask(address, { headers: { 'if-none-match': first.headers.etag! } });
    expect([again.status, again.data.length]).toEqual([304, 0]);
    const other = await ask(`/media/images/${wide}?w=128`);
    expect(other.headers.etag).not.toBe(first.headers.etag);

    await rm(context.home.cache, { recursive: true });
    expect((await ask(address)).data).toEqual(first.data);
    expect(await cached({ context })).toEqual([name]);
  });

  test('come from the cache without another look at the original', async () => {
    const { ask, wide, context, root } = await withImages();
    const path = cachePath(context, wide, 64);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, 'kept earlier');
    await rm(join(root, WIDE));
    expect((await ask(`/media/images/${wide}?w=64`)).text).toBe('kept earlier');
  });

  test('asked for many times at once are made once', async () => {
    const { ask, wide, context } = await withImages();
    const path = cachePath(context, wide, 128);
    await mkdir(dirname(path), { recursive: true });
    const written = new Set<string>();
    const watcher = watch(dirname(path), (_event, name) => written.add(String(name)));
    onTestFinished(() => watcher.close());
    const asked = Array.from({ length: 12 }, () => ask(`/media/images/${wide}?w=128`));
    const replies = await Promise.all(asked);
    for (const { status, data } of replies) {
      expect(status).toBe(200);
      expect(data).toEqual(replies[0]!.data);
    }
    await writeFile(join(dirname(path), 'last'), '');
    await vi.waitFor(() => expect(written).toContain('last'), 30_000);
    // Every thumbnail that is made goes through a temporary file of its own.
    expect([...written].filter((name) => name.endsWith('.tmp'))).toHaveLength(1);
  });

  test('are shown when the cache cannot be written', async () => {
    const { ask, wide, context } = await withImages();
    await rm(context.home.cache, { recursive: true });
    await writeFile(context.home.cache, 'a file where the folder should be');
    expect((await ask(`/media/images/${wide}?w=64`)).status).toBe(200);
  });
});

describe('originals', () => {
  test('come as PNG at their own size, pixel by pixel', async () => {
    const { ask, wide, root } = await withImages();
    const reply = await ask(`/media/images/${wide}/original`);
    expect(reply.headers['content-type']).toBe('image/png');
    const shown = await pixelsOf(reply.data);
    expect([shown.width, shown.height]).toEqual([200, 100]);
    expect(shown.data).toEqual((await pixelsOf(await readFile(join(root, WIDE)))).data);
  });

  test('a file that has gone, changed or become a way out of its folder is not opened', async () => {
    const { ask, wide, small, root, folder } = await withImages();
    const address = `/media/images/${small}/original`;
    const file = join(root, SMALL);
    const before = await readFile(file);

    const after = Buffer.from(before);
    after[after.length - 20]! ^= 1;
    await writeFile(file, after);
    const changed = await ask(address);
    expect(changed.status).toBe(409);
    expect(failureOf(changed)).toMatchObject({ code: 'conflict', detail: { file } });
    expect(failureOf(changed).detail?.wayOut).toContain('import the folder again');
    expect((await ask(`/media/images/${small}?w=64`)).status).toBe(409);
    expect((await ask(`/media/images/${small}/shuffled?size=48&block=24`)).status).toBe(409);

    await writeFile(file, Buffer.concat([before, before]));
    expect((await ask(address)).status).toBe(409);

    await rm(file);
    const missing = await ask(address);
    expect(missing.status).toBe(404);
    expect(failureOf(missing).message).toContain(SMALL);

    await writeFile(join(folder, 'same-bytes.png'), before);
    await symlink(join(folder, 'same-bytes.png'), file);
    expect((await ask(address)).status).toBe(404);

    await rm(file);
    await mkdir(file);
    expect((await ask(address)).status).toBe(409);
    await rm(file, { recursive: true });
    await writeFile(file, before);
    expect((await ask(address)).status).toBe(200);

    await rename(root, `${root}-elsewhere`);
    expect((await ask(`/media/images/${wide}/original`)).status).toBe(404);
    await symlink(`${root}-elsewhere`, root);
    expect((await ask(`/media/images/${wide}/original`)).status).toBe(200);
  });

  test('unknown ids and odd queries are refused by name', async () => {
    const { ask, wide } = await withImages();
    expect((await ask('/media/images/999999')).status).toBe(404);
    const wrong = {
      [`${wide}?w=63`]: 'w',
      [`${wide}?w=`]: 'w',
      [`${wide}?width=64`]: 'width',
      [`${wide}/original?w=64`]: 'w',
      [`${wide}/shuffled?block=8`]: 'size',
      [`${wide}/shuffled?size=48&block=-8`]: 'block',
      [`${wide}/shuffled?size=2000&block=8`]: 'size',
      [`${wide}/shuffled?size=48&block=8&seed=1e3`]: 'seed',
      [`${wide}/input`]: 'run',
    };
    for (const [address, key] of Object.entries(wrong)) {
      const reply = await ask(`/media/images/${address}`);
      expect(reply.status, address).toBe(400);
      expect(failureOf(reply).message, address).toContain(key);
    }
    for (const address of ['', 'abc', '-1', '1.5', `${wide}/other`, `${wide}/original/x`]) {
      expect((await ask(`/media/images/${address}`)).status, address).toBe(404);
    }
  });
});

describe('shuffled views', () => {
  test('show the block that the permutation names, at every place', async () => {
    const { ask, small } = await withImages();
    const [size, block, seed] = [48, 12, 3];
    const address = `/media/images/${small}/shuffled?size=${size}&block=${block}&seed=${seed}`;
    const { data, width, height } = await pixelsOf((await ask(address)).data);
    expect([width, height]).toEqual([size, size]);
    const { permutation, identity } = shufflePermutation(block, size, 3, seed)!;
    expect(identity).toBe(false);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const from = permutation[Math.floor(y / block) * 4 + Math.floor(x / block)]!;
        const row = Math.floor(from / 4) * block + (y % block);
        const column = (from % 4) * block + (x % block);
        const at = (y * size + x) * 3;
        expect([...data.subarray(at, at + 3)]).toEqual([column, row, column + row]);
      }
    }
  });

  test('pixel shuffle keeps every value and moves them over channels too', async () => {
    const { ask, small } = await withImages();
    const view = async (block: string) =>
      (await pixelsOf((await ask(`/media/images/${small}/shuffled?size=48&block=${block}`)).data))
        .data;
    const [plain, shuffled] = [await view('none'), await view('pixel')];
    expect([...shuffled].sort()).toEqual([...plain].sort());
    const plane = 48 * 48;
    const { permutation } = shufflePermutation('pixel', 48, 3, 0)!;
    const planar = (at: number): number => (at % plane) * 3 + Math.floor(at / plane);
    for (let i = 0; i < permutation.length; i++) {
      expect(shuffled[planar(i)]).toBe(plain[planar(permutation[i]!)]);
    }
  });

  test('a block that does not divide the size is refused with the sizes that do', async () => {
    const { ask, small } = await withImages();
    const reply = await ask(`/media/images/${small}/shuffled?size=48&block=7`);
    expect(reply.status).toBe(400);
    expect(failureOf(reply).detail?.wayOut).toContain('1, 2, 3, 4, 6, 8, 12, 16, 24, 48');
  });

  test('input shows what the run sees: its size, resize, background, shuffle and seed', async () => {
    const { ask, wide, context } = await withImages();
    const spec = {
      recipe: { resize: 'fit', background: '#102030' },
      architecture: { name: 'fixup-resnet10', image: 32 },
      shuffle: 'none',
      seed: 5,
    };
    insertRun(context, 'r-plain', spec);
    insertRun(context, 'r-shuffled', { ...spec, shuffle: 16 });
    const address = (run: string) => `/media/images/${wide}/input?run=${run}`;
    const plain = await pixelsOf((await ask(address('r-plain'))).data);
    expect([plain.width, plain.height]).toEqual([32, 32]);
    expect([...plain.data.subarray(0, 3)]).toEqual([0x10, 0x20, 0x30]);

    const shuffled = await pixelsOf((await ask(address('r-shuffled'))).data);
    const { permutation } = shufflePermutation(16, 32, 3, 5)!;
    const corner = (block: number): number => ((block >> 1) * 16 * 32 + (block & 1) * 16) * 3;
    for (let block = 0; block < 4; block++) {
      const [to, from] = [corner(block), corner(permutation[block]!)];
      expect(shuffled.data.subarray(to, to + 48)).toEqual(plain.data.subarray(from, from + 48));
    }
    const cropped = { augment: { 'random-resized-crop': {} }, resize: 'stretch' };
    const smaller = { ...spec.architecture, image: 16 };
    insertRun(context, 'r-cropped', { ...spec, recipe: cropped, architecture: smaller });
    const centre = await pixelsOf((await ask(address('r-cropped'))).data);
    expect([centre.width, centre.height]).toEqual([16, 16]);
    // Stored at 19 x 19 (8/7 of 16), of which one or two columns are cut off at each side.
    expect(centre.data[0]).toBeGreaterThan(200 / 19);
    expect(centre.data[15 * 3]).toBeLessThan(200 - 200 / 19);

    const grey = { ...spec.architecture, channels: 1 };
    insertRun(context, 'r-grey', { ...spec, architecture: grey });
    const seen = await pixelsOf((await ask(address('r-grey'))).data);
    expect([...seen.data.subarray(0, 3)]).toEqual(Array(3).fill(lumaOf(0x10, 0x20, 0x30)));

    const none = await ask(address('r-none'));
    expect(none.status).toBe(404);
    expect(failureOf(none).message).toContain('r-none');
  });
});

test('input understands the runs of a real study', async () => {
  const patterns = await Promise.all(
    [40, 41, 42, 43, 44, 45].map((side) => patternPng(side, side)),
  );
  const files = patterns.map((data, i) => [`${i < 3 ? 'cats' : 'dogs'}/${i}.png`, data] as const);
  const server = await withImages(Object.fromEntries(files));
  const created = await server.call('studies.create', { yaml: STUDY });
  if (!created.ok) throw new Error(created.error.message);
  const views = new Map<string, string>();
  for (const { id, kind, shuffle } of created.value.plan.runs) {
    if (kind === 'pretraining') continue;
    const reply = await server.ask(`/media/images/${server.small}/input?run=${id}`);
    const { data, width } = await pixelsOf(reply.data);
    expect(width).toBe(16);
    views.set(shuffle, data.toString('hex'));
  }
  expect([...views.keys()].sort()).toEqual(['8', 'none', 'pixel']);
  expect(new Set(views.values()).size).toBe(3);
});

const STUDY = `
name: inputs
data: { set: images, split: { train: 0.5, test: 0.5, grouped: false } }
architecture: { name: fixup-resnet10, width: 4, image: 16 }
arms: { RI-T: { init: random } }
seeds: [7]
shuffles: [none, 8, pixel]
training: { epochs: 1, lr: { peak: 0.01 } }
`;

function insertRun({ db }: TestServer['context'], id: string, spec: object): void {
  db.prepare(
    `INSERT INTO runs (id, kind, arm, spec_json, dataset_id, dataset_hash, architecture, seed,
       shuffle, epochs, device, versions_json, status, notes_json, created_at)
     SELECT ?, 'target', 'RI-T', ?, id, content_hash, 'fixup-resnet10', 5, '16', 1, 'cpu', '{}',
       'planned', '[]', '2026-01-01T00:00:00Z' FROM datasets`,
  ).run(id, JSON.stringify(spec));
}
