import fc from 'fast-check';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bmpSize, decodeBmp } from '../../engine/transforms/bmp.ts';
import {
  decodeExact,
  decodeImage,
  decodeOwnSize,
  probeImage,
} from '../../engine/transforms/decode.ts';
import { wholeFile } from '../../engine/transforms/place.ts';

interface Parts {
  width: number;
  /** Negative: rows from the top. */
  height: number;
  bits: number;
  compression?: number;
  header?: number;
  masks?: number[];
  /** [red, green, blue] entries. */
  palette?: number[][];
  /** Bytes of each stored row, in file order, without padding. */
  rows: number[][];
}

function bmp({ width, height, bits, compression = 0, header = 40, ...rest }: Parts): Buffer {
  const { masks = [], palette = [], rows } = rest;
  const info = Buffer.alloc(header);
  info.writeUInt32LE(header, 0);
  if (header === 12) {
    [width, height, 1, bits].forEach((value, i) => info.writeUInt16LE(value, 4 + 2 * i));
  } else {
    info.writeInt32LE(width, 4);
    info.writeInt32LE(height, 8);
    info.writeUInt16LE(1, 12);
    info.writeUInt16LE(bits, 14);
    info.writeUInt32LE(compression, 16);
    info.writeUInt32LE(palette.length, 32);
    if (header > 40) masks.forEach((mask, i) => info.writeUInt32LE(mask, 40 + 4 * i));
  }
  const loose = Buffer.alloc(header === 40 ? masks.length * 4 : 0);
  if (header === 40) masks.forEach((mask, i) => loose.writeUInt32LE(mask, 4 * i));
  const colours = palette.flatMap(([r, g, b]) => [b!, g!, r!, ...(header === 12 ? [] : [0])]);
  const stride = Math.ceil((width * bits) / 32) * 4;
  const body = rows.map((row) => Buffer.concat([Buffer.from(row)], stride));
  const start = Buffer.alloc(14);
  start.write('BM', 'latin1');
  start.writeUInt32LE(14 + header + loose.length + colours.length, 10);
  return Buffer.concat([start, info, loose, Buffer.from(colours), ...body]);
}

const RED = [255, 0, 0];
const GREEN = [0, 255, 0];
const BLUE = [0, 0, 255];
const WHITE = [255, 255, 255];
const decoded = (parts: Parts) => [...decodeBmp(bmp(parts)).data];

test('24 bits, rows from the bottom and from the top, padded', () => {
  // Stored blue, green, red; the first stored row is the lowest.
  const rows = [
    [0, 0, 255, 0, 255, 0, 1, 2, 3],
    [255, 0, 0, 255, 255, 255, 4, 5, 6],
  ];
  const upper = [...BLUE, ...WHITE, 6, 5, 4];
  const lower = [...RED, ...GREEN, 3, 2, 1];
  expect(decoded({ width: 3, height: 2, bits: 24, rows })).toEqual([...upper, ...lower]);
  expect(decoded({ width: 3, height: -2, bits: 24, rows })).toEqual([...lower, ...upper]);
  expect(bmpSize(bmp({ width: 3, height: -2, bits: 24, rows }))).toEqual({ width: 3, height: 2 });
});

test('1, 4 and 8 bits with a palette', () => {
  const palette = [RED, GREEN, BLUE, WHITE];
  const one = { width: 9, height: 1, bits: 1, palette: [RED, BLUE], rows: [[0b10000001, 0x80]] };
  expect(decoded(one)).toEqual([BLUE, RED, RED, RED, RED, RED, RED, BLUE, BLUE].flat());
  const four = { width: 3, height: 1, bits: 4, palette, rows: [[0x12, 0x30]] };
  expect(decoded(four)).toEqual([GREEN, BLUE, WHITE].flat());
  const eight = { width: 2, height: 1, bits: 8, palette, rows: [[3, 0]] };
  expect(decoded(eight)).toEqual([WHITE, RED].flat());
});

test('a palette of greys makes a grey image', () => {
  const palette = Array.from({ length: 256 }, (_, i) => [i, i, i]);
  const image = decodeBmp(bmp({ width: 2, height: 1, bits: 8, palette, rows: [[7, 250]] }));
  expect([image.channels, ...image.data]).toEqual([1, 7, 250]);
});

test('the OS/2 header with its 3-byte palette', () => {
  const parts = { width: 2, height: 1, bits: 1, header: 12, palette: [GREEN, WHITE] };
  expect(decoded({ ...parts, rows: [[0b01000000]] })).toEqual([...GREEN, ...WHITE]);
});

