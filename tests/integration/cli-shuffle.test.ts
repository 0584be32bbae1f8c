import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
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
}

const spaceOf = (channels: number) => (channels === 1 ? 'b-w' : 'srgb');

/** The image of tests/reference/make_shuffle.py as a PNG. */
async function picture(name: string, { width, height, channels }: Shape): Promise<void> {
  const plane = width * height;
  const data = new Uint8Array(plane * channels);
  for (let i = 0; i < data.length; i++) {
    data[(i % plane) * channels + Math.floor(i / plane)] = (i * 7919 + 13) % 251;
  }
  const image = sharp(data, { raw: { width, height, channels: channels === 1 ? 1 : 3 } });
  await image.toColourspace(spaceOf(channels)).png().toFile(join(folder, name));
}

/** SHA-256 of a picture's values in channel, row, column order. */
async function planarHash(name: string, channels: number): Promise<string> {
  // By content: sharp keeps what it read from a path.
  const image = sharp(readFileSync(join(folder, name))).toColourspace(spaceOf(channels));
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  expect(info.channels).toBe(channels);
  const plane = info.width * info.height;
  const planar = data.map((_, i) => data[(i % plane) * channels + Math.floor(i / plane)]!);
  return createHash('sha256').update(planar).digest('hex');
}

const wanted: [number, number | string, string][] = [
  [224, 16, 'out.png'],
  [224, 'pixel', 'out.webp'],
  [72, 8, 'out.tiff'],
  [72, 'pixel', 'out.png'],
  [40, 20, 'out.png'],
  [40, 'pixel', 'out.tif'],
];

describe('the written image is what NumPy makes, byte for byte', () => {
  test.each(wanted)('width %i, block %s, to %s', async (width, block, out) => {
    const found = reference.cases.find(
      (one) => one.width === width && one.block === block && one.seed > 0,
    )!;
    const { seed, height, channels, sha256 } = found;
    await picture('in.png', { width, height, channels });
    const args = ['--block', String(block), '--seed', String(seed), '--out', out, '--json'];
    const result = carryover('in.png', ...args);
    expect(result.stderr).toBe('');
    const answer = { width, height, channels, block, seed, out, identity: false, lost: [] };
    expect(JSON.parse(result.stdout)).toMatchObject(answer);
    expect(await planarHash(out, channels)).toBe(sha256);
  });
});

test('the identity is reported', async () => {
  await picture('square.png', { width: 224, height: 224, channels: 3 });
  const args = ['square.png', '--block', '112', '--seed', '0', '--out', 'same.png'];
  expect(carryover(...args).stdout).toContain('identity');
  expect(JSON.parse(carryover(...args, '--json').stdout).identity).toBe(true);
  expect(await planarHash('same.png', 3)).toBe(await planarHash('square.png', 3));
  args[4] = '1';
  expect(carryover(...args).stdout).not.toContain('identity');
});

test('what cannot be kept is said on stderr', async () => {
  const pixels = Buffer.from([255, 0, 0, 255, 0, 0, 0, 0]);
  const image = sharp(pixels, { raw: { width: 2, height: 1, channels: 4 } });
  await image.png().toFile(join(folder, 'clear.png'));
  const result = carryover('clear.png', '--block', '1', '--out', 'opaque.png');
  expect(result.status).toBe(0);
  expect(result.stderr).toContain('transparency (composited on white)');
  const values = await sharp(join(folder, 'opaque.png')).raw().toBuffer();
  expect([...values].sort((a, b) => a - b)).toEqual([0, 0, 255, 255, 255, 255]);
});

describe('refusals', () => {
  beforeAll(() => picture('oblong.png', { width: 60, height: 40, channels: 3 }));

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
