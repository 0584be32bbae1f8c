import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import { scanSource } from '../../host/datasets/scan.ts';
import { bitmap, blackPng, picture, pictures, put, temporaryFolder } from './datasets-folder.ts';

async function reportOf(root: string) {
  return (await scanSource(null, root)).report;
}

async function reasons(root: string): Promise<Record<string, string>> {
  const { skipped } = await reportOf(root);
  return Object.fromEntries(skipped.map(({ path, reason }) => [path, reason]));
}

describe('layout', () => {
  test('class/image: one domain named all, classes in code-unit order', async () => {
    const root = temporaryFolder();
    await pictures(root, [''], ['ant', 'Zebra', '10', '2'], 2);
    const report = await reportOf(root);
    expect(report).toMatchObject({
      root,
      reading: { format: 'folders', levels: ['class'] },
      task: 'single-label',
      splits: {},
      images: 8,
      classNames: ['10', '2', 'Zebra', 'ant'],
      domainNames: ['all'],
      counts: [[2, 2, 2, 2]],
      skipped: [],
    });
  });

  test('domain/class/image, and deeper: the first folder is the domain, the last the class', async () => {
    const root = temporaryFolder();
    await pictures(root, ['photo', 'sketch'], ['cat', 'dog'], 2);
    put(root, 'sketch/2024/batch 1/dog/x.png', await picture(99));
    const report = await reportOf(root);
    expect(report.reading).toEqual({ format: 'folders', levels: ['domain', 'class'] });
    expect(report.domainNames).toEqual(['photo', 'sketch']);
    expect(report.counts).toEqual([
      [2, 2],
      [2, 3],
    ]);
  });

  test('mixed depth is explained, and images without a class are skipped, not guessed', async () => {
    const root = temporaryFolder();
    await pictures(root, ['photo', 'sketch'], ['cat', 'dog'], 2);
    put(root, 'photo/stray.png', await picture(50));
    put(root, 'top.png', await picture(51));
    const report = await reportOf(root);
    expect(report.images).toBe(8);
    expect(report.skipped).toEqual([
      {
        path: 'photo/stray.png',
        reason: 'image directly in the domain folder "photo", in no class folder',
      },
      { path: 'top.png', reason: 'image in no class folder' },
    ]);
    expect(report.warnings.join()).toContain('mixed depth');
  });

  test('a few deeper images do not turn classes into domains', async () => {
    const root = temporaryFolder();
    await pictures(root, [''], ['cat', 'dog'], 3);
    put(root, 'more/dog/x.png', await picture(60));
    const report = await reportOf(root);
    expect(report.reading).toEqual({ format: 'folders', levels: ['class'] });
    expect(report.counts).toEqual([[3, 4]]);
    expect(report.warnings.join()).toContain('mixed depth');
  });

  test('folders named like splits are the splits as given', async () => {
    const root = temporaryFolder();
    await pictures(root, ['train', 'val', 'test'], ['cat', 'dog'], 2);
    const report = await reportOf(root);
    expect(report.reading).toEqual({ format: 'folders', levels: ['split', 'class'] });
    expect(report.splits).toEqual({ train: 4, validation: 4, test: 4 });
    expect(report.domainNames).toEqual(['all']);
  });

  test('a reading that was chosen is followed', async () => {
    const root = temporaryFolder();
    await pictures(root, ['scanner 1', 'scanner 2'], ['cat', 'dog'], 2);
    const scan = await scanSource(null, root, {
      format: 'folders',
      levels: [{ attribute: 'scanner' }, 'class'],
    });
    expect(scan.report).toMatchObject({ attributeNames: ['scanner'], domainNames: ['all'] });
    expect(scan.images[0]).toMatchObject({ label: 'cat', attributes: { scanner: 'scanner 1' } });
  });
});

