import { expect, test } from 'vitest';
import type { FindingValue } from '../../contract/datasets.ts';
import { judgedImages } from '../../host/analyses/judged.ts';
import type { StudyImage } from '../../host/studies/data.ts';

const BASE = {
  ...{ path: '', domain: 'd', split: null, sha256: '' },
  place: { file: '', entry: null, frame: null },
};

function labelled(id: number, label: string, group: string): StudyImage {
  return { ...BASE, id, labels: [label], findings: new Map(), group };
}

function found(id: number, value: FindingValue | undefined, group = `g${id}`): StudyImage {
  const findings = new Map(value === undefined ? [] : [['Edema', value] as const]);
  return { ...BASE, id, labels: [], findings, group };
}

test('classes of one group are left out and named', () => {
  const images = [
    ...[labelled(1, 'cat', 'a'), labelled(2, 'owl', 'b'), labelled(3, 'dog', 'c')],
    ...[labelled(4, 'cat', 'd'), labelled(5, 'dog', 'e'), labelled(6, 'owl', 'b')],
  ];
  expect(judgedImages(images)).toEqual({
    places: [0, 2, 3, 4],
    labels: [0, 1, 0, 1],
    classes: ['cat', 'dog'],
    notes: ['left out, as all their images are of one group: owl'],
  });
});

test('a finding is judged where it is known, whatever else is on the image', () => {
  const images = [found(1, 1), found(2, -1), found(3, 0), found(4, undefined)];
  images.push(found(5, 0), found(6, 1), found(7, -1));
  expect(judgedImages(images, 'Edema')).toEqual({
    places: [0, 2, 4, 5],
    labels: [1, 0, 0, 1],
    classes: ['absent', 'present'],
    notes: ['left out: Edema is uncertain on 2 images, Edema is not mentioned on 1 image'],
  });
});

test('a finding that is known one way only, or present in one group, is refused', () => {
  const refused = expect.objectContaining({
    code: 'bad-input',
    message: expect.stringMatching(/two groups with Edema present, and of two with it absent/),
  });
  expect(() => judgedImages([found(1, 1), found(2, 1)], 'Edema')).toThrow(refused);
  const onePatient = [found(1, 1, 'p'), found(2, 1, 'p'), found(3, 0), found(4, 0)];
  expect(() => judgedImages(onePatient, 'Edema')).toThrow(refused);
});
