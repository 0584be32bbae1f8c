import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Recipe } from '../../contract/study.ts';
import { recipeSchema } from '../../contract/study.ts';
import { stream } from '../../engine/random/streams.ts';
import { augmentInto, evaluationInto, storedSize } from '../../engine/transforms/augment.ts';
import { lumaOf, toGrey } from '../../engine/transforms/colour.ts';
import { enlargeBicubic, resampleBilinear } from '../../engine/transforms/resample.ts';
import pil from '../reference/pil.json' with { type: 'json' };
import reference from '../reference/resample.json' with { type: 'json' };

/** Values that come back unchanged: mean 0, std 1/255. */
const BYTES = { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] };

function recipe(augment: unknown, more: object = BYTES): Recipe {
  return recipeSchema.parse({ ...more, augment, background: '#ff8000' });
}

/** RGB interleaved; channel c of pixel (x, y) is 100 c + 10 y + x. */
function numbered(side: number): Uint8Array {
  return Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return 100 * (i % 3) + 10 * Math.floor(pixel / side) + (pixel % side);
  });
}

function augmented(source: Uint8Array, stored: number, r: Recipe, size: number, seed = 0) {
  const target = new Float32Array(3 * size * size);
  augmentInto(source, stored, r, stream(seed, 'augment'), size, target, 0);
  return target;
}

/** Channel c as rows of whole numbers. */
function rows(target: Float32Array, size: number, c = 0): number[][] {
  return Array.from({ length: size }, (_, y) =>
    Array.from({ length: size }, (_, x) => Math.round(target[(c * size + y) * size + x]!)),
  );
}

test('normalised planes at an offset: (v / 255 - mean) / std', () => {
  const r = recipe('none', { mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 2] });
  const target = new Float32Array(16).fill(7);
  const source = Uint8Array.from([0, 51, 102, 153, 204, 255, 10, 20, 30, 40, 50, 60]);
  augmentInto(source, 2, r, stream(0, 'a'), 2, target, 3);
  const expected = [0, 1, 2].flatMap((c) =>
    [0, 1, 2, 3].map((p) => (source[p * 3 + c]! / 255 - r.mean[c]!) / r.std[c]!),
  );
  expect([...target.slice(3, 15)]).toEqual(expected.map(Math.fround));
  expect([target[2], target[15]]).toEqual([7, 7]);
});

test('evaluation takes the centre of a larger stored image', () => {
  const target = new Float32Array(12);
  evaluationInto(numbered(5), 5, recipe('none'), 2, target, 0);
  expect(rows(target, 2)).toEqual([
    [11, 12],
    [21, 22],
  ]);
  expect(rows(target, 2, 2)[0]).toEqual([211, 212]);
});

test('images are stored larger only for random resized crops', () => {
  expect(storedSize(recipe('none'), 224)).toBe(224);
  expect(storedSize(recipe({ flip: true, shift: 4 }), 48)).toBe(48);
  expect(storedSize(recipe({ 'random-resized-crop': {} }), 224)).toBe(256);
  expect(storedSize(recipe({ 'random-resized-crop': {} }), 48)).toBe(55);
});

test('flip mirrors left and right, half of the time', () => {
  const r = recipe({ flip: true });
  const source = numbered(4);
  const results = Array.from({ length: 400 }, (_, seed) =>
    rows(augmented(source, 4, r, 4, seed), 4),
  );
  const flipped = results.filter((image) => image[0]![0] === 3);
  expect(flipped[0]).toEqual([
    [3, 2, 1, 0],
    [13, 12, 11, 10],
    [23, 22, 21, 20],
    [33, 32, 31, 30],
  ]);
  expect(flipped.length).toBeGreaterThan(160);
  expect(flipped.length).toBeLessThan(240);
});

test('shift moves the whole image each way equally often and shows the background', () => {
  const r = recipe({ shift: 1 });
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 900; seed++) {
    const target = augmented(numbered(3), 3, r, 3, seed);
    const image = rows(target, 3);
    const middle = image[1]![1]!;
    const dx = 1 - (middle % 10);
    const dy = 1 - Math.floor(middle / 10);
    counts.set(`${dx},${dy}`, (counts.get(`${dx},${dy}`) ?? 0) + 1);
    for (const [c, background] of [255, 128, 0].entries()) {
      const plane = rows(target, 3, c);
      for (let y = 0; y < 3; y++) {
        for (let x = 0; x < 3; x++) {
          const inside = x - dx >= 0 && x - dx < 3 && y - dy >= 0 && y - dy < 3;
          expect(plane[y]![x]).toBe(inside ? 100 * c + 10 * (y - dy) + (x - dx) : background);
        }
      }
    }
  }
  expect(counts.size).toBe(9);
  expect(Math.min(...counts.values())).toBeGreaterThan(60);
});

