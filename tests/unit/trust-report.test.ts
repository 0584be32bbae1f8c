import { expect, test } from 'vitest';
import type { TrustImage } from '../../host/trust/images.ts';
import type { Subject } from '../../host/trust/report.ts';
import { buildTrustReport } from '../../host/trust/report.ts';
import { trustCsv } from '../../host/trust/table.ts';

const CLASSES = ['cat', 'dog', 'owl'];
const DOMAINS = ['photo', 'sketch'];

function subject(changes: Partial<Subject> = {}): Subject {
  return {
    ...{ id: 't', datasetId: 'd', datasetName: 'pets', contentHash: '', createdAt: '' },
    spec: { nearBits: 6, constantBelow: 0.02, studyId: null },
    ...{ excluded: 0, groupedBy: 'patient', classNames: CLASSES, domainNames: DOMAINS },
    unreadable: [],
    ...changes,
  };
}

/** Images whose hashes are far from each other; `given` says what is special of each. */
function imagesOf(given: readonly Partial<TrustImage>[]): TrustImage[] {
  return given.map((special, id) => {
    const label = special.label ?? 'cat';
    return {
      ...{ id, path: `${id}.png`, width: 64, height: 64, sha256: `content ${id}` },
      ...{ group: `group ${id}`, label, classes: [CLASSES.indexOf(label)], domain: 0 },
      ...{ split: 'none' as const, phash: BigInt.asIntN(64, BigInt(id) * 0x9e3779b97f4a7c15n) },
      deviation: 0.3,
      ...special,
    };
  });
}

const report = (given: readonly Partial<TrustImage>[], changes: Partial<Subject> = {}) =>
  buildTrustReport(subject(changes), imagesOf(given));
const texts = (found: ReturnType<typeof report>, level: string): string[] =>
  found.findings.filter((finding) => finding.level === level).map(({ text }) => text);
const times = (count: number, special: (i: number) => Partial<TrustImage>) =>
  Array.from({ length: count }, (_, i) => special(i));

test('of images without fault only the missing splits are remarked', () => {
  const found = report(times(9, (i) => ({ label: CLASSES[i % 3]! })));
  expect(found.findings).toEqual([
    { level: 'info', text: expect.stringContaining('no splits') as string, ids: [] },
  ]);
  expect(found).toMatchObject({ exact: [], near: [], conflicts: [], blank: [], images: 9 });
});

test('copies in test and training are a leak, and near ones a smaller one', () => {
  const found = report([
    { split: 'train', sha256: 'same', phash: 0n },
    { split: 'test', sha256: 'same', phash: 0n },
    { split: 'test', phash: 0b111n },
    { split: 'test', phash: -1n },
    { split: 'validation', phash: 1n << 40n },
    { phash: 1n },
  ]);
  expect(found.exact).toMatchObject([{ ids: [0, 1], splits: ['train', 'test'], distance: 0 }]);
  expect(found.near).toMatchObject([{ ids: [0, 1, 2, 4, 5], distance: 4 }]);
  expect(found.near[0]!.splits).toEqual(['train', 'validation', 'test', 'none']);
  expect(found.near[0]!.splitOf).toEqual([0, 2, 2, 1, 3]);
  expect(found.acrossSplits).toEqual({
    ...{ exact: 1, near: 1, testImages: 3, affectedTestImages: 2 },
  });
  expect(texts(found, 'bad')).toEqual([
    '1 of 3 test images (33.3 %) is byte for byte the same as an image used for training',
  ]);
  const [near] = texts(found, 'warn');
  expect(near).toMatch(/^1 of 3 test images \(33.3 %\) is nearly the same as .* training/);
  expect(found.findings[1]!.ids).toEqual([2]);
});

test('a chain joins a set, but only neighbours conflict or leak', () => {
  const chain = [0n, 0b11111n, 0b1111111111n, 0b111111111111111n];
  const found = report(
    chain.map((phash, i) => ({
      ...{ phash, label: i === 3 ? 'dog' : 'cat' },
      split: i === 0 ? 'test' : i === 1 ? 'none' : 'train',
    })),
  );
  expect(found.near).toMatchObject([{ ids: [0, 1, 2, 3], distance: 15, labels: ['cat', 'dog'] }]);
  expect(found.conflicts).toMatchObject([{ ids: [2, 3], labelOf: [0, 1], distance: 5 }]);
  expect(found.acrossSplits).toMatchObject({ near: 0, affectedTestImages: 0 });
});

