import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, crc32 } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import { toGrey } from '../../engine/transforms/colour.ts';
import * as decode from '../../engine/transforms/decode.ts';
import type { Resizing } from '../../engine/transforms/enlarge.ts';
import { wholeFile } from '../../engine/transforms/place.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carryover-decode-'));
});
afterAll(() => rm(folder, { recursive: true }));

const probeImage = (path: string) => decode.probeImage(wholeFile(path));
const decodeOwnSize = (path: string) => decode.decodeOwnSize(wholeFile(path));
const decodeExact = (path: string) => decode.decodeExact(wholeFile(path));
const decodeImage = (path: string, how: Resizing, size: number, channels?: 1 | 3) =>
  decode.decodeImage(wholeFile(path), how, size, channels);

const recipe = { resize: 'stretch', background: '#ffffff' } as const;

async function file(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

async function failure(work: Promise<unknown>): Promise<CarryoverError> {
  const error: unknown = await work.then(
    () => new Error('did not throw'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof CarryoverError) return error;
  throw error;
}

/** A width x height RGB test card: every pixel its own colour. */
function card(width: number, height: number) {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37 + 11) % 256);
  return { data, image: sharp(data, { raw: { width, height, channels: 3 } }) };
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** A PNG header for any size, with the given chunks after IHDR. */
function png(width: number, height: number, ...chunks: Buffer[]): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([signature, chunk('IHDR', header), ...chunks]);
}

/** A little-endian TIFF of one 32-bit float channel. */
function floatTiff(width: number, height: number): Buffer {
  const size = width * height * 4;
  // [tag, type (3 short, 4 long), value]
  const tags = [
    [256, 3, width],
    [257, 3, height],
    [258, 3, 32],
    [259, 3, 1],
    [262, 3, 1],
    [273, 4, 8],
    [277, 3, 1],
    [278, 3, height],
    [279, 4, size],
    [339, 3, 3],
  ] as const;
  const bytes = Buffer.alloc(8 + size + 2 + tags.length * 12 + 4);
  bytes.write('II*\0', 'latin1');
  bytes.writeUInt32LE(8 + size, 4);
  let at = bytes.writeUInt16LE(tags.length, 8 + size);
  for (const [tag, type, value] of tags) {
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(1, at + 4);
    bytes.writeUInt32LE(value, at + 8);
    at += 12;
  }
  return bytes;
}

const noPixels = () => chunk('IDAT', deflateSync(new Uint8Array()));

describe('formats', () => {
  const encoders = {
    png: () => card(40, 30).image.png(),
    webp: () => card(40, 30).image.webp({ lossless: true }),
    tiff: () => card(40, 30).image.tiff({ compression: 'lzw' }),
  };
  test.each(['png', 'webp', 'tiff'] as const)(
    '%s: probed and decoded exactly, whatever its name',
    async (format) => {
      const path = await file(`${format}.txt`, await encoders[format]().toBuffer());
      expect(await probeImage(path)).toEqual({ format, width: 40, height: 30, pages: 1 });
      const own = { data: card(40, 30).data, width: 40, height: 30, channels: 3 };
      expect(await decodeOwnSize(path)).toEqual(own);
      expect(await decodeExact(path)).toEqual({ ...own, lost: [] });
    },
  );

  test('jpeg: close to what was encoded', async () => {
    const flat = sharp({
      create: { width: 32, height: 32, channels: 3, background: { r: 200, g: 40, b: 90 } },
    });
    const path = await file('flat.png', await flat.jpeg({ quality: 100 }).toBuffer());
    expect((await probeImage(path)).format).toBe('jpeg');
    const pixels = await decodeImage(path, recipe, 16);
    expect(pixels.length).toBe(16 * 16 * 3);
    [200, 40, 90].forEach((value, c) => {
      expect(Math.abs(pixels[100 * 3 + c]! - value)).toBeLessThanOrEqual(2);
    });
  });

  test('gif: the first frame of an animation', async () => {
    const frames = Buffer.concat([Buffer.alloc(8 * 8 * 3, 255), Buffer.alloc(8 * 8 * 3, 0)]);
    const animated = sharp(frames, {
      raw: { width: 8, height: 16, channels: 3, pageHeight: 8 },
    });
    const path = await file('two.gif', await animated.gif().toBuffer());
    expect(await probeImage(path)).toEqual({ format: 'gif', width: 8, height: 8, pages: 2 });
    expect(new Set(await decodeImage(path, recipe, 8))).toEqual(new Set([255]));
    expect((await decodeExact(path)).lost).toEqual(['1 further frames or pages']);
  });

  test('png: the frames of an animation are counted', async () => {
    const still = await card(8, 8).image.png().toBuffer();
    const control = chunk('acTL', Buffer.from([0, 0, 0, 3, 0, 0, 0, 0]));
    const animated = Buffer.concat([still.subarray(0, 33), control, still.subarray(33)]);
    const path = await file('three.png', animated);
    expect(await probeImage(path)).toEqual({ format: 'png', width: 8, height: 8, pages: 3 });
    expect((await decodeExact(path)).lost).toEqual(['2 further frames or pages']);
  });

  test('two decodings of one file are the same bytes', async () => {
    const path = await file('same.jpg', await card(90, 70).image.jpeg().toBuffer());
    const [a, b] = await Promise.all([1, 2].map(() => decodeImage(path, recipe, 48)));
    expect(a).toEqual(b);
  });
});

