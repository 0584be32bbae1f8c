import { expect, test } from 'vitest';
import { caution } from '../../../contract/analyses.ts';
import type { ImageRow } from '../../../contract/datasets.ts';
import { acceptance, checkedTag, verdictOf } from '../../../renderer/src/suspects/suspects.ts';

const row = (given: Partial<ImageRow>): ImageRow => ({
  ...{ id: 1, path: 'a.png', domain: 'd', label: 'cat', relabelledFrom: null, findings: {} },
  ...{ excluded: false, tags: [], group: 'g', width: 8, height: 8 },
  ...given,
});
const CAT = { label: 'cat', suggested: 'dog' };
const EDEMA = { label: 'absent', suggested: 'present' };

test('what was decided on a class is read off the image', () => {
  expect(verdictOf(CAT, row({}))).toBe('open');
  expect(verdictOf(CAT, row({ label: 'dog' }))).toBe('relabelled');
  expect(verdictOf(CAT, row({ tags: ['checked'] }))).toBe('kept');
  expect(verdictOf(CAT, row({ label: 'dog', excluded: true }))).toBe('excluded');
  expect(acceptance(CAT)).toEqual({ kind: 'relabel', value: 'dog' });
});

test('what was decided on a finding is that of this finding alone', () => {
  const verdict = (given: Partial<ImageRow>) => verdictOf(EDEMA, row(given), 'Edema');
  expect(verdict({ findings: { Edema: 0, Pneumonia: 1 } })).toBe('open');
  expect(verdict({ findings: { Edema: 1 } })).toBe('relabelled');
  expect(verdict({ findings: { Edema: -1 } })).toBe('relabelled');
  expect(verdict({ findings: {} })).toBe('relabelled');
  expect(verdict({ findings: { Edema: 0 }, tags: ['checked', 'checked Pneumonia'] })).toBe('open');
  expect(verdict({ findings: { Edema: 0 }, tags: [checkedTag('Edema')] })).toBe('kept');
  expect(acceptance(EDEMA, 'Edema')).toEqual({ kind: 'finding', value: 'Edema=1' });
  const back = { label: 'present', suggested: 'absent' };
  expect(acceptance(back, 'Edema')).toEqual({ kind: 'finding', value: 'Edema=0' });
});

test('tags of long findings are no longer than tags may be', () => {
  expect(checkedTag('x'.repeat(100))).toHaveLength(64);
});

test('a probe of two classes is judged by its area, as one of them may be rare', () => {
  const thresholds = [{ label: 'absent', threshold: 0.9, images: 95 }];
  const two = { accuracy: 0.95, thresholds };
  expect(caution({ ...two, auc: 0.5 })).toMatch(/hardly told apart/);
  expect(caution({ ...two, auc: 0.7 })).toMatch(/its own mistakes/);
  expect(caution({ ...two, auc: 0.9 })).toBeNull();
  expect(caution({ accuracy: 0.5, auc: null, thresholds })).toMatch(/hardly told apart/);
});
