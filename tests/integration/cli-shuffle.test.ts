import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import reference from '../reference/shuffle.json' with { type: 'json' };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'carryover-shuffle-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function carryover(...args: string[]) {
  const program = resolve('cli/carryover.ts');
  return spawnSync(process.execPath, [program, 'shuffle', ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
}

interface Shape {
  width: number;
  height: number;
  channels: number;
  bits: number;
}

const spaceOf = ({ channels, bits }: Pick<Shape, 'channels' | 'bits'>) =>
  channels < 3 ? (bits === 16 ? 'grey16' : 'b-w') : bits === 16 ? 'rgb16' : 'srgb';

/** The image of tests/reference/make_shuffle.py, as PNG or TIFF. */
async function picture(name: string, shape: Shape): Promise<void> {
  const { width, height, bits } = shape;
  const channels = shape.channels as 1 | 2 | 3 | 4;
  const plane = width * height;
  const data = new (bits === 16 ? Uint16Array : Uint8Array)(plane * channels);
  for (let i = 0; i < data.length; i++) {
    const value = (i * 7919 + 13) % (bits === 16 ? 65521 : 251);
    data[(i % plane) * channels + Math.floor(i / plane)] = value;
  }
  const image = sharp(data, { raw: { width, height, channels } }).toColourspace(spaceOf(shape));
  const encoded = name.endsWith('.tif') ? image.tiff({ compression: 'lzw' }) : image.png();
  await encoded.toFile(join(folder, name));
}

/** SHA-256 of a picture's values in channel, row, column order; the picture has that shape. */
async function planarHash(name: string, { channels, bits }: Omit<Shape, 'width' | 'height'>) {
  // By content: sharp keeps what it read from a path.
  const bytes = readFileSync(join(folder, name));
  const { depth, channels: stored } = await sharp(bytes).metadata();
  // WebP has no grey.
  expect([stored, depth]).toEqual([
    name.endsWith('.webp') && channels < 3 ? channels + 2 : channels,
    bits === 16 ? 'ushort' : 'uchar',
  ]);
  // As RGB: sharp drops the alpha of 8-bit grey in raw output.
  const image = sharp(bytes).toColourspace(bits === 16 ? 'rgb16' : 'srgb');
  const raw = image.raw({ depth: bits === 16 ? 'ushort' : 'uchar' });
  const { data, info } = await raw.toBuffer({ resolveWithObject: true });
  const values = bits === 16 ? new Uint16Array(new Uint8Array(data).buffer) : data;
  const plane = info.width * info.height;
  const bands = { 1: [0], 2: [0, 3] }[channels] ?? [0, 1, 2, 3].slice(0, channels);
  const planar = new (bits === 16 ? Uint16Array : Uint8Array)(plane * channels);
  for (let i = 0; i < planar.length; i++) {
    planar[i] = values[(i % plane) * info.channels + bands[Math.floor(i / plane)]!]!;
  }
  return createHash('sha256').update(planar).digest('hex');
}

const wanted: [number, number | string, number, number, string][] = [
  [224, 16, 3, 8, 'out.png'],
  [224, 'pixel', 3, 8, 'out.webp'],
  [72, 8, 3, 8, 'out.tiff'],
  [72, 'pixel', 3, 8, 'out.png'],
  [40, 20, 1, 8, 'out.png'],
  [40, 'pixel', 1, 8, 'out.tif'],
  [45, 5, 4, 8, 'alpha.png'],
  [45, 'pixel', 4, 8, 'alpha.webp'],
  [45, 5, 2, 8, 'alpha.tif'],
  [45, 'pixel', 2, 8, 'alpha.png'],
  [45, 5, 2, 8, 'alpha.webp'],
  [45, 5, 1, 16, 'deep.png'],
  [45, 'pixel', 1, 16, 'deep.tif'],
  [45, 5, 2, 16, 'deep.tif'],
  [45, 'pixel', 2, 16, 'deep.png'],
  [45, 5, 3, 16, 'deep.tif'],
  [45, 'pixel', 3, 16, 'deep.png'],
  [45, 5, 4, 16, 'deep.png'],
  [45, 'pixel', 4, 16, 'deep.tif'],
];

describe('the written image is what NumPy makes, value for value', () => {
  test.each(wanted)('width %i, block %s, %i channels of %i bits, to %s', async (...row) => {
    const [width, block, channels, bits, out] = row;
    const { seed, height, sha256 } = reference.cases.find(
      (one) =>
        one.width === width &&
        one.block === block &&
        one.channels === channels &&
        one.bits === bits &&
        one.seed > 0,
    )!;
    const shape = { width, height, channels, bits };
    const input = out.endsWith('.tif') ? 'in.tif' : 'in.png';
    await picture(input, shape);
    const args = ['--block', String(block), '--seed', String(seed), '--out', out, '--json'];
    const result = carryover(input, ...args);
    expect(result.stderr).toBe('');
    const answer = { ...shape, block, seed, out, identity: false, lost: [] };
    expect(JSON.parse(result.stdout)).toMatchObject(answer);
    expect(await planarHash(out, shape)).toBe(sha256);
  });
});

test('the identity is reported', async () => {
  const shape = { width: 224, height: 224, channels: 3, bits: 8 };
  await picture('square.png', shape);
  const args = ['square.png', '--block', '112', '--seed', '0', '--out', 'same.png'];
  expect(carryover(...args).stdout).toContain('identity');
  expect(JSON.parse(carryover(...args, '--json').stdout).identity).toBe(true);
  expect(await planarHash('same.png', shape)).toBe(await planarHash('square.png', shape));
  args[4] = '1';
  expect(carryover(...args).stdout).not.toContain('identity');
});

test('what cannot be kept is said on stderr and in the JSON', async () => {
  const pixels = Buffer.from([1, 2, 3, 4, 5, 6]);
  const image = sharp(pixels, { raw: { width: 2, height: 1, channels: 3 } });
  const turned = image.png().withMetadata({ orientation: 6 });
  writeFileSync(join(folder, 'turned.png'), await turned.toBuffer());
  const result = carryover('turned.png', '--block', '1', '--out', 'upright.png', '--json');
  expect(result.status).toBe(0);
  expect(result.stderr).toContain('loses its EXIF orientation 6 (written upright)');
  expect(result.stderr).toContain('loses its embedded colour profile');
  const { width, height, lost } = JSON.parse(result.stdout);
  expect([width, height]).toEqual([1, 2]);
  expect(lost).toContain('EXIF orientation 6 (written upright)');
});

test('the colours under full transparency are kept', async () => {
  const pixels = Buffer.from([255, 9, 8, 0, 7, 200, 6, 255]);
  const image = sharp(pixels, { raw: { width: 2, height: 1, channels: 4 } });
  await image.png().toFile(join(folder, 'clear.png'));
  for (const out of ['hidden.png', 'hidden.webp', 'hidden.tif']) {
    const result = carryover('clear.png', '--block', '1', '--seed', '1', '--out', out, '--json');
    expect(JSON.parse(result.stdout)).toMatchObject({ channels: 4, lost: [] });
    const values = await sharp(readFileSync(join(folder, out)))
      .raw()
      .toBuffer();
    const whole = [values.subarray(0, 4), values.subarray(4)].map((one) => [...one]);
    expect(whole).toContainEqual([255, 9, 8, 0]);
    expect(whole).toContainEqual([7, 200, 6, 255]);
  }
});

describe('refusals', () => {
  beforeAll(() => picture('oblong.png', { width: 60, height: 40, channels: 3, bits: 8 }));

  test('a block that does not divide both sides: the legal sizes', () => {
    const result = carryover('oblong.png', '--block', '15', '--out', 'no.png');
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('block size 15 does not divide an image of 60 x 40 pixels');
    expect(result.stderr).toContain('legal block sizes: 1, 2, 4, 5, 10, 20; or pixel');
    expect(existsSync(join(folder, 'no.png'))).toBe(false);
  });

  test.each(['no.jpg', 'no.gif', 'no'])('%s would not be lossless', (out) => {
    const result = carryover('oblong.png', '--block', '5', '--out', out);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('way out: give a file that ends in .png, .webp, .tif or .tiff');
    expect(existsSync(join(folder, out))).toBe(false);
  });

  test('16 bits do not fit lossless WebP', async () => {
    await picture('deep-in.png', { width: 6, height: 4, channels: 3, bits: 16 });
    const result = carryover('deep-in.png', '--block', '2', '--out', 'no.webp');
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('16 bits per channel, and lossless WebP holds 8');
    expect(result.stderr).toContain('way out: give a file that ends in .png, .tif or .tiff');
    expect(existsSync(join(folder, 'no.webp'))).toBe(false);
  });

  test('the image itself, by its name or through a link', () => {
    const before = readFileSync(join(folder, 'oblong.png'));
    linkSync(join(folder, 'oblong.png'), join(folder, 'linked.png'));
    for (const out of ['oblong.png', './oblong.png', 'linked.png']) {
      const result = carryover('oblong.png', '--block', '5', '--out', out, '--json');
      expect(result.status).toBe(1);
      expect(JSON.parse(result.stdout).error.code).toBe('conflict');
    }
    expect(readFileSync(join(folder, 'oblong.png'))).toEqual(before);
  });

  test('a missing image, a missing folder, a seed too large', () => {
    const code = (...args: string[]) => {
      const result = carryover(...args, '--json');
      expect(result.status).toBe(1);
      return JSON.parse(result.stdout).error.code;
    };
    expect(code('none.png', '--block', '5', '--out', 'no.png')).toBe('not-found');
    expect(code('oblong.png', '--block', '5', '--out', 'none/no.png')).toBe('io');
    const seed = ['--seed', '4294967295'];
    expect(code('oblong.png', '--block', '5', '--out', 'no.png', ...seed)).toBe('bad-input');
  });

  test.each(['0', 'x', '2.5', 'none'])('the block %s is a usage error', (block) => {
    const result = carryover('oblong.png', '--block', block, '--out', 'no.png');
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('whole number of pixels, or pixel');
  });
});