test('16 bits: 5-5-5 without fields, 5-6-5 with', () => {
  const word = (value: number) => [value & 255, value >> 8];
  const plain = { width: 2, height: 1, bits: 16, rows: [[...word(0x7c00), ...word(0x03ff)]] };
  expect(decoded(plain)).toEqual([255, 0, 0, 0, 255, 255]);
  const masks = [0xf800, 0x07e0, 0x001f];
  const rows = [[...word(0xf800), ...word(0x07e0 | 0x10)]];
  const fields = { width: 2, height: 1, bits: 16, compression: 3, masks, rows };
  expect(decoded(fields)).toEqual([255, 0, 0, 0, 255, Math.round((16 / 31) * 255)]);
});

test('32 bits: the unused byte is not transparency, a declared alpha field is', async () => {
  const plain = { width: 1, height: 1, bits: 32, rows: [[10, 20, 30, 0]] };
  expect(decodeBmp(bmp(plain)).channels).toBe(3);
  expect(decoded(plain)).toEqual([30, 20, 10]);
  const masks = [0xff000000, 0xff0000, 0xff00, 0xff];
  const parts = { width: 2, height: 1, bits: 32, compression: 3, header: 108, masks };
  const bytes = bmp({ ...parts, rows: [[255, 3, 2, 1, 0, 9, 9, 9]] });
  const image = decodeBmp(bytes);
  expect([image.channels, ...image.data]).toEqual([4, 1, 2, 3, 255, 9, 9, 9, 0]);
  const folder = await mkdtemp(join(tmpdir(), 'carryover-bmp-'));
  try {
    const path = join(folder, 'alpha.bmp');
    await writeFile(path, bytes);
    expect(await probeImage(wholeFile(path))).toEqual({
      format: 'bmp',
      width: 2,
      height: 1,
      pages: 1,
    });
    const own = await decodeOwnSize(wholeFile(path));
    expect([own.channels, ...own.data]).toEqual([3, 1, 2, 3, 255, 255, 255]);
    const exact = await decodeExact(wholeFile(path));
    expect([exact.channels, ...exact.data]).toEqual([4, 1, 2, 3, 255, 9, 9, 9, 0]);
    const recipe = { resize: 'stretch', background: '#00ff00' } as const;
    expect([...(await decodeImage(wholeFile(path), recipe, 2))].slice(3, 6)).toEqual([0, 255, 0]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

const TWO = {
  width: 2,
  height: 2,
  bits: 24,
  rows: [
    [1, 2, 3, 4, 5, 6],
    [1, 2, 3, 4, 5, 6],
  ],
};

test.each([
  ['RLE8', { ...TWO, bits: 8, compression: 1 }, /RLE8/],
  ['embedded PNG', { ...TWO, compression: 5 }, /PNG compression/],
  ['2 bits', { ...TWO, bits: 2 }, /2 bits/],
  ['no width', { ...TWO, width: 0, rows: [] }, /0 x 2/],
  ['an unknown header', { ...TWO, header: 200 }, /200 bytes/],
  ['an empty mask', { ...TWO, bits: 32, compression: 3, masks: [0, 1, 2] }, /empty colour mask/],
  [
    'a colour beyond the palette',
    {
      ...TWO,
      bits: 8,
      palette: [RED],
      rows: [
        [0, 1],
        [0, 0],
      ],
    },
    /colour 1/,
  ],
])('%s is refused with the reason', (_, parts, reason) => {
  expect(() => decodeBmp(bmp(parts))).toThrow(reason);
});

test('cut short anywhere it is refused, never grey', () => {
  const whole = bmp({
    ...TWO,
    bits: 8,
    palette: [RED, GREEN],
    rows: [
      [0, 1],
      [1, 0],
    ],
  });
  for (let length = 2; length < whole.length; length++) {
    expect(() => decodeBmp(whole.subarray(0, length))).toThrow(/truncated|unknown|BMP/);
  }
});

test('any bytes after BM decode or are refused, and never crash or read outside', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 60, maxLength: 90 }), (noise) => {
      const bytes = Buffer.concat([bmp(TWO).subarray(0, 18), noise]);
      try {
        const image = decodeBmp(bytes);
        expect(image.data.length).toBe(image.width * image.height * image.channels);
      } catch (error) {
        expect(error).not.toBeInstanceOf(RangeError);
      }
    }),
  );
});