describe('what an image may be like', () => {
  test('EXIF orientation turns the picture and its sides', async () => {
    const left = Buffer.from([10, 20, 30, 200, 210, 220]);
    const image = sharp(left, { raw: { width: 2, height: 1, channels: 3 } });
    const turned = await file(
      'turned.png',
      await image.png().withMetadata({ orientation: 6 }).toBuffer(),
    );
    expect(await probeImage(turned)).toMatchObject({ width: 1, height: 2 });
    const own = await decodeOwnSize(turned);
    expect([own.width, own.height]).toEqual([1, 2]);
    expect([...own.data]).toEqual([10, 20, 30, 200, 210, 220]);
    const exact = await decodeExact(turned);
    expect(exact).toMatchObject(own);
    expect(exact.lost).toContain('EXIF orientation 6 (written upright)');
    const upsideDown = await file(
      'down.png',
      await image.png().withMetadata({ orientation: 8 }).toBuffer(),
    );
    expect([...(await decodeOwnSize(upsideDown)).data]).toEqual([200, 210, 220, 10, 20, 30]);
  });

  test('transparency shows the background', async () => {
    const pixels = Buffer.from([0, 0, 0, 0, 255, 0, 0, 255, 0, 0, 0, 128, 0, 255, 0, 0]);
    const image = sharp(pixels, { raw: { width: 2, height: 2, channels: 4 } });
    const path = await file('alpha.png', await image.png().toBuffer());
    const onBlue = await decodeImage(path, { resize: 'crop', background: '#0000ff' }, 2);
    expect([...onBlue]).toEqual([0, 0, 255, 255, 0, 0, 0, 0, 127, 0, 0, 255]);
    const own = await decodeOwnSize(path);
    expect([...own.data.slice(0, 3)]).toEqual([255, 255, 255]);
    const exact = await decodeExact(path);
    expect([exact.channels, ...exact.data]).toEqual([4, ...pixels]);
    expect(exact.lost).toEqual([]);
  });

  test('16 bits are scaled to 8; grey stays grey at its own size and is RGB for a model', async () => {
    const values = Uint16Array.from([0, 257 * 100, 257 * 200, 65535]);
    const image = sharp(values, { raw: { width: 2, height: 2, channels: 1 } });
    const path = await file('deep.png', await image.toColourspace('grey16').png().toBuffer());
    const own = await decodeOwnSize(path);
    expect(own.channels).toBe(1);
    expect([...own.data]).toEqual([0, 100, 200, 255]);
    const rgb = await decodeImage(path, recipe, 2);
    expect([...rgb]).toEqual([0, 100, 200, 255].flatMap((v) => [v, v, v]));
  });

  test('CMYK becomes sRGB', async () => {
    const red = sharp({
      create: { width: 16, height: 16, channels: 3, background: { r: 220, g: 30, b: 30 } },
    });
    const path = await file('cmyk.jpg', await red.toColourspace('cmyk').jpeg().toBuffer());
    const { channels, lost, data } = await decodeExact(path);
    expect([channels, lost]).toEqual([3, ['CMYK (converted to 8-bit sRGB)']]);
    expect(data[0]).toBeGreaterThan(180);
    expect(data[1]).toBeLessThan(90);
  });

  test('resize: crop takes the middle, fit pads, stretch distorts', async () => {
    // Three squares side by side: red, green, blue.
    const row = (c: number) => [0, 1, 2].map((i) => (i === c ? 255 : 0));
    const line = [0, 1, 2].flatMap((c) => Array.from({ length: 8 }, () => row(c)).flat());
    const data = Buffer.from(Array.from({ length: 8 }, () => line).flat());
    const image = sharp(data, { raw: { width: 24, height: 8, channels: 3 } });
    const path = await file('three.png', await image.png().toBuffer());
    const at = (pixels: Uint8Array, size: number, x: number, y: number) => [
      ...pixels.slice((y * size + x) * 3, (y * size + x) * 3 + 3),
    ];
    const crop = await decodeImage(path, { resize: 'crop', background: '#808080' }, 8);
    expect(at(crop, 8, 0, 0)).toEqual([0, 255, 0]);
    expect(at(crop, 8, 7, 7)).toEqual([0, 255, 0]);
    const fit = await decodeImage(path, { resize: 'fit', background: '#808080' }, 24);
    expect(at(fit, 24, 12, 0)).toEqual([128, 128, 128]);
    expect(at(fit, 24, 12, 12)).toEqual([0, 255, 0]);
    expect(at(fit, 24, 2, 12)).toEqual([255, 0, 0]);
    const stretch = await decodeImage(path, { resize: 'stretch', background: '#808080' }, 24);
    expect(at(stretch, 24, 2, 1)).toEqual([255, 0, 0]);
    expect(at(stretch, 24, 21, 22)).toEqual([0, 0, 255]);
  });

  test('enlarging stays centred and does not blur the side that keeps its length', async () => {
    const grey = (values: number[]) => Buffer.from(values.flatMap((v) => [v, v, v]));
    const raw = { width: 4, height: 1, channels: 3 } as const;
    const path = await file(
      'strip.png',
      await sharp(grey([0, 100, 200, 50]), { raw })
        .png()
        .toBuffer(),
    );
    const first = (pixels: Uint8Array) => [...pixels].filter((_, i) => i % 3 === 0);
    const background = '#112233';
    const stretch = first(await decodeImage(path, { resize: 'stretch', background }, 4));
    expect(stretch).toEqual([1, 2, 3, 4].flatMap(() => [0, 100, 200, 50]));
    const crop = first(await decodeImage(path, { resize: 'crop', background }, 2));
    expect(crop).toEqual([100, 100, 100, 100]);
    const fit = await decodeImage(path, { resize: 'fit', background }, 8);
    const padding = Array.from({ length: 24 }, () => 0x11);
    const line = [0, 25, 75, 125, 175, 163, 88, 50];
    expect(first(fit)).toEqual([...padding, ...line, ...line, ...padding]);
    expect([...fit.slice(0, 3)]).toEqual([0x11, 0x22, 0x33]);
  });

  test('a profile that libpng complains about does not cost the image', async () => {
    const good = await card(8, 8).image.png().toBuffer();
    const broken = chunk(
      'iCCP',
      Buffer.concat([Buffer.from('x\0\0'), deflateSync(Buffer.alloc(9))]),
    );
    const bytes = Buffer.concat([good.subarray(0, 33), broken, good.subarray(33)]);
    expect((await decodeOwnSize(await file('profile.png', bytes))).data).toEqual(card(8, 8).data);
  });
});