test('near leaks count by pair of splits: a chain over a third split is none of theirs', () => {
  const found = report([
    { split: 'test', phash: 0n },
    { split: 'train', phash: 0b11111n },
    { split: 'validation', phash: 0b1111111111n },
    { split: 'test', phash: 0b11111111111n },
  ]);
  expect(found.acrossSplits).toMatchObject({ near: 1, affectedTestImages: 2 });
  const near = found.findings.filter(({ text }) => text.includes('nearly the same'));
  expect(near.map(({ text, ids }) => [text.split(' (perceptual')[0], ids])).toEqual([
    ['2 of 2 test images (100.0 %) are nearly the same as images used for training', [0, 3]],
    ['1 of 2 test images (50.0 %) is nearly the same as an image used for validation', [3]],
    ['1 of 1 validation image (100.0 %) is nearly the same as an image used for training', [2]],
  ]);
});

test('identical images with different labels conflict once, not again as near ones', () => {
  const found = report([
    { sha256: 'same', phash: 0n },
    { sha256: 'same', phash: 0n, label: 'dog' },
    { phash: 1n, label: 'dog' },
    { phash: 3n, label: 'owl' },
  ]);
  expect(found.conflicts).toMatchObject([{ ids: [0, 1] }, { ids: [2, 3] }]);
  expect(texts(found, 'bad')).toEqual(['1 set of identical images with different labels']);
  expect(texts(found, 'warn')).toEqual(['1 set of nearly identical images with different labels']);
});

test('images of even and of hardly varying brightness are told apart, and are nobody’s near duplicates', () => {
  const found = report([
    { deviation: 0, phash: 0n },
    { deviation: 0.019, phash: 0n },
    { deviation: 0.02, phash: 0n },
    { deviation: null, phash: null },
  ]);
  expect(found.near).toEqual([]);
  expect(found.blank).toEqual([{ id: 0, path: '0.png', why: 'deviation 0.0000' }]);
  expect(found.nearConstant).toEqual([{ id: 1, path: '1.png', why: 'deviation 0.0190' }]);
  expect(found.unhashed).toBe(1);
  expect(texts(found, 'warn')).toContain(
    '1 image without a visible difference in brightness (at 8 bits, large ones at 256 x 256)',
  );
});

test('sides beyond three interquartile ranges are odd, and what is longer than 3:1', () => {
  const found = report([
    ...times(8, (i) => ({ width: 100 + 10 * i, height: 100 })),
    { width: 241, height: 100 },
    { width: 400, height: 100 },
    { width: 130, height: 40 },
    { width: 120, height: 40 },
  ]);
  // Quartiles of the widths 117.5 and 162.5: up to 297.5; all heights in the middle half are 100.
  expect(found.oddSizes.map(({ id, why }) => [id, why.split('; ').length])).toEqual([
    [9, 2],
    [10, 2],
    [11, 1],
  ]);
  expect(found.oddSizes[0]!.why).toContain('width 400');
  expect(found.oddSizes[0]!.why).toContain('over 3:1');
});

test('a group in two splits leaks; groups that only stand for content do not count', () => {
  const found = report([
    ...times(3, () => ({ group: 'Ann', split: 'train' as const })),
    ...times(2, () => ({ group: 'Ann', split: 'test' as const })),
    { group: 'Bob', split: 'train' },
    { group: 'Bob' },
    ...(times(2, (i) => ({
      ...{ group: 'same', sha256: 'same', split: i === 0 ? 'train' : 'test' },
    })) as Partial<TrustImage>[]),
  ]);
  expect(found.groupsAcrossSplits).toEqual({
    groups: 1,
    affectedTestImages: 2,
    leaked: [
      {
        ...{
          group: 'Ann',
          ids: [0, 1, 2, 3, 4],
          paths: ['0.png', '1.png', '2.png', '3.png', '4.png'],
        },
        ...{ labels: ['cat'], domains: ['photo'], splits: ['train', 'test'] },
        ...{ labelOf: [0, 0, 0, 0, 0], domainOf: [0, 0, 0, 0, 0], splitOf: [0, 0, 0, 1, 1] },
      },
    ],
  });
  expect(texts(found, 'bad')[0]).toBe(
    '2 of 3 test images (66.7 %) are of a group with images used for training, by patient',
  );
});

