import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findingsOn, sliceOf, slabOf } from '../../../host/samples/brain.ts';
import { readNifti } from '../../../host/samples/nifti.ts';
import { niftiFile } from './nifti-support.ts';

describe('a NIfTI volume', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'carryover-nifti-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const read = (bytes: Buffer) => {
    const path = join(folder, 'volume.nii');
    writeFileSync(path, bytes);
    return readNifti(path);
  };
  const values = [0, 1, 2, 3, 4, 5];

  it('is read in every type of value, gzipped or not, scaled', async () => {
    for (const type of [2, 4, 16] as const) {
      const file = niftiFile({ size: [3, 2, 1], values, type, slope: 2 });
      for (const bytes of [file, gzipSync(file)]) {
        const { volume } = await read(bytes);
        expect(volume.size).toEqual([3, 2, 1]);
        expect([...volume.values]).toEqual([0, 2, 4, 6, 8, 10]);
      }
    }
  });

  it('is turned so that its axes run right, to the front and up', async () => {
    // The file's first axis runs down, its second to the left, its third to the back.
    const affine = [
      [0, -2, 0, 0],
      [0, 0, -3, 0],
      [-1, 0, 0, 0],
    ];
    const file = niftiFile({ size: [3, 2, 1], values, spacing: [1, 2, 3], affine });
    const { volume } = await read(file);
    expect(volume.size).toEqual([2, 1, 3]);
    expect(volume.spacing).toEqual([2, 3, 1]);
    expect([...volume.values]).toEqual([5, 2, 4, 1, 3, 0]);
  });

  it('brings the text of its extensions along', async () => {
    const file = niftiFile({ size: [3, 2, 1], values, comment: '\0\0\0\x011\tl_insula\n' });
    expect((await read(file)).comment).toContain('1\tl_insula');
  });

  it.each([
    ['another file', Buffer.alloc(400), /not a little-endian NIfTI-1/],
    ['a cut-off file', niftiFile({ size: [3, 2, 1], values }).subarray(0, 360), /do not fit/],
    [
      'damaged gzip data',
      gzipSync(niftiFile({ size: [3, 2, 1], values })).subarray(0, 40),
      /volume\.nii/,
    ],
  ])('%s is refused by name', async (_, bytes, reason) => {
    await expect(read(bytes)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(reason),
      detail: { file: expect.stringContaining('volume.nii') },
    });
  });
});

describe('slices', () => {
  /** Value x + 10 y + 100 z. */
  const size = [2, 3, 2] as const;
  const values = Uint8Array.from({ length: 12 }, (_, at) => {
    return (at % 2) + 10 * (Math.floor(at / 2) % 3) + 100 * Math.floor(at / 6);
  });
  const volume = { size, spacing: [1, 1, 1] as const, values: new Float32Array(12) };

  it('have up above, and in axial ones the front', () => {
    expect([...sliceOf(values, volume, 'axial', 1).data]).toEqual([120, 121, 110, 111, 100, 101]);
    expect([...sliceOf(values, volume, 'coronal', 2).data]).toEqual([120, 121, 20, 21]);
    expect(sliceOf(values, volume, 'sagittal', 1)).toEqual({
      data: Uint8Array.from([101, 111, 121, 1, 11, 21]),
      width: 3,
      height: 2,
    });
  });

  it('have findings by the area of their structures', () => {
    const structures = Uint8Array.from([1, 1, 1, 1, 2, 0, 0, 0]);
    const found = findingsOn(structures, {
      names: ['Insula', 'Thalamus', 'Vermis'],
      placeArea: 0.5,
      presentArea: 2,
    });
    expect([...found]).toEqual([
      ['Insula', 1],
      ['Thalamus', -1],
      ['Vermis', 0],
    ]);
  });

  it('of one slab are neighbours; left and right are one in sagittal ones', () => {
    const slabs = (view: 'axial' | 'sagittal') =>
      Array.from({ length: 12 }, (_, index) => slabOf(index, { side: 12, slabs: 3, view }));
    expect(slabs('axial')).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    expect(slabs('sagittal')).toEqual([2, 2, 1, 1, 0, 0, 0, 0, 1, 1, 2, 2]);
  });
});
