import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  elementTop,
  gridShape,
  moveByKey,
  scrolledTo,
  scrollFor,
  TALLEST,
  visibleRange,
} from '../../../renderer/src/lib/grid.ts';

describe('the shape of a grid', () => {
  it('fills the width with as many columns as fit', () => {
    const shape = gridShape(10, 500, 100, 8, 20);
    expect(shape.columns).toBe(4);
    expect(shape.tileWidth * 4 + 8 * 3).toBeCloseTo(500);
    expect(shape.rows).toBe(3);
    expect(shape.height).toBeCloseTo(3 * (shape.tileWidth + 28));
  });

  it('has one column where not even one tile fits, and no rows for no items', () => {
    expect(gridShape(5, 40, 100, 8, 0).columns).toBe(1);
    expect(gridShape(0, 500, 100, 8, 0)).toMatchObject({ rows: 0, height: 0 });
  });
});

describe('what is drawn', () => {
  it('covers the view, stays inside the list and is small in a list of a million', () => {
    const shape = gridShape(1_000_000, 1000, 90, 8, 22);
    const range = visibleRange(shape, 1_000_000, shape.height / 2, 800);
    const firstRow = Math.floor(shape.height / 2 / shape.rowHeight);
    expect(range.from).toBeLessThanOrEqual(firstRow * shape.columns);
    expect(range.to).toBeGreaterThanOrEqual((firstRow + 6) * shape.columns);
    expect(range.to - range.from).toBeLessThan(200);
    expect(visibleRange(shape, 1_000_000, shape.height, 800).to).toBe(1_000_000);
  });
});

describe('scrolling to an item', () => {
  const shape = gridShape(100, 400, 100, 0, 0);

  it('moves no more than needed', () => {
    expect(scrollFor(shape, 9, 150, 300)).toBe(150);
    expect(scrollFor(shape, 0, 150, 300)).toBe(0);
    expect(scrollFor(shape, 40, 0, 300)).toBe(800);
  });
});

describe('a list taller than browsers scroll', () => {
  const height = 95_000_000;
  const view = 800;

  it('is the element itself where it is not', () => {
    expect(elementTop(5000, view, 1200)).toBe(1200);
    expect(scrolledTo(5000, view, { list: 0, element: 0 }, 1200)).toBe(1200);
  });

  it('begins and ends with the element', () => {
    expect(elementTop(height, view, 0)).toBe(0);
    expect(elementTop(height, view, height - view)).toBeCloseTo(TALLEST - view);
    const before = { list: 0, element: 0 };
    expect(scrolledTo(height, view, before, TALLEST - view)).toBeCloseTo(height - view);
  });

  it('moves a small step as it is and jumps by the share', () => {
    const element = 8_000_000;
    const list = (element / (TALLEST - view)) * (height - view);
    expect(scrolledTo(height, view, { list, element }, element + 100)).toBeCloseTo(list + 100);
    expect(elementTop(height, view, scrolledTo(height, view, { list, element }, 3e6))).toBeCloseTo(
      3e6,
    );
    expect(scrolledTo(height, view, { list: 10, element: 40 }, 0)).toBe(0);
  });
});

describe('keys', () => {
  const move = (key: string, index: number) => moveByKey(key, index, 10, 4, 2);

  it('step by one, by a row, by a screen, to the ends', () => {
    expect(move('ArrowRight', 3)).toBe(4);
    expect(move('ArrowLeft', 0)).toBe(0);
    expect(move('ArrowDown', 1)).toBe(5);
    expect(move('ArrowUp', 5)).toBe(1);
    expect(move('PageDown', 0)).toBe(8);
    expect(move('Home', 7)).toBe(0);
    expect(move('End', 0)).toBe(9);
  });

  it('stay on the first row going up, and reach a short last row going down', () => {
    expect(move('ArrowUp', 2)).toBe(2);
    expect(move('ArrowDown', 7)).toBe(9);
    expect(move('ArrowDown', 9)).toBe(9);
  });

  it('begin at the start when nothing is selected, and leave other keys alone', () => {
    expect(move('ArrowRight', -1)).toBe(0);
    expect(move('End', -1)).toBe(9);
    expect(move('a', 0)).toBeNull();
    expect(moveByKey('Home', -1, 0, 4, 2)).toBeNull();
  });

  it('never leave the list', () => {
    const key = fc.constantFrom('ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End');
    fc.assert(
      fc.property(
        key,
        fc.nat(500),
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 9 }),
        (name, at, total, columns) => {
          const to = moveByKey(name, Math.min(at, total - 1), total, columns, 3) ?? -1;
          expect(to).toBeGreaterThanOrEqual(0);
          expect(to).toBeLessThan(total);
        },
      ),
    );
  });
});
