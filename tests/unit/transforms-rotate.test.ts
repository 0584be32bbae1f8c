import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rotatePlane } from '../../engine/transforms/rotate.ts';

const rotated = (values: readonly number[], side: number, turns: number): number[] => {
  const plane = Float32Array.from(values);
  rotatePlane(plane, side, turns);
  return [...plane];
};

// numpy.rot90(numpy.arange(1, 10).reshape(3, 3), turns).ravel()
test.each([
  [0, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
  [1, [3, 6, 9, 2, 5, 8, 1, 4, 7]],
  [2, [9, 8, 7, 6, 5, 4, 3, 2, 1]],
  [3, [7, 4, 1, 8, 5, 2, 9, 6, 3]],
])('%i quarter turns are those of NumPy', (turns, expected) => {
  expect(rotated([1, 2, 3, 4, 5, 6, 7, 8, 9], 3, turns)).toEqual(expected);
});

test('turns add up, and four are none', () => {
  const planes = fc.integer({ min: 1, max: 6 }).chain((side) =>
    fc.record({
      side: fc.constant(side),
      values: fc.array(fc.integer({ min: -9, max: 9 }), {
        minLength: side * side,
        maxLength: side * side,
      }),
      a: fc.integer({ min: 0, max: 3 }),
      b: fc.integer({ min: 0, max: 3 }),
    }),
  );
  fc.assert(
    fc.property(planes, ({ side, values, a, b }) => {
      const twice = rotated(rotated(values, side, a), side, b);
      expect(twice).toEqual(rotated(values, side, (a + b) % 4));
    }),
  );
});
