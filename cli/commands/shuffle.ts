import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Sharp } from 'sharp';
import { CarryoverError } from '../../contract/errors.ts';
import type { ExactImage } from '../../engine/transforms/decode.ts';
import { shuffleInterleaved, shufflePermutation } from '../../engine/transforms/shuffle.ts';
import { writeFileAtomic } from '../../host/files.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printable, printJson, printLine } from '../output.ts';

interface ShuffleOptions extends GlobalOptions {
  block: number | 'pixel';
  seed: number;
  out: string;
}

interface Encoder {
  encode: (image: Sharp) => Sharp;
  /** Bits per channel that the format can hold without loss. */
  bits: 8 | 16;
}

const TIFF: Encoder = { encode: (image) => image.tiff({ compression: 'lzw' }), bits: 16 };

/** Lossless ways to write pixels, by the extension of the file. */
const ENCODERS: Record<string, Encoder> = {
  '.png': { encode: (image) => image.png(), bits: 16 },
  // Exact: the colours under full transparency are values too.
  '.webp': { encode: (image) => image.webp({ lossless: true, exact: true }), bits: 8 },
  '.tif': TIFF,
  '.tiff': TIFF,
};

const KEPT = `
All channels and 8 or 16 bits are kept (a palette becomes RGB or RGBA; WebP holds 8 bits only).
Blocks take all channels with them. "pixel" permutes all values of the image, flattened channel,
row, column: with transparency, the alpha channel is one of the channels.
CMYK becomes sRGB, and an EXIF orientation is applied: what is not kept is noted on stderr.`;

/** `carryover shuffle IMAGE`: the image at its own size with its blocks or pixels permuted. */
export function register(program: Command): void {
  program
    .command('shuffle')
    .description('write an image at its own size with its blocks or pixels shuffled, losslessly')
    .argument('<image>', 'image file')
    .requiredOption('--block <size>', 'side of the blocks in pixels, or pixel', parseBlock)
    .option('--seed <number>', 'seed of the permutation', parseSeed, 0)
    .requiredOption('--out <file>', 'file to write (.png, lossless .webp, .tif)')
    .option('--json', 'print JSON')
    .addHelpText('after', KEPT)
    .action(
      action(async (path: string, options: ShuffleOptions, command: Command) => {
        await shuffle(path, { ...options, ...globalOptions(command) });
      }),
    );
}

function parseBlock(text: string): number | 'pixel' {
  if (text === 'pixel') return 'pixel';
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a block is a whole number of pixels, or pixel');
}

function parseSeed(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a seed is a whole number');
}

async function shuffle(path: string, { block, seed, out, json }: ShuffleOptions): Promise<void> {
  const encoder = encoderOf(out);
  await refuseSameFile(path, out);
  const { decodeExact } = await import('../../engine/transforms/decode.ts');
  const { wholeFile } = await import('../../engine/transforms/place.ts');
  const image = await decodeExact(wholeFile(path));
  const { width, height, channels, lost } = image;
  const bits = bitsOf(image);
  if (bits > encoder.bits) throw tooDeep(path, out);
  const plan = shufflePermutation(block, image, channels, seed);
  if (plan === null) throw new CarryoverError('internal', `no permutation for block ${block}`);
  const data = shuffleInterleaved(image.data, plan, image, channels);
  await writeFileAtomic(out, await encoded({ ...image, data }, encoder, out));
  for (const what of lost) process.stderr.write(printable(`note: ${path} loses its ${what}\n`));
  const { identity, permutation } = plan;
  const pieces = permutation.length;
  if (json) {
    const shape = { width, height, channels, bits };
    printJson({ image: path, out, ...shape, block, seed, pieces, identity, lost });
    return;
  }
  const what = block === 'pixel' ? 'values' : `blocks of ${block} x ${block}`;
  printLine(`${out}: ${width} x ${height} pixels, ${pieces} ${what}, seed ${seed}`);
  if (identity) printLine('This permutation is the identity: the image is NOT shuffled.');
}

function encoderOf(out: string): Encoder {
  const encoder = ENCODERS[extname(out).toLowerCase()];
  if (encoder !== undefined) return encoder;
  throw new CarryoverError('bad-input', `${out}: "${extname(out)}" is not written losslessly`, {
    file: out,
    value: extname(out),
    wayOut: 'give a file that ends in .png, .webp, .tif or .tiff',
  });
}

/** Originals are never changed, under any name. */
async function refuseSameFile(path: string, out: string): Promise<void> {
  const [one, other] = await Promise.all([path, out].map((file) => stat(file).catch(() => null)));
  if (!one || !other || one.dev !== other.dev || one.ino !== other.ino) return;
  throw new CarryoverError('conflict', `${out} is the image itself; originals are never changed`, {
    file: out,
    wayOut: 'give another file with --out',
  });
}

function bitsOf({ data }: Pick<ExactImage, 'data'>): 8 | 16 {
  return data instanceof Uint16Array ? 16 : 8;
}

function tooDeep(path: string, out: string): CarryoverError {
  const message = `${out}: ${path} has 16 bits per channel, and lossless WebP holds 8`;
  return new CarryoverError('unsupported', message, {
    file: out,
    wayOut: 'give a file that ends in .png, .tif or .tiff',
  });
}

async function encoded(image: ExactImage, { encode }: Encoder, out: string): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp');
  const { data, width, height, channels } = image;
  const [grey, colour] = bitsOf(image) === 16 ? ['grey16', 'rgb16'] : ['b-w', 'srgb'];
  try {
    const raw = sharp(data, { raw: { width, height, channels } });
    return await encode(raw.toColourspace(channels < 3 ? grey : colour)).toBuffer();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${out}: ${width} x ${height} pixels cannot be written so: ${reason}`;
    throw new CarryoverError('unsupported', message, { file: out, wayOut: 'give a .png' }, error);
  }
}