describe('files', () => {
  test('all six formats are taken, by content; another extension is a warning', async () => {
    const root = temporaryFolder();
    for (const [i, format] of (['png', 'jpeg', 'webp', 'gif', 'tiff'] as const).entries()) {
      put(root, `a/${i}.${format}`, await picture(i, format));
    }
    put(root, 'a/b.bmp', bitmap(10, 8, 200));
    put(root, 'b/really-a-jpeg.png', await picture(9, 'jpeg'));
    put(root, 'b/no-extension', await picture(10));
    const { images, report } = await scanSource(null, root);
    expect(Object.fromEntries(images.map(({ path, format }) => [path, format]))).toEqual({
      'a/0.png': 'png',
      'a/1.jpeg': 'jpeg',
      'a/2.webp': 'webp',
      'a/3.gif': 'gif',
      'a/4.tiff': 'tiff',
      'a/b.bmp': 'bmp',
      'b/no-extension': 'png',
      'b/really-a-jpeg.png': 'jpeg',
    });
    expect(images.find(({ path }) => path === 'a/b.bmp')).toMatchObject({ width: 10, height: 8 });
    const mislabelled = report.warnings.filter((text) =>
      text.includes('b/really-a-jpeg.png is jpeg'),
    );
    expect(mislabelled).toHaveLength(1);
    expect(mislabelled[0]).toMatch(/^1 file /);
  });

  test('what does not decode to its end is skipped with its reason', async () => {
    const root = temporaryFolder();
    await pictures(root, [''], ['good'], 2);
    const png = await picture(1, 'png', [200, 200]);
    const jpeg = await picture(2, 'jpeg', [200, 200]);
    const corrupt = Buffer.from(png);
    const middle = Math.floor(png.length / 2);
    corrupt.fill(0xaa, middle, middle + 40);
    put(root, 'bad/corrupt.png', corrupt);
    const large = await picture(3, 'jpeg', [700, 500]);
    put(root, 'bad/large.jpg', large.subarray(0, large.length * 0.9));
    put(root, 'bad/truncated.png', png.subarray(0, png.length * 0.7));
    put(root, 'bad/truncated.jpg', jpeg.subarray(0, jpeg.length * 0.7));
    put(root, 'bad/truncated.bmp', bitmap(40, 40, 1).subarray(0, 2000));
    put(root, 'bad/header only.png', png.subarray(0, 40));
    put(root, 'bad/zero.png', '');
    put(root, 'bad/notes.txt', 'not an image');
    put(root, 'bad/notes.png', 'not an image either');
    put(root, 'bad/drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>');
    const found = await reasons(root);
    expect(Object.keys(found)).toHaveLength(10);
    expect(found['bad/zero.png']).toBe('empty file (0 bytes)');
    expect(found['bad/notes.txt']).toContain('no known image format');
    expect(found['bad/notes.png']).toContain('no known image format');
    expect(found['bad/drawing.svg']).toContain('SVG');
    for (const name of [
      'corrupt.png',
      'large.jpg',
      'truncated.png',
      'truncated.jpg',
      'header only.png',
    ]) {
      expect(found[`bad/${name}`]).toContain('cannot be decoded');
    }
    expect(found['bad/truncated.bmp']).toContain('truncated');
    expect(JSON.stringify(found)).not.toContain(root);
  });

  test('decompression bombs are refused by their size, before they are unpacked', async () => {
    const root = temporaryFolder();
    await pictures(root, [''], ['good'], 1);
    const claims = await picture(1);
    claims.writeUInt32BE(60_000, 16);
    claims.writeUInt32BE(60_000, 20);
    put(root, 'bomb/claims.png', claims);
    const real = blackPng(20_000);
    expect(real.length).toBeLessThan(300_000);
    put(root, 'bomb/real.png', real);
    const found = await reasons(root);
    expect(found['bomb/claims.png']).toMatch(/60000 x 60000/);
    expect(found['bomb/real.png']).toMatch(/20000 x 20000 = 400 megapixels/);
  });

  test('animations and multi-page files: the first frame, with a word about it', async () => {
    const root = temporaryFolder();
    const frames = Buffer.alloc(8 * 16 * 3);
    frames.fill(255, 0, 8 * 8 * 3);
    const raw = { width: 8, height: 16, channels: 3, pageHeight: 8 } as const;
    put(
      root,
      'a/moving.gif',
      await sharp(frames, { raw })
        .gif({ delay: [90, 90] })
        .toBuffer(),
    );
    const { images, report } = await scanSource(null, root);
    expect(images[0]).toMatchObject({ pages: 2, width: 8, height: 8 });
    expect(report.warnings.join()).toContain('the first is used: a/moving.gif');
  });
});

