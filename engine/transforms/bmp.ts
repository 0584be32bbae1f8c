/** A decoded bitmap: interleaved rows from the top. 1 channel: grey; 3: RGB; 4: RGB and alpha. */
export interface Bitmap {
  width: number;
  height: number;
  channels: 1 | 3 | 4;
  data: Uint8Array;
}

interface Header {
  width: number;
  height: number;
  bottomUp: boolean;
  bits: number;
  /** Red, green, blue, alpha bit masks of 16- and 32-bit pixels; alpha 0 where there is none. */
  masks: [number, number, number, number];
  palette: { start: number; entry: 3 | 4; colours: number };
  pixels: number;
}

const FILE_HEADER = 14;
const COMPRESSION_NAMES = ['none', 'RLE8', 'RLE4', 'BITFIELDS', 'JPEG', 'PNG', 'ALPHABITFIELDS'];
const MASKS_555 = [0x7c00, 0x3e0, 0x1f, 0] as const;
const MASKS_888 = [0xff0000, 0xff00, 0xff, 0] as const;

/**
 * Width and height of a BMP, from its header alone.
 * Throws a plain Error that says what is wrong; the caller names the file.
 */
export function bmpSize(bytes: Buffer): { width: number; height: number } {
  const { width, height } = readHeader(bytes);
  return { width, height };
}

/**
 * Decodes a Windows or OS/2 BMP of 1, 4, 8, 16, 24 or 32 uncompressed bits per pixel, with or
 * without bit fields, either row order. Run-length coding and embedded JPEG or PNG are refused.
 * Throws a plain Error that says what is wrong (truncated data included).
 */
export function decodeBmp(bytes: Buffer): Bitmap {
  const header = readHeader(bytes);
  const { width, height, bits, bottomUp, pixels } = header;
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (pixels + stride * height > bytes.length) {
    throw new Error(
      `truncated: ${stride * height} bytes of pixels expected, ${Math.max(0, bytes.length - pixels)} there`,
    );
  }
  const read = bits <= 8 ? paletteReader(bytes, header) : colourReader(bytes, header);
  const data = new Uint8Array(width * height * read.channels);
  for (let y = 0; y < height; y++) {
    const row = pixels + stride * (bottomUp ? height - 1 - y : y);
    for (let x = 0; x < width; x++) read.pixel(row, x, data, (y * width + x) * read.channels);
  }
  return { width, height, channels: read.channels, data };
}

interface PixelReader {
  channels: 1 | 3 | 4;
  /** Writes pixel x of the row that starts at byte `row` to target[at...]. */
  pixel(row: number, x: number, target: Uint8Array, at: number): void;
}

function readHeader(bytes: Buffer): Header {
  if (bytes.length < FILE_HEADER + 12) throw new Error('truncated: no complete BMP header');
  const pixels = bytes.readUInt32LE(10);
  const size = bytes.readUInt32LE(FILE_HEADER);
  const header = size === 12 ? readCoreHeader(bytes) : readInfoHeader(bytes, size);
  if (header.width < 1 || header.height < 1) {
    throw new Error(`a BMP header of ${header.width} x ${header.height} pixels makes no sense`);
  }
  return { ...header, pixels };
}

/** OS/2 1.x: 16-bit sides, a palette of 3-byte entries. */
function readCoreHeader(bytes: Buffer): Omit<Header, 'pixels'> {
  const bits = checkBits(bytes.readUInt16LE(24), [1, 4, 8, 24]);
  return {
    width: bytes.readUInt16LE(18),
    height: bytes.readUInt16LE(20),
    bottomUp: true,
    bits,
    masks: [...MASKS_888],
    palette: { start: FILE_HEADER + 12, entry: 3, colours: bits <= 8 ? 2 ** bits : 0 },
  };
}