test('counts per split, domain and class; the largest class against the smallest', () => {
  const found = report([
    ...times(12, () => ({ split: 'train' as const })),
    { split: 'test', label: 'dog' },
    ...times(2, () => ({ split: 'test' as const, label: 'owl', domain: 1 })),
  ]);
  expect(found.splitNames).toEqual(['train', 'test']);
  expect(found.counts).toEqual([
    [
      [12, 0, 0],
      [0, 0, 0],
    ],
    [
      [0, 1, 0],
      [0, 0, 2],
    ],
  ]);
  expect(found.imbalance).toEqual([
    { domain: 'all', ratio: 12, largest: 'cat', smallest: 'dog' },
    { domain: 'photo', ratio: null, largest: 'cat', smallest: 'owl' },
    { domain: 'sketch', ratio: null, largest: 'owl', smallest: 'cat' },
  ]);
  expect(texts(found, 'warn')).toEqual([
    'the largest class has 12.0 times the images of the smallest: cat 12, dog 1',
    '2 classes with test images but none for training: dog, owl',
  ]);
});

test('files that were not taken warn where they are many', () => {
  const unreadable = [{ path: 'a.png', reason: 'cut off' }];
  expect(
    texts(
      report(
        times(20, () => ({})),
        { unreadable },
      ),
      'warn',
    ),
  ).toContain('1 file could not be taken as an image');
  const many = report(
    times(120, () => ({})),
    { unreadable },
  );
  expect(texts(many, 'info')).toContain('1 file could not be taken as an image');
});

test('the table has a line for each image of each finding, and nothing a spreadsheet would run', () => {
  const found = report(
    [
      { sha256: 'same', path: '=1.png', split: 'train', group: 'Ann' },
      { sha256: 'same', label: 'dog', split: 'test', group: 'Ann' },
      { deviation: 0 },
    ],
    { unreadable: [{ path: 'x.png', reason: 'empty' }] },
  );
  const lines = [...trustCsv(found)].join('').trimEnd().split('\r\n');
  expect(lines).toEqual([
    'kind,set,image,path,label,domain,split,distance,why',
    `exact duplicate,1,0,'=1.png,cat,photo,train,${found.exact[0]!.distance},`,
    `exact duplicate,1,1,1.png,dog,photo,test,${found.exact[0]!.distance},`,
    `label conflict,1,0,'=1.png,cat,photo,train,${found.exact[0]!.distance},`,
    `label conflict,1,1,1.png,dog,photo,test,${found.exact[0]!.distance},`,
    "group,1,0,'=1.png,cat,photo,train,,group Ann",
    'group,1,1,1.png,dog,photo,test,,group Ann',
    'even brightness,,2,2.png,,,,,deviation 0.0000',
    'unreadable,,,x.png,,,,,empty',
  ]);
});

test('the table has every image of every leaked group, however many there are', () => {
  const found = report(
    times(3000, (i) => ({ group: `patient ${i >> 1}`, split: i % 2 === 0 ? 'train' : 'test' })),
  );
  const lines = [...trustCsv(found)].join('').split('\r\n');
  const groups = lines.filter((line) => line.startsWith('group,'));
  expect(found.groupsAcrossSplits).toMatchObject({ groups: 1500, affectedTestImages: 1500 });
  expect(groups).toHaveLength(3000);
  expect(groups.slice(-2)).toEqual([
    'group,1500,2998,2998.png,cat,photo,train,,group patient 1499',
    'group,1500,2999,2999.png,cat,photo,test,,group patient 1499',
  ]);
});