describe('names', () => {
  test('spaces, quotes, emoji, newlines and very long names work', async () => {
    const root = temporaryFolder();
    const names = [
      "it's a 'cat'.png",
      'say "hi".png',
      '🐈‍⬛ Ünïcode 猫.png',
      'two\nlines.png',
      ' leading and trailing .png',
      '100%_#?*[x]\\.png',
      `${'long'.repeat(62)}.png`,
    ];
    for (const [i, name] of names.entries()) put(root, `cats & dogs/${name}`, await picture(i));
    const { images, report } = await scanSource(null, root);
    expect(report.skipped).toEqual([]);
    expect(new Set(images.map(({ path }) => path))).toEqual(
      new Set(names.map((name) => `cats & dogs/${name}`)),
    );
  });

  test.skipIf(process.platform !== 'linux')('a name that is no UTF-8 is skipped', async () => {
    const root = temporaryFolder();
    await pictures(root, [''], ['a'], 1);
    const name = Buffer.concat([Buffer.from(join(root, 'a/')), Buffer.from([0xff, 0xfe, 0x2e])]);
    linkSync(join(root, 'a/0.png'), name);
    expect(Object.values(await reasons(root))).toEqual(['its name is not valid UTF-8']);
  });

  test('hidden files are named, droppings of file managers are not', async () => {
    const root = temporaryFolder();
    await pictures(root, [''], ['a'], 1);
    put(root, 'a/.hidden.png', await picture(7));
    put(root, '.git/x.png', await picture(8));
    put(root, '__MACOSX/a/._0.png', await picture(9));
    for (const name of ['.DS_Store', 'Thumbs.db', 'desktop.ini']) put(root, `a/${name}`, 'x');
    expect(await reasons(root)).toEqual({
      '.git': 'hidden folder',
      __MACOSX: 'left by a zip program of macOS',
      'a/.hidden.png': 'hidden file',
    });
  });
});

