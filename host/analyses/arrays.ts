import { hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError, writeFileAtomic } from '../files.ts';
import type { FeatureRows } from './protocol.ts';
import type { AnalysisFile } from './store.ts';

const BLOCK_BYTES = 8_000_000;

/** Writes an array of an analysis; the file is whole or not there. */
export async function writeArray(
  folder: string,
  name: string,
  array: Float32Array | Int32Array,
): Promise<AnalysisFile> {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  await writeFileAtomic(join(folder, name), bytes);
  return { name, bytes: bytes.byteLength, sha256: hash('sha256', bytes) };
}

/** Rows of a float32 file, in blocks of whole rows; a block is overwritten by the next. */
export async function* rowBlocks(
  file: string,
  dimensions: number,
): AsyncGenerator<{ first: number; values: Float32Array }> {
  const rowBytes = 4 * dimensions;
  const rows = Math.max(1, Math.floor(BLOCK_BYTES / rowBytes));
  const block = new Float32Array(rows * dimensions);
  const bytes = new Uint8Array(block.buffer);
  const handle = await open(file).catch((error: unknown) => {
    throw fileError(error, file, 'read');
  });
  try {
    for (let first = 0; ; first += rows) {
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, first * rowBytes);
      const values = block.subarray(0, Math.floor(bytesRead / rowBytes) * dimensions);
      if (values.length > 0) yield { first, values };
      if (bytesRead < bytes.length) return;
    }
  } finally {
    await handle.close();
  }
}

/** The chosen rows, in their order: [row, dimension]. */
export async function readRows({ file, dimensions, rows }: FeatureRows): Promise<Float32Array> {
  const result = new Float32Array(rows.length * dimensions);
  const byRow = Map.groupBy(rows.keys(), (at) => rows[at]!);
  for await (const { first, values } of rowBlocks(file, dimensions)) {
    for (let row = 0; row * dimensions < values.length; row++) {
      for (const at of byRow.get(first + row) ?? []) {
        const from = row * dimensions;
        result.set(values.subarray(from, from + dimensions), at * dimensions);
      }
    }
  }
  return result;
}