describe('the exact values of a file', () => {
  const shapes = ([1, 2, 3, 4] as const).flatMap((channels) =>
    ([8, 16] as const).flatMap((bits) =>
      (['png', 'tiff'] as const).map((format) => ({ channels, bits, format })),
    ),
  );
  test.each(shapes)('$channels channels of $bits bits in a $format', async (shape) => {
    const { channels, bits, format } = shape;
    const highest = bits === 8 ? 251 : 65521;
    const values = Array.from({ length: 7 * 5 * channels }, (_, i) => (i * 7919 + 13) % highest);
    const data = bits === 8 ? Uint8Array.from(values) : Uint16Array.from(values);
    const space = { 8: ['b-w', 'srgb'], 16: ['grey16', 'rgb16'] }[bits][channels < 3 ? 0 : 1]!;
    const image = sharp(data, { raw: { width: 7, height: 5, channels } }).toColourspace(space);
    const encoded = image.toFormat(format, format === 'tiff' ? { compression: 'lzw' } : {});
    const path = await file(`exact.${format}`, await encoded.toBuffer());
    expect(await decodeExact(path)).toEqual({ data, width: 7, height: 5, channels, lost: [] });
  });

  test('a palette is expanded, its transparency to alpha', async () => {
    const header = Buffer.from([0, 0, 0, 3, 0, 0, 0, 1, 8, 3, 0, 0, 0]);
    const bytes = Buffer.concat([
      Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
      chunk('IHDR', header),
      chunk('PLTE', Buffer.from([1, 2, 3, 40, 50, 60, 7, 7, 7])),
      chunk('tRNS', Buffer.from([255, 0, 9])),
      chunk('IDAT', deflateSync(Buffer.from([0, 2, 1, 0]))),
      chunk('IEND', Buffer.alloc(0)),
    ]);
    const { channels, data } = await decodeExact(await file('palette.png', bytes));
    expect([channels, ...data]).toEqual([4, 7, 7, 7, 9, 40, 50, 60, 0, 1, 2, 3, 255]);
  });

  test('an embedded profile is not kept, and is named', async () => {
    const bytes = await card(4, 4).image.withIccProfile('p3').png().toBuffer();
    const { lost } = await decodeExact(await file('p3.png', bytes));
    expect(lost).toEqual(['embedded colour profile (values kept as stored)']);
  });
});