describe('links and folders', () => {
  test('links to files inside are followed; loops, outsiders and dead links are reported', async () => {
    const outside = temporaryFolder();
    put(outside, 'secret.png', await picture(70));
    const root = temporaryFolder();
    await pictures(root, [''], ['a', 'b'], 1);
    symlinkSync('../a/0.png', join(root, 'b/inside.png'));
    symlinkSync(join(outside, 'secret.png'), join(root, 'b/outside.png'));
    symlinkSync('loop.png', join(root, 'b/loop.png'));
    symlinkSync('nowhere.png', join(root, 'b/dead.png'));
    symlinkSync('..', join(root, 'b/up'));
    symlinkSync(root, join(root, 'round'));
    const report = await reportOf(root);
    expect(report.images).toBe(3);
    expect(report.duplicates).toEqual([['a/0.png', 'b/inside.png']]);
    expect(report.conflicts).toEqual([
      { paths: ['a/0.png', 'b/inside.png'], classes: ['a', 'b'], files: 2 },
    ]);
    expect(Object.fromEntries(report.skipped.map(({ path, reason }) => [path, reason]))).toEqual({
      'b/dead.png': 'symbolic link to nothing',
      'b/loop.png': 'symbolic link that leads back to itself',
      'b/outside.png': 'symbolic link to a file outside of the folder',
      'b/up': 'symbolic link to a folder (links to folders are not followed)',
      round: 'symbolic link to a folder (links to folders are not followed)',
    });
  });

  test.skipIf(process.platform === 'win32')('a pipe is skipped, not waited for', async () => {
    const root = temporaryFolder();
    await pictures(root, [''], ['a'], 1);
    execFileSync('mkfifo', [join(root, 'a/pipe.png')]);
    expect(await reasons(root)).toEqual({ 'a/pipe.png': 'not a regular file' });
  });

  test('a folder reached through a link is the same folder', async () => {
    const root = temporaryFolder();
    await pictures(root, [''], ['a', 'b'], 1);
    const link = join(temporaryFolder(), 'link');
    symlinkSync(root, link);
    expect((await scanSource(null, link)).root).toBe(root);
  });

  test.each<[string, (root: string) => string, string, RegExp]>([
    ['an empty folder', (root) => root, 'bad-input', /is empty$/],
    ['a missing folder', (root) => join(root, 'none'), 'not-found', /there is no folder .*none/],
    ['a file of no kind', (root) => put(root, 'x.png', 'x'), 'bad-input', /x\.png holds no image/],
    ['a path through a file', (root) => join(put(root, 'f', ''), 'x'), 'io', /f.x/],
    [
      'no image',
      (root) => (put(root, 'a/readme.md', 'x'), root),
      'bad-input',
      /no image that can be taken; 1 file found, skipped: a\/readme\.md \(/,
    ],
    ['only empty folders', (root) => (mkdirSync(join(root, 'a')), root), 'bad-input', /is empty/],
  ])('%s is refused with the way out', async (_, make, code, message) => {
    const failure = await scanSource(null, make(temporaryFolder())).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(CarryoverError);
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
    expect((failure as CarryoverError).detail.wayOut).toBeTruthy();
  });

  test.each([
    ['train-images-idx3-ubyte.gz', /^give the folder that holds the images/],
    ['labels.csv', /^give the folder that holds the images/],
    ['arrays.npz', /^save train_images with train_labels/],
  ])('%s alone: the way out is one for such a file', async (name, wayOut) => {
    const root = temporaryFolder();
    put(root, name, 'image,label\ngone.png,cat\n');
    await expect(scanSource(null, join(root, name))).rejects.toMatchObject({
      code: 'bad-input',
      detail: { wayOut: expect.stringMatching(wayOut) as string },
    });
  });

  test('images in no folder at all are refused', async () => {
    const root = temporaryFolder();
    put(root, 'loose.png', await picture(1));
    await expect(scanSource(null, root)).rejects.toThrow(
      'no image that can be taken; 1 file found',
    );
  });

  test('a scan changes nothing in the folder', async () => {
    const root = temporaryFolder();
    await pictures(root, ['x'], ['a', 'b'], 2);
    const before = readdirSync(root, { recursive: true }).sort();
    await scanSource(null, root);
    expect(readdirSync(root, { recursive: true }).sort()).toEqual(before);
  });
});

describe('what the report warns of', () => {
  test('one class only, small classes, names that differ in little, no groups', async () => {
    const one = temporaryFolder();
    await pictures(one, [''], ['cat'], 2);
    expect((await reportOf(one)).warnings.join('\n')).toContain('one class only (cat)');

    const root = temporaryFolder();
    await pictures(root, [''], ['Cat', 'cat'], 1);
    await pictures(root, [''], ['zebra'], 12);
    const text = (await reportOf(root)).warnings.join('\n');
    expect(text).toContain('2 classes have fewer than 10 images: Cat, cat');
    expect(text).toContain('classes that differ in little: Cat, cat');
    expect(text).toContain('ungrouped');
  });

  test('an unfilled combination of domain and class', async () => {
    const root = temporaryFolder();
    await pictures(root, ['x', 'y'], ['a'], 1);
    put(root, 'x/b/1.png', await picture(40));
    expect((await reportOf(root)).warnings.join()).toContain('1 of 4 combinations');
  });
});

test('progress counts every file, and an abort ends the scan with its reason', async () => {
  const root = temporaryFolder();
  await pictures(root, [''], ['a', 'b'], 20);
  const seen: number[] = [];
  await scanSource(null, root, null, {
    onProgress: ({ phase, done, total }) => {
      if (phase !== 'reading images') return;
      expect(total).toBe(40);
      seen.push(done);
    },
  });
  expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));

  const controller = new AbortController();
  const reason = new CarryoverError('cancelled', 'enough');
  let done = 0;
  const scan = scanSource(null, root, null, {
    signal: controller.signal,
    onProgress: (progress) => {
      done = progress.done;
      if (progress.phase === 'reading images' && done === 5) controller.abort(reason);
    },
  });
  await expect(scan).rejects.toBe(reason);
  expect(done).toBeLessThan(40);
});
