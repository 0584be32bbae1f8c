import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hammingDistance, perceptualHash } from '../../engine/analysis/phash.ts';

const REFERENCE = join(import.meta.dirname, '..', 'reference', 'phash.json');
const references = JSON.parse(readFileSync(REFERENCE, 'utf8')) as {
  name: string;
  luma: string;
  hash: string;
}[];

describe('perceptualHash', () => {
  test.each(references)('of $name is the one that SciPy gives', ({ luma, hash }) => {
    const found = perceptualHash(Uint8Array.from(Buffer.from(luma, 'hex')));
    expect(found.toString(16).padStart(16, '0')).toBe(hash);
  });

  const pictures = fc.uint8Array({ minLength: 1024, maxLength: 1024 });

  test('darkening moves few bits, and the same picture has the same hash', () => {
    const factors = fc.double({ min: 0.6, max: 1, noNaN: true });
    fc.assert(
      fc.property(pictures, factors, (luma, factor) => {
        const darker = luma.map((value) => Math.round(value * factor));
        expect(perceptualHash(luma.slice())).toBe(perceptualHash(luma));
        expect(hammingDistance(perceptualHash(luma), perceptualHash(darker))).toBeLessThan(8);
      }),
    );
  });

  test('different pictures are far apart', () => {
    const unlike = ['noise', 'dark noise', 'off-centre disc', 'waves', 'smooth noise'];
    const chosen = references.filter(({ name }) => unlike.includes(name));
    const hashes = chosen.map(({ hash }) => BigInt(`0x${hash}`));
    expect(hashes).toHaveLength(unlike.length);
    for (const [i, a] of hashes.entries()) {
      for (const b of hashes.slice(i + 1)) expect(hammingDistance(a, b)).toBeGreaterThan(12);
    }
  });
});

test('hammingDistance counts differing bits, also of hashes that SQLite gave back signed', () => {
  const bits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  fc.assert(
    fc.property(bits, bits, (a, b) => {
      const expected = (a ^ b).toString(2).replaceAll('0', '').length;
      expect(hammingDistance(a, b)).toBe(expected);
      expect(hammingDistance(BigInt.asIntN(64, a), b)).toBe(expected);
    }),
  );
});
