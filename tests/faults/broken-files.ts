/** One hundred ways in which something among images is no image. */
import { spawnSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  openSync,
  closeSync,
  ftruncateSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync, gzipSync } from 'node:zlib';
import type { Sharp } from 'sharp';
import sharp from 'sharp';

/** Names of files in a folder, each with what its reason must say. */
export type Broken = Record<string, RegExp>;

const SIDE = 48;

function noise(seed: number): Buffer {
  const pixels = Buffer.alloc(SIDE * SIDE * 3);
  for (let i = 0, state = seed; i < pixels.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    pixels[i] = state >>> 24;
  }
  return pixels;
}

function drawn(seed: number): Sharp {
  return sharp(noise(seed), { raw: { width: SIDE, height: SIDE, channels: 3 } });
}

/** A picture that is in order, as PNG. */
export function goodPicture(seed: number): Promise<Buffer> {
  return drawn(seed).png().toBuffer();
}

function chunk(type: string, data: Buffer, crc?: number): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc ?? crc32(body), body.length + 4);
  return framed;
}

const text = (value: string): Buffer => Buffer.from(value, 'latin1');

const PNG_SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

interface Header {
  width?: number;
  height?: number;
  depth?: number;
  colour?: number;
  compression?: number;
  interlace?: number;
}

function header(of: Header): Buffer {
  const { width = SIDE, height = SIDE, depth = 8, colour = 2, compression = 0, interlace = 0 } = of;
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([depth, colour, compression, 0, interlace], 8);
  return chunk('IHDR', data);
}

const ROWS = Buffer.alloc((SIDE * 3 + 1) * SIDE, 7).map((value, i) =>
  i % (SIDE * 3 + 1) === 0 ? 0 : value,
);
const PIXELS = chunk('IDAT', deflateSync(ROWS));
const END = chunk('IEND', Buffer.alloc(0));
const png = (...chunks: Buffer[]): Buffer => Buffer.concat([PNG_SIGNATURE, ...chunks]);

const UNDECODABLE = /cannot be decoded|header|truncated/;
const TOO_LARGE = /megapixels, over the limit/;
const UNKNOWN = /no known image format/;