describe('bad files are refused by name and reason', () => {
  const both = async (path: string) => {
    const error = await failure(decodeImage(path, recipe, 8));
    expect(error.message).toContain(path);
    expect(error.detail.file).toBe(path);
    return error;
  };

  test.each([
    ['png', () => card(64, 64).image.png()],
    ['jpeg', () => card(64, 64).image.jpeg()],
    ['webp', () => card(64, 64).image.webp()],
    ['gif', () => card(64, 64).image.gif()],
    ['tiff', () => card(64, 64).image.tiff({ compression: 'lzw' })],
  ] as const)('a truncated %s, cut anywhere', async (format, encode) => {
    const bytes = await encode().toBuffer();
    for (const share of [0.3, 0.6, 0.9]) {
      const path = await file(`cut.${format}`, bytes.subarray(0, Math.floor(bytes.length * share)));
      expect((await both(path)).code).toBe('bad-input');
    }
  });

  test.each([
    ['png', () => card(64, 64).image.png()],
    ['jpeg', () => card(64, 64).image.jpeg({ quality: 95 })],
  ] as const)('a %s with damaged bytes', async (format, encode) => {
    const bytes = await encode().toBuffer();
    const middle = Math.floor(bytes.length / 2);
    bytes.fill(0xff, middle, middle + 40);
    const path = await file(`damaged.${format}`, bytes);
    expect((await both(path)).message).toContain('cannot be decoded');
  });

  test('zero bytes, a folder, a missing file', async () => {
    const empty = await both(await file('empty.png', new Uint8Array()));
    expect([empty.code, empty.message]).toEqual(['bad-input', expect.stringContaining('empty')]);
    await mkdir(join(folder, 'folder.png'), { recursive: true });
    expect((await both(join(folder, 'folder.png'))).message).toContain('not a regular file');
    expect((await both(join(folder, 'missing.png'))).code).toBe('not-found');
    expect((await failure(probeImage(join(folder, 'missing.png')))).code).toBe('not-found');
  });

  test.each([
    ['drawing.png', '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', 'SVG'],
    ['page.jpg', '<!DOCTYPE html><html></html>', 'HTML'],
    ['paper.png', '%PDF-1.4', 'PDF'],
    ['words.png', 'just some words', 'no known image format'],
    ['photo.heic', '\0\0\0\x18ftypheic', 'HEIC'],
  ])('%s that is no image', async (name, content, reason) => {
    const path = await file(name, Buffer.from(content, 'latin1'));
    const error = await both(path);
    expect(error.message).toContain(reason);
    expect(error.detail.wayOut).toContain('PNG');
    expect((await failure(probeImage(path))).message).toContain(reason);
  });

  test('a decompression bomb and a hair-thin image, from their headers', async () => {
    const bomb = await file('bomb.png', png(50_000, 50_000, noPixels()));
    expect((await both(bomb)).message).toMatch(/50000 x 50000 = 2500 megapixels, .*100/);
    expect((await failure(probeImage(bomb))).message).toContain('megapixels');
    const thin = await file('thin.png', png(30_000, 2, noPixels()));
    expect((await both(thin)).message).toContain('1000:1');
  });

  test('floating-point pixels', async () => {
    const bytes = floatTiff(4, 4);
    expect((await both(await file('float.tiff', bytes))).message).toContain('float');
  });
});

test('one channel is the luma of the resized colours', async () => {
  const path = await file('luma.png', await card(9, 7).image.png().toBuffer());
  const rgb = await decodeImage(path, recipe, 6);
  expect(await decodeImage(path, recipe, 6, 1)).toEqual(toGrey(rgb));
});

test('bicubic shrinks and enlarges sharper than bilinear, and keeps flat colours', async () => {
  const edge = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i % 48 < 24 ? 40 : 200));
  const raw = { width: 16, height: 16, channels: 3 } as const;
  const path = await file('edge.png', await sharp(edge, { raw }).png().toBuffer());
  for (const size of [6, 40]) {
    const linear = await decodeImage(path, { ...recipe, interpolation: 'bilinear' }, size);
    const cubic = await decodeImage(path, { ...recipe, interpolation: 'bicubic' }, size);
    expect(linear).toEqual(await decodeImage(path, recipe, size));
    expect([Math.min(...linear), Math.max(...linear)]).toEqual([40, 200]);
    // The cubic kernel's negative lobes overshoot beside an edge.
    expect(Math.min(...cubic)).toBeLessThan(40);
    expect(Math.max(...cubic)).toBeGreaterThan(200);
    expect(cubic[0]).toBe(40);
  }
});