function readInfoHeader(bytes: Buffer, size: number): Omit<Header, 'pixels'> {
  if (size < 40 || size > 124) throw new Error(`unknown BMP header of ${size} bytes`);
  if (bytes.length < FILE_HEADER + size) throw new Error('truncated: no complete BMP header');
  const height = bytes.readInt32LE(22);
  const bits = checkBits(bytes.readUInt16LE(28), [1, 4, 8, 16, 24, 32]);
  const compression = bytes.readUInt32LE(30);
  checkCompression(compression, bits);
  const declared = bytes.readUInt32LE(46);
  const colours = bits > 8 ? 0 : declared === 0 ? 2 ** bits : Math.min(declared, 2 ** bits);
  // With the 40-byte header the masks stand between header and palette.
  const extra = compression === 0 || size > 40 ? 0 : compression === 3 ? 12 : 16;
  const masks = compression === 0 ? plainMasks(bits) : readMasks(bytes, size + extra);
  return {
    width: bytes.readInt32LE(18),
    height: Math.abs(height),
    bottomUp: height > 0,
    bits,
    masks,
    palette: { start: FILE_HEADER + size + extra, entry: 4, colours },
  };
}

function checkBits(bits: number, legal: number[]): number {
  if (legal.includes(bits)) return bits;
  throw new Error(`BMP with ${bits} bits per pixel (known: ${legal.join(', ')})`);
}

function checkCompression(compression: number, bits: number): void {
  if (compression === 0) return;
  if ((compression === 3 || compression === 6) && (bits === 16 || bits === 32)) return;
  const name = COMPRESSION_NAMES[compression] ?? `number ${compression}`;
  throw new Error(`BMP with ${name} compression at ${bits} bits is not supported`);
}

function plainMasks(bits: number): Header['masks'] {
  return bits === 16 ? [...MASKS_555] : [...MASKS_888];
}

/** The three or four masks at byte 54; alpha only where header and masks reach that far. */
function readMasks(bytes: Buffer, headerSize: number): Header['masks'] {
  if (bytes.length < FILE_HEADER + headerSize) throw new Error('truncated: no complete BMP header');
  const at = (i: number) => bytes.readUInt32LE(FILE_HEADER + 40 + 4 * i);
  const masks: Header['masks'] = [at(0), at(1), at(2), headerSize >= 56 ? at(3) : 0];
  if (masks.slice(0, 3).some((mask) => mask === 0))
    throw new Error('BMP with an empty colour mask');
  return masks;
}

function paletteReader(bytes: Buffer, header: Header): PixelReader {
  const { bits } = header;
  const { start, entry, colours } = header.palette;
  if (start + colours * entry > bytes.length) throw new Error('truncated: no complete BMP palette');
  const isGrey = (i: number) => {
    const at = start + i * entry;
    return bytes[at] === bytes[at + 1] && bytes[at] === bytes[at + 2];
  };
  const channels = Array.from({ length: colours }, (_, i) => i).every(isGrey) ? 1 : 3;
  const perByte = 8 / bits;
  return {
    channels,
    pixel(row, x, target, to) {
      const byte = bytes[row + Math.floor(x / perByte)]!;
      const index = (byte >> (8 - bits * ((x % perByte) + 1))) & (2 ** bits - 1);
      if (index >= colours) {
        throw new Error(`corrupt: a pixel has colour ${index}, the palette ends at ${colours - 1}`);
      }
      for (let c = 0; c < channels; c++) target[to + c] = bytes[start + index * entry + 2 - c]!;
    },
  };
}

function colourReader(bytes: Buffer, header: Header): PixelReader {
  const { bits, masks } = header;
  if (bits === 24) {
    return {
      channels: 3,
      pixel(row, x, target, to) {
        for (let c = 0; c < 3; c++) target[to + c] = bytes[row + 3 * x + 2 - c]!;
      },
    };
  }
  const channels = masks[3] === 0 ? 3 : 4;
  const fields = masks.slice(0, channels).map((mask) => {
    const shift = 31 - Math.clz32(mask & -mask);
    return { mask, shift, max: mask >>> shift };
  });
  const width = bits / 8;
  return {
    channels,
    pixel(row, x, target, to) {
      const value = bytes.readUIntLE(row + x * width, width);
      fields.forEach(({ mask, shift, max }, c) => {
        target[to + c] = Math.round((((value & mask) >>> shift) / max) * 255);
      });
    },
  };
}
