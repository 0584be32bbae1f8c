import type { ZlibOptions } from 'node:zlib';
import { constants, crc32, inflateRaw } from 'node:zlib';
import { promisify } from 'node:util';
import type { Entry } from 'yauzl';
import { fromRandomAccessReaderPromise, getFileNameLowLevel, RandomAccessReader } from 'yauzl';
import { CarryoverError } from '../../contract/errors.ts';
import type { ArchiveEntry, ArchiveIndex } from './index.ts';
import { MAX_ENTRIES } from './index.ts';
import type { OpenFile } from './file.ts';
import { damaged, readAhead } from './file.ts';
import { entryName, NamesSeen } from './names.ts';

export const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
const UTF8_NAME = 0x800;
/** Deflate shrinks to no less than a 1032nd. */
const MAX_RATIO = 1032;
const WINDOW = 1 << 20;
const LOCAL_HEADER = 30;
/** Extra fields of an entry's own header are mostly shorter; a longer one costs a second read. */
const EXTRA = 128;
/** File types in the upper half of the external attributes, as Unix has them. */
const TYPES: Record<number, string> = {
  0x0: 'file',
  0x8: 'file',
  0x4: 'folder',
  0xa: 'symbolic link (links in archives are not followed)',
};

const inflate = promisify<Buffer, ZlibOptions, Buffer>(inflateRaw);

/**
 * Lists a zip archive (zip64 too) by its central directory; no contents are read.
 * @throws bad-input where it is cut off, damaged, or promises more than deflate can pack
 */