function brokenPngs(whole: Buffer): [string, Buffer, RegExp][] {
  const middle = whole.length >> 1;
  const flipped = Buffer.from(whole);
  flipped.fill(0xaa, middle, middle + 40);
  return [
    ['signature only.png', PNG_SIGNATURE, UNDECODABLE],
    ['cut in the header.png', whole.subarray(0, 20), UNDECODABLE],
    ['header only.png', png(header({})), UNDECODABLE],
    ['no pixels.png', png(header({}), END), UNDECODABLE],
    ['cut early.png', whole.subarray(0, 200), UNDECODABLE],
    ['cut in the middle.png', whole.subarray(0, middle), UNDECODABLE],
    ['cut late.png', whole.subarray(0, whole.length - 100), UNDECODABLE],
    ['bytes lost.png', Buffer.concat([whole.subarray(0, 300), whole.subarray(400)]), UNDECODABLE],
    ['bytes overwritten.png', flipped, UNDECODABLE],
    [
      'wrong CRC of the header.png',
      png(chunk('IHDR', header({}).subarray(8, 21), 1), PIXELS, END),
      UNDECODABLE,
    ],
    [
      'wrong CRC of the pixels.png',
      png(header({}), chunk('IDAT', deflateSync(ROWS), 1), END),
      UNDECODABLE,
    ],
    ['width 0.png', png(header({ width: 0 }), PIXELS, END), UNDECODABLE],
    ['height 0.png', png(header({ height: 0 }), PIXELS, END), UNDECODABLE],
    ['3 bits.png', png(header({ depth: 3 }), PIXELS, END), UNDECODABLE],
    ['colour type 5.png', png(header({ colour: 5 }), PIXELS, END), UNDECODABLE],
    ['compression 9.png', png(header({ compression: 9 }), PIXELS, END), UNDECODABLE],
    ['interlace 7.png', png(header({ interlace: 7 }), PIXELS, END), UNDECODABLE],
    ['no palette.png', png(header({ colour: 3 }), PIXELS, END), UNDECODABLE],
    ['no zlib.png', png(header({}), chunk('IDAT', Buffer.alloc(500, 3)), END), UNDECODABLE],
    [
      'too few rows.png',
      png(header({}), chunk('IDAT', deflateSync(ROWS.subarray(0, 900))), END),
      UNDECODABLE,
    ],
    ['pixels before the header.png', png(PIXELS, header({}), END), UNDECODABLE],
    ['bomb.png', png(header({ width: 60_000, height: 60_000 }), PIXELS, END), TOO_LARGE],
    [
      'wider than any.png',
      png(header({ width: 5000, height: 2 }), PIXELS, END),
      /more elongated than/,
    ],
    [
      'taller than any.png',
      png(header({ width: 1, height: 4000 }), PIXELS, END),
      /more elongated than/,
    ],
    [
      'line ends converted.png',
      Buffer.from(whole.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
      UNKNOWN,
    ],
    ['read as UTF-8.png', Buffer.from(whole.toString('utf8')), UNKNOWN],
    ['backwards.png', Buffer.from(whole).reverse(), UNKNOWN],
    ['a line before.png', Buffer.concat([Buffer.from('\n'), whole]), UNKNOWN],
    ['in Base64.png', Buffer.from(whole.toString('base64')), UNKNOWN],
    ['in hex.png', Buffer.from(whole.toString('hex')), UNKNOWN],
    ['gzipped.png', gzipSync(whole), UNKNOWN],
  ];
}

/** A JPEG without its segments of one kind. */
function without(jpeg: Buffer, marker: number): Buffer {
  const parts: Buffer[] = [jpeg.subarray(0, 2)];
  let at = 2;
  while (jpeg[at] === 0xff && jpeg[at + 1] !== 0xda) {
    const end = at + 2 + jpeg.readUInt16BE(at + 2);
    if (jpeg[at + 1] !== marker) parts.push(jpeg.subarray(at, end));
    at = end;
  }
  return Buffer.concat([...parts, jpeg.subarray(at)]);
}

/** A JPEG with other bytes in its frame header, counted from its marker. */
function reframed(jpeg: Buffer, bytes: Record<number, number>): Buffer {
  const changed = Buffer.from(jpeg);
  const frame = changed.indexOf(Buffer.from([0xff, 0xc0]));
  for (const [at, value] of Object.entries(bytes)) changed[frame + Number(at)] = value;
  return changed;
}

function brokenJpegs(whole: Buffer): [string, Buffer, RegExp][] {
  const middle = whole.length >> 1;
  const garbled = Buffer.from(whole);
  garbled.fill(0xff, middle, middle + 60);
  return [
    ['start only.jpg', Buffer.from([0xff, 0xd8, 0xff]), UNDECODABLE],
    ['cut in the header.jpg', whole.subarray(0, 100), UNDECODABLE],
    ['cut in the middle.jpg', whole.subarray(0, middle), UNDECODABLE],
    ['cut late.jpg', whole.subarray(0, whole.length - 60), UNDECODABLE],
    ['overwritten.jpg', garbled, UNDECODABLE],
    ['no frame.jpg', without(whole, 0xc0), UNDECODABLE],
    ['no quantisation.jpg', without(whole, 0xdb), UNDECODABLE],
    ['12 bits.jpg', reframed(whole, { 4: 12 }), UNDECODABLE],
    ['width 0.jpg', reframed(whole, { 7: 0, 8: 0 }), UNDECODABLE],
    ['bomb.jpg', reframed(whole, { 5: 0xff, 6: 0xdc, 7: 0xff, 8: 0xdc }), TOO_LARGE],
    ['arithmetic of a kind that is unknown.jpg', reframed(whole, { 1: 0xcb }), UNDECODABLE],
    ['nine components.jpg', reframed(whole, { 9: 9 }), UNDECODABLE],
    [
      'with HTTP headers.jpg',
      Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), whole]),
      UNKNOWN,
    ],
  ];
}

