import { expect, test } from 'vitest';
import { withoutShapes } from '../../host/datasets/formats/coco-shapes.ts';

function strip(text: string): string {
  return withoutShapes(Buffer.from(text)).toString();
}

test('outlines go, whatever their form; all else stays', () => {
  const annotations = [
    {
      id: 1,
      segmentation: [
        [1, 2.5],
        [3, [4]],
      ],
      category_id: 7,
    },
    { id: 2, segmentation: { counts: ']}{["\\', size: [1, 2] }, note: 'é "segmentation' },
    { segmentation: [] },
    { id: 4, segmentation: null, bbox: [1, 2] },
  ];
  const expected = annotations.map((one) => ({
    ...one,
    ...(one.segmentation !== null && { segmentation: 0 }),
  }));
  for (const indent of [0, 2]) {
    expect(JSON.parse(strip(JSON.stringify({ annotations }, null, indent)))).toEqual({
      annotations: expected,
    });
  }
});

test('a file without outlines is not touched, a cut one stays broken', () => {
  expect(strip('{"images": [1, 2]}')).toBe('{"images": [1, 2]}');
  expect(strip('')).toBe('');
  expect(() => JSON.parse(strip('{"a": {"segmentation": [[1, 2'))).toThrow();
});
