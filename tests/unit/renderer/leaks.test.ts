import { expect, test } from 'vitest';
import { leakyJson, leakySvg, withLeaks, wrapped } from '../../../renderer/src/lib/leaks.ts';

const TABLE = { header: ['arm', 'accuracy'], rows: [['RI-T', 0.5]] };
const LEAKS = ['leak: 3 of 9 test images', 'leak: 1 of 9 test images'];

test('what is exported from a split that leaks says so in every row; else it is as it was', () => {
  expect(withLeaks(TABLE, LEAKS)).toEqual({
    header: ['arm', 'accuracy', 'leak'],
    rows: [['RI-T', 0.5, LEAKS.join('; ')]],
  });
  expect(withLeaks(TABLE, [])).toEqual(TABLE);
  expect(leakyJson([1], LEAKS)).toEqual({ leaks: LEAKS, numbers: [1] });
  expect(leakyJson([1], [])).toEqual([1]);
});

test('a figure that is saved as SVG, and as PNG from it, grows by the lines of what leaks', () => {
  const svg = '<svg class="chart" viewBox="0 0 100 50.5"><path/>\n</svg>';
  const leaky = leakySvg(svg, ['leak: by <patient> & more of it']);
  const [height, ...ys] = [...leaky.matchAll(/100 ([\d.]+)"| y="([\d.]+)"/g)].map(([, box, y]) =>
    Number(box ?? y),
  );
  expect(ys.length).toBeGreaterThan(1);
  expect(Math.min(...ys)).toBeGreaterThan(50.5);
  expect(height).toBeGreaterThan(Math.max(...ys));
  expect(leaky.replace(/<[^>]*>/g, ' ')).toContain('&#60;patient>');
  expect(leaky).toMatch(/<\/text><\/svg>$/);
  expect(leakySvg(svg, [])).toBe(svg);
});

test('a line on a picture breaks between words; one that is too long alone stays whole', () => {
  const lines = wrapped('a bb ccc immeasurable d', 6, (text) => text.length);
  expect(lines).toEqual(['a bb', 'ccc', 'immeasurable', 'd']);
});