function bmp(of: { width?: number; height?: number; bits?: number; compression?: number }): Buffer {
  const { width = 8, height = 8, bits = 24, compression = 0 } = of;
  const file = Buffer.alloc(54 + 8 * 24, 90);
  file.fill(0, 0, 54);
  file.write('BM');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(bits, 28);
  file.writeUInt32LE(compression, 30);
  return file;
}

/** A TIFF of 4 x 4 floating point pixels, whose range nobody knows. */
function floatTiff(): Buffer {
  const side = 4;
  const [short, long] = [3, 4];
  const bytes = side * side * 4;
  const fields = [
    [256, short, side],
    [257, short, side],
    [258, short, 32],
    [259, short, 1],
    [262, short, 1],
    [273, long, 8],
    [277, short, 1],
    [278, short, side],
    [279, long, bytes],
    [339, short, 3],
  ] as const;
  const file = Buffer.alloc(8 + bytes + 2 + fields.length * 12 + 4);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(8 + bytes, 4);
  for (let i = 0; i < side * side; i++) file.writeFloatLE(i / 10, 8 + 4 * i);
  file.writeUInt16LE(fields.length, 8 + bytes);
  for (const [i, [tag, type, value]] of fields.entries()) {
    const at = 8 + bytes + 2 + i * 12;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(1, at + 4);
    file.writeUInt32LE(value, at + 8);
  }
  return file;
}

async function brokenOthers(): Promise<[string, Buffer, RegExp][]> {
  const gif = await drawn(3).gif().toBuffer();
  const webp = await drawn(4).webp({ lossless: true }).toBuffer();
  const tiff = await drawn(5).tiff({ compression: 'none' }).toBuffer();
  const lost = Buffer.from(tiff);
  lost.writeUInt32LE(0x7fffffff, 4);
  return [
    ['header only.gif', gif.subarray(0, 13), UNDECODABLE],
    ['cut.gif', gif.subarray(0, gif.length >> 1), UNDECODABLE],
    ['of no version.gif', Buffer.concat([text('GIF90a'), gif.subarray(6)]), UNKNOWN],
    ['no frame.gif', Buffer.concat([gif.subarray(0, 13 + 768), Buffer.from(';')]), UNDECODABLE],
    ['header only.webp', webp.subarray(0, 12), UNDECODABLE],
    ['cut.webp', webp.subarray(0, webp.length >> 1), UNDECODABLE],
    ['no picture.webp', Buffer.from('RIFF\x04\0\0\0WEBP', 'latin1'), UNDECODABLE],
    ['header only.tif', tiff.subarray(0, 8), UNDECODABLE],
    ['directory beyond the end.tif', lost, UNDECODABLE],
    ['cut.tif', tiff.subarray(0, tiff.length >> 1), UNDECODABLE],
    ['floating point.tif', floatTiff(), /pixels of type float/],
    ['header only.bmp', bmp({}).subarray(0, 54), UNDECODABLE],
    ['cut.bmp', bmp({}).subarray(0, 120), UNDECODABLE],
    ['width 0.bmp', bmp({ width: 0 }), /./],
    ['negative width.bmp', bmp({ width: -8 }), /./],
    ['bomb.bmp', bmp({ width: 2 ** 20, height: 2 ** 20 }), TOO_LARGE],
    ['7 bits.bmp', bmp({ bits: 7 }), /./],
    ['unknown compression.bmp', bmp({ compression: 9 }), /./],
  ];
}

const box = (brand: string): Buffer => text(`\0\0\0\x18ftyp${brand}\0\0\0\0`);

