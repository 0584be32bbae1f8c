/** Decompression of one frame, by the WebAssembly codecs of dcmjs-codecs. */
import type * as Codecs from 'dcmjs-codecs';
import type { Context as DecoderContext } from 'dcmjs-codecs';
import type { Header } from './header.ts';
import { dicomError } from './parse.ts';

type Native = typeof Codecs.NativeCodecs;

interface Codec {
  name: string;
  decode: (native: Native, context: DecoderContext) => DecoderContext;
}

const jpeg: Codec['decode'] = (native, context) =>
  native.decodeJpeg(context, { convertColorspaceToRgb: false });
const jpeg2000: Codec['decode'] = (native, context) => native.decodeJpeg2000(context);
const jpegLs: Codec['decode'] = (native, context) => native.decodeJpegLs(context);
const htj2k: Codec['decode'] = (native, context) => native.decodeHtJpeg2000(context);

/** By transfer syntax, after `1.2.840.10008.1.2.`. */
const CODECS: Readonly<Record<string, Codec>> = {
  '5': { name: 'RLE', decode: (native, context) => native.decodeRle(context) },
  '4.50': { name: 'JPEG', decode: jpeg },
  '4.51': { name: 'JPEG', decode: jpeg },
  '4.57': { name: 'lossless JPEG', decode: jpeg },
  '4.70': { name: 'lossless JPEG', decode: jpeg },
  '4.80': { name: 'JPEG-LS', decode: jpegLs },
  '4.81': { name: 'JPEG-LS', decode: jpegLs },
  '4.90': { name: 'JPEG 2000', decode: jpeg2000 },
  '4.91': { name: 'JPEG 2000', decode: jpeg2000 },
  '4.201': { name: 'HTJ2K', decode: htj2k },
  '4.202': { name: 'HTJ2K', decode: htj2k },
  '4.203': { name: 'HTJ2K', decode: htj2k },
};

/** A frame's samples as they were before compression, little-endian. */
export interface Decompressed {
  bytes: Uint8Array;
  /** The samples are plane by plane. */
  planar: boolean;
}

async function load() {
  const { default: codecs } = await import('dcmjs-codecs');
  codecs.log.setLevel('silent', false);
  await codecs.NativeCodecs.initializeAsync();
  return codecs;
}

/** The codecs are large: they are loaded with the first compressed frame. */
let loaded: ReturnType<typeof load> | null = null;

function codecOf(transferSyntax: string): Codec {
  const codec = CODECS[transferSyntax.replace(/^1\.2\.840\.10008\.1\.2\./, '')];
  if (codec) return codec;
  throw dicomError(`pixels in transfer syntax ${transferSyntax} are not read`);
}

/** @throws bad-input: an unknown transfer syntax, or data that its codec refuses */
export async function decompress(
  encoded: Uint8Array,
  header: Header,
  transferSyntax: string,
): Promise<Decompressed> {
  const codec = codecOf(transferSyntax);
  const codecs = await (loaded ??= load());
  const context = new codecs.Context({
    width: header.width,
    height: header.height,
    bitsAllocated: header.allocated,
    bitsStored: header.stored,
    samplesPerPixel: header.samples,
    pixelRepresentation: header.signed ? 1 : 0,
    planarConfiguration: header.planar ? 1 : 0,
    photometricInterpretation: header.photometric,
    encodedBuffer: encoded,
  });
  const decoded = decoding(codec, codecs.NativeCodecs, context);
  const bytes = decoded.getDecodedBuffer();
  const wanted = (header.width * header.height * header.samples * header.allocated) / 8;
  if (bytes === undefined || bytes.length < wanted) {
    const held = bytes?.length ?? 0;
    throw dicomError(`the ${codec.name} data hold ${held} of the frame's ${wanted} bytes`);
  }
  return { bytes, planar: decoded.getPlanarConfiguration() === 1 };
}

function decoding(codec: Codec, native: Native, context: DecoderContext): DecoderContext {
  try {
    return codec.decode(native, context);
  } catch (error) {
    // What a failed decoder leaves in its memory is not trusted: the next frame gets a fresh one.
    native.release();
    loaded = null;
    const reason = (error instanceof Error ? error.message : String(error)).trim();
    throw dicomError(`the ${codec.name} data are damaged: ${reason}`, error);
  }
}

/**
 * Whether lossy JPEG data hold luma and colour differences: by Adobe's marker, or by the names of
 * the components; null: they do not say.
 */
export function jpegIsYbr(jpeg: Uint8Array): boolean | null {
  const bytes = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  let at = 2;
  while (at + 4 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    const adobe = marker === 0xee && bytes.toString('latin1', at + 4, at + 9) === 'Adobe';
    if (adobe) return bytes[at + 15] === 1;
    if (marker === 0xc0 || marker === 0xc1 || marker === 0xc2) {
      return [10, 13, 16].every((offset, index) => bytes[at + offset] === index + 1) ? true : null;
    }
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return null;
}
