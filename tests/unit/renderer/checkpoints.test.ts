import { describe, expect, test } from 'vitest';
import type { MatchReport, Preprocessing } from '../../../contract/checkpoints.ts';
import {
  formOf,
  isWeightsName,
  preprocessingText,
  readForm,
  suggestedName,
  tensorRows,
} from '../../../renderer/src/checkpoints/facts.ts';

const UNKNOWN: Preprocessing = {
  size: null,
  mean: null,
  std: null,
  interpolation: null,
  crop: null,
};
const KNOWN: Preprocessing = {
  size: 224,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  interpolation: 'bicubic',
  crop: 0.95,
};

describe('how images were fed', () => {
  test('is said with what is not known', () => {
    expect(preprocessingText(UNKNOWN)).toBe('size not said, mean not said, std not said');
    expect(preprocessingText(KNOWN)).toBe(
      '224 px, mean 0.485 0.456 0.406, std 0.229 0.224 0.225, bicubic, centre crop 0.95',
    );
  });

  test('goes through the form unchanged', () => {
    expect(readForm(formOf(KNOWN))).toEqual({ given: KNOWN, wrong: [] });
    expect(readForm(formOf(UNKNOWN))).toEqual({ given: {}, wrong: [] });
  });

  test.each([
    [{ size: '2.5' }, ['size']],
    [{ size: '-1', mean: '0.5 0.5' }, ['size', 'mean']],
    [{ std: '1, 0, 1' }, ['std']],
    [{ crop: '1.2' }, ['crop']],
    [{ mean: 'a, b, c' }, ['mean']],
  ])('%j is not taken', (typed, wrong) => {
    expect(readForm({ ...formOf(UNKNOWN), ...typed })).toEqual({ given: {}, wrong });
  });

  test('numbers may be parted by spaces, commas or semicolons', () => {
    const { given } = readForm({ ...formOf(UNKNOWN), mean: ' 1;2 , 3 ', std: '1 2 3' });
    expect(given).toEqual({ mean: [1, 2, 3], std: [1, 2, 3] });
  });
});

test('troubles stand first, and each tensor once', () => {
  const match = {
    matched: [
      { from: 'module.a', to: 'a', shape: [3, 3], how: 'transposed' },
      { from: 'b', to: 'b', shape: [], how: null },
    ],
    missing: [{ name: 'c', shape: [4] }],
    unexpected: [{ name: 'd', shape: [5, 6] }],
    wrongShape: [{ name: 'e', found: [1], needed: [2] }],
    reinitialised: [
      { name: 'c', why: 'not there' },
      { name: 'e', why: 'shape' },
      { name: 'fc.weight', why: 'the file has no head' },
    ],
  } as unknown as MatchReport;
  expect(tensorRows(match).map(({ state, name }) => [state, name])).toEqual([
    ['missing', 'c'],
    ['another shape', 'e'],
    ['unexpected', 'd'],
    ['at random', 'fc.weight'],
    ['matched', 'a'],
    ['matched', 'b'],
  ]);
  expect(tensorRows(match).slice(-2)).toMatchObject([
    { shape: '3 × 3', note: 'from module.a; transposed' },
    { shape: 'scalar', note: '' },
  ]);
});

test('weights are told from folders of images by their endings', () => {
  for (const name of ['a.safetensors', 'B.PTH', 'x.pth.tar', 'model.json', 'm.keras']) {
    expect(isWeightsName(name), name).toBe(true);
  }
  for (const name of ['images', 'a.png', 'pth', 'data.zip']) {
    expect(isWeightsName(name), name).toBe(false);
  }
});

test.each([
  ['/a/b/resnet18-f37072fd.pth', 'resnet18-f37072fd'],
  ['C:\\w\\mein Größtes.safetensors', 'mein Gr-tes'],
  ['/a/.hidden.pt', 'hidden'],
  ['/a/ß.pt', 'checkpoint'],
  [`/a/${'x'.repeat(90)}.onnx`, 'x'.repeat(64)],
])('a name from %s', (path, name) => {
  expect(suggestedName(path)).toBe(name);
  expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/);
});