/** Whole files of other kinds, most of them called .jpg or .png. */
const OTHER_KINDS: [string, Buffer, RegExp][] = [
  ['empty.png', Buffer.alloc(0), /empty file \(0 bytes\)/],
  ['never written.png', Buffer.alloc(4096), UNKNOWN],
  ['erased.jpg', Buffer.alloc(4096, 0xff), UNKNOWN],
  ['drawing.svg', text('<svg xmlns="http://www.w3.org/2000/svg"/>'), /SVG/],
  ['drawing.png', text('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'), /SVG/],
  ['phone.jpg', box('heic'), /HEIC or AVIF/],
  ['web.jpg', box('avif'), /HEIC or AVIF/],
  ['clip.jpg', box('isom'), /a video/],
  ['next.jpg', text('\0\0\0\x0cJXL \r\n\x87\n'), /JPEG XL/],
  ['archive.jpg', text('\0\0\0\x0cjP  \r\n\x87\n'), /JPEG 2000/],
  ['paper.png', text('%PDF-1.7\n'), /PDF/],
  ['layers.png', text('8BPS\0\x01'), /Photoshop/],
  ['zipped.png', text('PK\x03\x04'), /ZIP/],
  ['not found.jpg', text('<html><title>404</title></html>'), /HTML/],
  ['login.png', text('<!DOCTYPE html>\n<html></html>'), /HTML/],
  ['answer.jpg', text('{"error":"quota exceeded"}'), UNKNOWN],
  ['denied.jpg', text('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'), UNKNOWN],
  [
    'pointer.png',
    text('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n'),
    UNKNOWN,
  ],
  ['address.jpg', text('https://example.org/1.jpg\n'), UNKNOWN],
  ['notes.txt', text('labels are by J.\n'), UNKNOWN],
  ['icon.png', text('\0\0\x01\0\x01\0'), UNKNOWN],
  ['portable.png', text('P6 1 1 255\nabc'), UNKNOWN],
  ['script.png', text('%!PS-Adobe-3.0 EPSF-3.0\n'), UNKNOWN],
  ['light.png', text('v/1\x01\x02\0\0\0'), UNKNOWN],
  ['stars.png', text('SIMPLE  =                    T'), UNKNOWN],
  ['array.png', text('\x93NUMPY\x01\0v\0'), UNKNOWN],
  ['pickle.png', text('\x80\x04\x95'), UNKNOWN],
  ['program.png', text('\x7fELF\x02\x01\x01'), UNKNOWN],
  ['setup.jpg', text('MZ\x90\0\x03'), UNKNOWN],
  ['double.jpg', text('\0\x05\x16\x07\0\x02\0\0'), UNKNOWN],
];

/** What is no regular file, or may not be taken: made by the file system. */
function unusual(folder: string): Broken {
  const at = (name: string) => join(folder, name);
  const outside = join(folder, '..', '..', 'outside.png');
  writeFileSync(outside, 'x');
  symlinkSync('nothing.png', at('dead link.png'));
  symlinkSync('loop.png', at('loop.png'));
  symlinkSync('..', at('link to a folder.png'));
  symlinkSync(outside, at('link to the outside.png'));
  spawnSync('mkfifo', [at('pipe.png')]);
  writeFileSync(at('.hidden.png'), 'x');
  writeFileSync(at('plain'), 'x');
  linkSync(at('plain'), Buffer.concat([Buffer.from(at('')), Buffer.from([0x2f, 0xff, 0xfe])]));
  unlinkSync(at('plain'));
  const large = openSync(at('large.png'), 'w');
  ftruncateSync(large, 201 * 2 ** 20);
  closeSync(large);
  return {
    'dead link.png': /symbolic link to nothing/,
    'loop.png': /leads back to itself/,
    'link to a folder.png': /links to folders are not followed/,
    'link to the outside.png': /outside of the folder/,
    'pipe.png': /not a regular file/,
    '.hidden.png': /hidden file/,
    '\uFFFD\uFFFD': /not valid UTF-8/,
    'large.png': /over the limit of 200 MB/,
  };
}

/** Fills a folder (two levels below one of the test's own) with broken files of distinct kinds. */
export async function writeBroken(folder: string): Promise<Broken> {
  mkdirSync(folder, { recursive: true });
  const files = [
    ...brokenPngs(await goodPicture(1)),
    ...brokenJpegs(await drawn(2).jpeg().toBuffer()),
    ...(await brokenOthers()),
    ...OTHER_KINDS,
  ];
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  const reasons = Object.fromEntries(files.map(([name, , reason]) => [name, reason]));
  return { ...reasons, ...unusual(folder) };
}