describe('random resized crop', () => {
  test('the whole area at ratio 1 is the plain resized image', () => {
    const r = recipe({ 'random-resized-crop': { scale: [1, 1], ratio: [1, 1] } });
    const source = numbered(8);
    const whole = { left: 0, top: 0, width: 8, height: 8 };
    const expected = resampleBilinear(source, 8, whole, 3, 7, 7);
    const target = augmented(source, 8, r, 7);
    expect(rows(target, 7).flat()).toEqual([...expected].filter((_, i) => i % 3 === 0));
  });

  test('a ratio that never fits falls back to the centre', () => {
    const r = recipe({ 'random-resized-crop': { scale: [1, 1], ratio: [2, 2] } });
    const source = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => 10 * Math.floor(i / 24));
    // Width 8, height 8 / 2: rows 2 to 5.
    const plane = rows(augmented(source, 8, r, 8), 8);
    expect(plane.map((row) => row[0])).toEqual([20, 23, 28, 33, 38, 43, 48, 50]);
  });

  test('crops stay inside and their areas fill the range', () => {
    const r = recipe({ 'random-resized-crop': { scale: [0.25, 1], ratio: [0.75, 4 / 3] } });
    // Channel 0 holds x, channel 1 holds y, so the crop can be read off the result.
    const side = 64;
    const source = Uint8Array.from({ length: side * side * 3 }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return [pixel % side, Math.floor(pixel / side), 0][i % 3]!;
    });
    const areas = Array.from({ length: 300 }, (_, seed) => {
      const target = augmented(source, side, r, 56, seed);
      const extent = (c: number) => {
        const values = rows(target, 56, c).flat();
        return Math.max(...values) - Math.min(...values) + 1;
      };
      return (extent(0) * extent(1)) / side ** 2;
    });
    expect(Math.min(...areas)).toBeGreaterThan(0.22);
    expect(Math.min(...areas)).toBeLessThan(0.32);
    expect(Math.max(...areas)).toBeGreaterThan(0.9);
  });
});

test('the same stream gives the same image, another stream another one', () => {
  const r = recipe({ flip: true, shift: 2, 'random-resized-crop': {} });
  const source = numbered(10);
  expect(augmented(source, 10, r, 8, 5)).toEqual(augmented(source, 10, r, 8, 5));
  expect(augmented(source, 10, r, 8, 5)).not.toEqual(augmented(source, 10, r, 8, 6));
});

test('a standard deviation of zero is refused', () => {
  const r = recipe('none', { std: [0.5, 0, 0.5] });
  expect(() => augmented(numbered(2), 2, r, 2)).toThrow(/std has 0/);
});

test.each(reference.cases)('bilinear $box to $width x $height equals torch', (expected) => {
  const { box, sourceWidth, source, width, height } = expected;
  const result = resampleBilinear(Uint8Array.from(source), sourceWidth, box, 3, width, height);
  expect(result.length).toBe(expected.expected.length);
  expected.expected.forEach((value, i) => {
    expect(Math.abs(result[i]! - value)).toBeLessThanOrEqual(0.500001);
  });
});

test('resampling keeps a flat image flat', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.integer({ min: 1, max: 9 }), (value, size) => {
      const box = { left: 1, top: 2, width: 3, height: 2 };
      const result = resampleBilinear(new Uint8Array(5 * 5).fill(value), 5, box, 1, size, 4);
      expect(new Set(result)).toEqual(new Set([value]));
    }),
  );
});

test.each(pil.bicubic)('bicubic to $width x $height equals PIL', (expected) => {
  const { sourceWidth, sourceHeight, source, width, height } = expected;
  const whole = { left: 0, top: 0, width: sourceWidth, height: sourceHeight };
  const bytes = Uint8Array.from(source);
  const result = enlargeBicubic(bytes, sourceWidth, whole, 3, width, height);
  expect(result.length).toBe(expected.expected.length);
  // PIL keeps its weights in 22 bits.
  expected.expected.forEach((value, i) => {
    expect(Math.abs(result[i]! - value)).toBeLessThanOrEqual(1);
  });
});

test('grey is the luma that PIL gives', () => {
  expect([...toGrey(Uint8Array.from(pil.luma.rgb))]).toEqual(pil.luma.grey);
  for (let v = 0; v < 256; v++) expect(lumaOf(v, v, v)).toBe(v);
});

test('shift and flip together move the mirrored image, in one channel as in three', () => {
  const side = 5;
  const grey = Uint8Array.from({ length: side * side }, (_, i) => 10 * i);
  const rgb = Uint8Array.from({ length: side * side * 3 }, (_, i) => grey[Math.floor(i / 3)]!);
  const r = { ...recipe({ flip: true, shift: 3 }), background: '#ff8000' };
  for (let seed = 0; seed < 50; seed++) {
    const random = stream(seed, 'augment');
    const [dx, dy] = [random.randint(-3, 4), random.randint(-3, 4)];
    const flip = random.randomSample() < 0.5;
    const value = (x: number, y: number, empty: number): number => {
      const [fromX, fromY] = [flip ? side - 1 - x - dx : x - dx, y - dy];
      const there = fromX >= 0 && fromX < side && fromY >= 0 && fromY < side;
      return there ? grey[fromY * side + fromX]! : empty;
    };
    const all = (empty: number) =>
      Array.from({ length: side }, (_, y) =>
        Array.from({ length: side }, (_, x) => value(x, y, empty)),
      );
    const one = new Float32Array(side * side);
    augmentInto(grey, side, r, stream(seed, 'augment'), side, one, 0, 1);
    expect(rows(one, side)).toEqual(all(lumaOf(255, 128, 0)));
    expect(rows(augmented(rgb, side, r, side, seed), side, 1)).toEqual(all(128));
  }
});

test('one channel is normalised by the averages of mean and std', () => {
  const r = recipe('none', { mean: [0.2, 0.3, 0.7], std: [0.5, 0.25, 0.75] });
  const target = new Float32Array(4);
  evaluationInto(Uint8Array.from([0, 51, 102, 255]), 2, r, 2, target, 0, 1);
  const expected = [0, 0.2, 0.4, 1].map((v) => Math.fround((v - 0.4) / 0.5));
  target.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
});
