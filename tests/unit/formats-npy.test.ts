import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import { memoryBytes } from '../../engine/formats/bytes.ts';
import { decodeNpy, encodeNpy, readNpy } from '../../engine/formats/npy.ts';
import { expected, floats, reference } from './formats-support.ts';

describe('.npy', () => {
  it.each(Object.entries(expected['npy']!))("reads NumPy's %s array", (name, array) => {
    const { shape, data } = readNpy(reference(`${name}.npy`));
    expect(shape).toEqual(array.shape);
    expect(data).toEqual(floats(array));
  });

  it('writes byte for byte what NumPy does', () => {
    const path = reference('float32.npy');
    expect(Buffer.from(encodeNpy(readNpy(path)))).toEqual(readFileSync(path));
  });

  it('gives back what was written, of any rank', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { maxLength: 5 }), (shape) => {
        const size = shape.reduce((a, b) => a * b, 1);
        const array = { shape, data: Float32Array.from({ length: size }, (_, i) => i / 3) };
        expect(decodeNpy(memoryBytes(encodeNpy(array), 'x'))).toEqual({
          ...array,
          element: 'float32',
        });
      }),
    );
  });

  it('refuses to write numbers that are not of the shape', () => {
    expect(() => encodeNpy({ shape: [2], data: new Float32Array(3) })).toThrow(RangeError);
  });

  it('names a file of complex numbers and the way out', () => {
    expect(() => readNpy(reference('complex.npy'))).toThrow(/complex\.npy.*not one of real/s);
    expect(() => readNpy(reference('absent.npy'))).toThrow(/there is no file/);
  });

  it('names a damaged file, wherever it is cut or changed', () => {
    const bytes = Buffer.from(encodeNpy({ shape: [3, 2], data: new Float32Array(6) }));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeNpy(memoryBytes(bytes.subarray(0, length), 'cut.npy'))).toThrow(
        CarryoverError,
      );
    }
    const other = Buffer.from(bytes.toString('latin1').replace('(3, 2)', "(3,'x"), 'latin1');
    expect(() => decodeNpy(memoryBytes(other, 'x.npy'))).toThrow(/x\.npy.*not understood/s);
  });
});
