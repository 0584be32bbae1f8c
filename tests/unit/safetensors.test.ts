import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../engine/formats/safetensors.ts';

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 });
const files = fc.dictionary(fc.string({ minLength: 1, maxLength: 12 }), shapes, { maxKeys: 6 });

function tensorsOf(file: Record<string, number[]>) {
  return new Map(
    Object.entries(file).map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [name, { shape, data: Float32Array.from({ length: size }, (_, i) => i - 0.5) }];
    }),
  );
}

describe('safetensors', () => {
  it('gives back what was written, from a buffer at any offset', () => {
    fc.assert(
      fc.property(files, fc.integer({ min: 0, max: 9 }), (file, offset) => {
        delete file['__metadata__'];
        const tensors = tensorsOf(file);
        const bytes = encodeSafetensors({ tensors, metadata: { a: 'b' } });
        const shifted = Buffer.concat([Buffer.alloc(offset), bytes]).subarray(offset);
        const read = decodeSafetensors(shifted, 'x');
        expect(read.metadata).toEqual({ a: 'b' });
        expect([...read.tensors.keys()]).toEqual([...tensors.keys()].map(String));
        for (const [name, { shape, data }] of tensors) {
          expect(read.tensors.get(name)).toEqual({ shape, data });
        }
      }),
    );
  });

  it('lays bytes out as the format says', () => {
    const tensors = new Map([['w', { shape: [2], data: Float32Array.of(1, -2) }]]);
    const bytes = Buffer.from(encodeSafetensors({ tensors, metadata: {} }));
    const length = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<string, unknown>;
    expect(header['w']).toEqual({ dtype: 'F32', shape: [2], data_offsets: [0, 8] });
    expect(bytes.readFloatLE(8 + length)).toBe(1);
    expect(bytes.readFloatLE(12 + length)).toBe(-2);
    expect(length % 8).toBe(0);
  });

  it('names a damaged file and what is wrong, whatever byte is missing', () => {
    const tensors = new Map([['w', { shape: [3], data: Float32Array.of(1, 2, 3) }]]);
    const bytes = encodeSafetensors({ tensors, metadata: {} });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSafetensors(bytes.subarray(0, length), 'cut.safetensors')).toThrow(
        /cut\.safetensors is not a usable safetensors file/,
      );
    }
    expect(() => decodeSafetensors(new Uint8Array(), 'x')).toThrow(CarryoverError);
  });
});
