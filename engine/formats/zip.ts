import { inflateRawSync } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader } from 'yauzl';
import { packingRefusal, STORED } from '../archives/zip.ts';
import { type ByteSource, memoryBytes, partOf } from './bytes.ts';
import { unusable } from './failure.ts';

const MAX_ENTRIES = 100_000;
/** A compressed entry is unpacked in memory, so it may not be huge. */
const MAX_UNPACKED = 2 ** 32;

/**
 * The entries of a zip archive (zip64 too) by name, folders left out. A stored entry is a window
 * on the archive; a deflated one is unpacked, whole, on every read. Checksums are not compared:
 * torch.save can be told not to write them.
 * @throws CarryoverError `bad-input` where the archive is damaged
 */
export async function readZip(source: ByteSource): Promise<Map<string, ByteSource>> {
  const entries = new Map<string, ByteSource>();
  try {
    const archive = await fromRandomAccessReaderPromise(new Reader(source), source.size, {
      autoClose: false,
    });
    if (archive.entryCount > MAX_ENTRIES) throw new Error(`it lists ${archive.entryCount} entries`);
    for await (const entry of archive.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue;
      const { fileDataStart } = await archive.readLocalFileHeaderPromise(entry, { minimal: true });
      entries.set(entry.fileName, entrySource(source, entry, fileDataStart));
    }
  } catch (error) {
    throw unusable(
      source.file,
      'zip archive',
      error instanceof Error ? error.message : String(error),
    );
  }
  return entries;
}

function entrySource(archive: ByteSource, entry: Entry, start: number): ByteSource {
  const { fileName, compressionMethod, compressedSize, uncompressedSize } = entry;
  const packed = partOf(archive, start, compressedSize);
  const refusal = packingRefusal(entry);
  if (refusal !== null) throw new Error(`"${fileName}": ${refusal}`);
  if (compressionMethod === STORED) return packed;
  if (uncompressedSize > MAX_UNPACKED) {
    throw new Error(`"${fileName}": it claims to unpack to ${uncompressedSize} bytes`);
  }
  return deflatedSource(packed, fileName, uncompressedSize);
}

function deflatedSource(packed: ByteSource, name: string, size: number): ByteSource {
  const { file } = packed;
  return {
    file,
    size,
    read(offset, length) {
      const unpacked = inflate(packed, name, size);
      return memoryBytes(unpacked, file).read(offset, length);
    },
  };
}

function inflate(packed: ByteSource, name: string, size: number): Uint8Array {
  try {
    const bytes = inflateRawSync(packed.read(0, packed.size), {
      maxOutputLength: Math.max(size, 1),
    });
    if (bytes.length === size) return bytes;
  } catch {
    // Said below: the entry is not what the directory promises.
  }
  throw unusable(packed.file, 'zip archive', `"${name}" does not unpack to ${size} bytes`);
}

/** yauzl's way to the bytes; every failure goes to its callback. */
class Reader extends RandomAccessReader {
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    let failure: Error | null = null;
    try {
      buffer.set(this.#source.read(position, length), offset);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    setImmediate(callback, failure);
  }
}
