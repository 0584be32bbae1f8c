import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { RawWeights } from '../../engine/formats/weights.ts';

/** Files that tests/reference/make_formats.py wrote with PyTorch and NumPy. */
const FILES = join(import.meta.dirname, '../reference/formats');

export interface ExpectedTensor {
  shape: number[];
  dtype?: string;
  /** float32, little-endian, in base64. */
  values: string;
}
type Expected = Record<string, Record<string, ExpectedTensor>>;

export const expected = JSON.parse(readFileSync(join(FILES, 'expected.json'), 'utf8')) as Expected;

export function reference(name: string): string {
  return join(FILES, name);
}

export function floats({ values }: ExpectedTensor): Float32Array {
  return new Float32Array(new Uint8Array(Buffer.from(values, 'base64')).buffer);
}

/** Every tensor of `weights`, and no other, has the shape, type and values of `tensors`, bit by bit. */
export function expectTensors(
  weights: Pick<RawWeights, 'tensors'>,
  tensors: Record<string, ExpectedTensor>,
): void {
  expect([...weights.tensors.keys()].sort()).toEqual(Object.keys(tensors).sort());
  for (const [name, tensor] of Object.entries(tensors)) {
    const found = weights.tensors.get(name)!;
    expect(found.shape, name).toEqual(tensor.shape);
    expect(found.dtype, name).toBe(tensor.dtype);
    expect(found.read(), name).toEqual(floats(tensor));
  }
}

/** A folder for each test, removed after it; the result writes a file there and gives its path. */
export function temporaryFiles(): (name: string, content: Uint8Array | string) => string {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'carryover-formats-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
}
