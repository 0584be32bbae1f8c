import { CarryoverError } from '../../contract/errors.ts';
import type { OpenFile } from './file.ts';
import { damaged, withFile } from './file.ts';
import type { ArchiveEntry, ArchiveIndex } from './index.ts';
import { Kept } from './kept.ts';
import { indexTar, isTarHeader } from './tar.ts';
import { contentStart, deflatedHead, indexZip, readZipEntry } from './zip.ts';

const BLOCK = 512;
const ZIP_STARTS = ['PK\x03\x04', 'PK\x05\x06'];
/** First bytes of what packs archives as a whole. */
const COMPRESSED: [string, string][] = [
  ['gzip', '\x1f\x8b'],
  ['bzip2', 'BZh'],
  ['xz', '\xfd7zXZ'],
  ['Zstandard', '\x28\xb5\x2f\xfd'],
  ['7-Zip', '7z\xbc\xaf\x27\x1c'],
  ['RAR', 'Rar!'],
];

/** The lists of the archives used last, up to so many entries of them (some 150 bytes each). */
const indexes = new Kept<ArchiveIndex>(500_000, ({ entries }) => entries.size + 100);

/**
 * What a zip or tar archive holds, told by its content. The list is kept while the file stays as it is.
 * @throws not-found, io, or bad-input: neither zip nor tar, cut off, damaged, over 2,000,000 entries
 */
export async function openArchive(path: string): Promise<ArchiveIndex> {
  return withFile(path, indexOf);
}

/**
 * The unpacked bytes of an entry.
 * @param limit in bytes; a longer entry is refused before it is read
 * @throws as openArchive; not-found where there is no such entry (any more)
 */
export async function readEntry(path: string, name: string, limit: number): Promise<Buffer> {
  return withFile(path, async (file) => {
    const { kind, entry } = await find(file, name);
    if (entry.bytes > limit) throw tooLarge(path, name, entry.bytes, limit);
    if (kind === 'zip') return readZipEntry(file, name, entry);
    const bytes = await file.read(entry.start, entry.bytes);
    if (bytes.length === entry.bytes) return bytes;
    throw damaged(path, `truncated: “${name}” is not all there`);
  });
}

/** The beginning of an entry. */
export interface EntryHead {
  /** At least as many bytes as were asked for where the entry has them. */
  head: Buffer;
  /** Of the whole entry, unpacked. */
  bytes: number;
  /** Where it lies in the archive as it is; null: it is compressed. */
  start: number | null;
}

/** Reads the beginning of an entry of an open archive. Throws as readEntry. */
export async function entryHead(file: OpenFile, name: string, length: number): Promise<EntryHead> {
  const { kind, entry } = await find(file, name);
  const { bytes, deflated } = entry;
  if (deflated) return { head: await deflatedHead(file, name, entry, length), bytes, start: null };
  const start = kind === 'tar' ? entry.start : await contentStart(file, name, entry);
  return { head: await file.read(start, Math.min(length, bytes)), bytes, start };
}

async function find(
  file: OpenFile,
  name: string,
): Promise<{ kind: ArchiveIndex['kind']; entry: ArchiveEntry }> {
  const { kind, entries } = await indexOf(file);
  const entry = entries.get(name);
  if (entry !== undefined) return { kind, entry };
  throw new CarryoverError('not-found', `${file.path}: the archive has no entry “${name}”`, {
    file: file.path,
    value: name,
  });
}

async function indexOf(file: OpenFile): Promise<ArchiveIndex> {
  return indexes.get(file.path, file, () => listArchive(file));
}

async function listArchive(file: OpenFile): Promise<ArchiveIndex> {
  const start = await file.read(0, BLOCK);
  const text = start.toString('latin1', 0, 8);
  if (ZIP_STARTS.some((magic) => text.startsWith(magic))) return indexZip(file);
  if (isTarHeader(start)) return indexTar(file);
  if (start.length === 0) throw damaged(file.path, 'the file is empty (0 bytes)');
  const packing = COMPRESSED.find(([, magic]) => text.startsWith(magic))?.[0];
  throw packing === undefined
    ? damaged(file.path, 'neither a zip nor a tar archive', 'give a .zip or an uncompressed .tar')
    : compressed(file.path, packing);
}

/** A compressed archive: no entry can be read without unpacking all before it. */
export function compressed(path: string, packing: string): CarryoverError {
  return new CarryoverError(
    'unsupported',
    `${path}: archives packed by ${packing} are not read, since every image would have to be unpacked anew`,
    { file: path, wayOut: 'unpack it and give the folder, or make a .zip or an uncompressed .tar' },
  );
}

function tooLarge(path: string, name: string, bytes: number, limit: number): CarryoverError {
  const megabytes = (count: number) => Math.round(count / 2 ** 20);
  return new CarryoverError(
    'bad-input',
    `${path}/${name}: ${megabytes(bytes)} MB is over the limit of ${megabytes(limit)} MB`,
    { file: path, value: name },
  );
}