export async function indexZip(file: OpenFile): Promise<ArchiveIndex> {
  const entries = new Map<string, ArchiveEntry>();
  const skipped: ArchiveIndex['skipped'] = [];
  const seen = new NamesSeen();
  const reader = new Reader(readAhead(file, WINDOW));
  const options = { autoClose: false, decodeStrings: false, validateEntrySizes: false };
  try {
    const archive = await fromRandomAccessReaderPromise(reader, file.size, options);
    if (archive.entryCount > MAX_ENTRIES) throw new Error(`it lists over ${MAX_ENTRIES} entries`);
    let unpacked = 0;
    for await (const entry of archive.eachEntry()) {
      const { name, refused } = judge(entry, seen);
      if (refused === 'folder') continue;
      if (refused !== null) skipped.push({ path: name, reason: refused });
      else entries.set(name, placeOf(entry));
      unpacked += refused === null ? entry.uncompressedSize : 0;
    }
    if (unpacked > MAX_RATIO * file.size) {
      throw new Error(`its entries overlap: ${unpacked} bytes cannot come from ${file.size}`);
    }
  } catch (error) {
    if (error instanceof CarryoverError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw damaged(file.path, `not a usable zip archive: ${reason}`);
  }
  return { kind: 'zip', entries, skipped };
}

/** The entry's name, and why it is not taken; null: it is. */
function judge(entry: Entry, seen: NamesSeen): { name: string; refused: string | null } {
  const checked = entryName(rawName(entry));
  const type = TYPES[entry.externalFileAttributes >>> 28] ?? 'not a regular file';
  if (checked.name.endsWith('/') || type === 'folder') {
    return { name: checked.name, refused: 'folder' };
  }
  if ('refused' in checked) return checked;
  const { name } = checked;
  return { name, refused: type === 'file' ? (packingRefusal(entry) ?? seen.add(name)) : type };
}

/** Many programs write UTF-8 without saying so; what is no UTF-8 is read as the standard asks. */
function rawName(entry: Entry): string {
  const flags = entry.generalPurposeBitFlag;
  const told = getFileNameLowLevel(flags, entry.fileNameRaw, entry.extraFields, true);
  if ((flags & UTF8_NAME) !== 0) return told;
  const utf8 = entry.fileNameRaw.toString('utf8');
  return utf8.includes('\uFFFD') ? told : utf8;
}

/** Why the contents of an entry cannot be read (encrypted, a bomb ...); null: they can. */
export function packingRefusal(entry: Entry): string | null {
  const { compressionMethod, compressedSize, uncompressedSize } = entry;
  if (entry.generalPurposeBitFlag & ENCRYPTED) return 'it is encrypted';
  if (compressionMethod === STORED) {
    return compressedSize === uncompressedSize ? null : 'it has two sizes';
  }
  if (compressionMethod !== DEFLATED) {
    return `it is compressed by method ${compressionMethod}, which is not read`;
  }
  return uncompressedSize > MAX_RATIO * compressedSize
    ? `it claims to unpack from ${compressedSize} to ${uncompressedSize} bytes`
    : null;
}

function placeOf(entry: Entry): ArchiveEntry {
  return {
    bytes: entry.uncompressedSize,
    start: entry.relativeOffsetOfLocalHeader,
    packed: entry.compressedSize,
    deflated: entry.compressionMethod === DEFLATED,
    crc: entry.crc32,
  };
}

/**
 * The unpacked bytes of an entry, checked against its size and checksum.
 * @throws bad-input where they are not what the directory promises
 */
export async function readZipEntry(
  file: OpenFile,
  name: string,
  entry: ArchiveEntry,
): Promise<Buffer> {
  const packed = await packedBytes(file, name, entry);
  const bytes = entry.deflated ? await unpack(file, name, entry, packed) : packed;
  if (bytes.length === entry.bytes && crc32(bytes) === entry.crc) return bytes;
  throw damagedEntry(file, name, 'its checksum does not hold');
}

async function unpack(
  file: OpenFile,
  name: string,
  { bytes }: ArchiveEntry,
  packed: Buffer,
): Promise<Buffer> {
  try {
    return await inflate(packed, { maxOutputLength: Math.max(1, bytes) });
  } catch {
    throw damagedEntry(file, name, `it does not unpack to ${bytes} bytes`);
  }
}

/** Header and contents in one read where the header is as short as usual. */
async function packedBytes(file: OpenFile, name: string, entry: ArchiveEntry): Promise<Buffer> {
  const guess = LOCAL_HEADER + Buffer.byteLength(name) + EXTRA;
  const bytes = await file.read(entry.start, guess + entry.packed);
  const header = headerLength(file, name, bytes);
  const packed =
    header <= guess
      ? bytes.subarray(header, header + entry.packed)
      : await file.read(entry.start + header, entry.packed);
  if (packed.length === entry.packed) return packed;
  throw damagedEntry(file, name, 'the archive ends before it does');
}

/** The first bytes of a compressed entry, `length` of them where it has as many. */
export async function deflatedHead(
  file: OpenFile,
  name: string,
  entry: ArchiveEntry,
  length: number,
): Promise<Buffer> {
  const start = await contentStart(file, name, entry);
  // What does not shrink is stored with 5 bytes for every block.
  const packed = await file.read(start, Math.min(entry.packed, length + EXTRA));
  try {
    return await inflate(packed, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    throw damagedEntry(file, name, 'it does not unpack');
  }
}

/** Where the contents of an entry begin in the archive. */
export async function contentStart(
  file: OpenFile,
  name: string,
  entry: ArchiveEntry,
): Promise<number> {
  const bytes = await file.read(entry.start, LOCAL_HEADER);
  return entry.start + headerLength(file, name, bytes);
}

function headerLength(file: OpenFile, name: string, header: Buffer): number {
  if (header.length >= LOCAL_HEADER && header.readUInt32LE(0) === 0x04034b50) {
    return LOCAL_HEADER + header.readUInt16LE(26) + header.readUInt16LE(28);
  }
  throw damagedEntry(file, name, 'it has no header where the directory says');
}

function damagedEntry(file: OpenFile, name: string, what: string): Error {
  return new CarryoverError('bad-input', `${file.path}/${name}: damaged in the archive: ${what}`, {
    file: file.path,
    wayOut: 'fetch or make the archive anew',
  });
}

/** yauzl's way to the bytes; every failure goes to its callback. */
class Reader extends RandomAccessReader {
  readonly #file: OpenFile;

  constructor(file: OpenFile) {
    super();
    this.#file = file;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.#file.read(position, length).then(
      (bytes) => {
        buffer.set(bytes, offset);
        const short = bytes.length < length ? new Error('it is cut off') : null;
        setImmediate(callback, short);
      },
      (error: unknown) =>
        setImmediate(callback, error instanceof Error ? error : new Error(String(error))),
    );
  }
}
