import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FilterCounts, ImageFilter } from '../../contract/datasets.ts';
import { countImages, idsMatching, positionOf, queryImages } from '../../host/datasets/query.ts';
import { getDetail } from '../../host/datasets/read.ts';
import type { RowImage } from './dataset-rows.ts';
import { emptyDatabase, insertDataset } from './dataset-rows.ts';

const PATHS = [
  'photo/cat/Äpfel 1.png',
  'photo/cat/100%.png',
  'photo/dog/b[1].png',
  'sketch/cat/what?.png',
  'sketch/dog/star*.png',
  'sketch/dog/x^y-z.png',
];

/** A data set of PATHS and a study in which photo/cat trains and sketch/dog tests. */
function prepared() {
  const db = emptyDatabase();
  const images = PATHS.map((path): RowImage => {
    const [domain = '', label = ''] = path.split('/');
    return { path, domain, label };
  });
  const ids = insertDataset(db, 'd', images);
  db.exec(
    `INSERT INTO studies (id, name, yaml, spec_json, dataset_id, plan_json, status, created_at)
     VALUES ('s', 'study', '', '{}', 'd', '{}', 'planned', '')`,
  );
  const part = db.prepare(
    `INSERT INTO study_images SELECT 's', id, ? FROM images WHERE path LIKE ?`,
  );
  part.run('train', 'photo/cat/%');
  part.run('test', 'sketch/dog/%');
  const query = (filter: ImageFilter, offset = 0, limit = 100) => {
    const found = queryImages(db, 'd', filter, { offset, limit });
    return { total: found.total, paths: found.images.map(({ path }) => path) };
  };
  return { db, ids, query, counts: (filter: ImageFilter) => countImages(db, 'd', filter) };
}

const inOrder = (paths: string[]): string[] =>
  paths.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

describe('a query', () => {
  test('gives pages in the order of the paths, without gap or repeat', () => {
    const { query } = prepared();
    const pages = [0, 2, 4, 6].map((offset) => query({}, offset, 2));
    expect(pages.flatMap(({ paths }) => paths)).toEqual(inOrder(PATHS));
    expect(pages.map(({ total }) => total)).toEqual([6, 6, 6, 6]);
  });

  test.each<[ImageFilter, string[]]>([
    [{ domains: ['photo'] }, PATHS.slice(0, 3)],
    [{ labels: ['dog'], domains: ['sketch'] }, PATHS.slice(4)],
    [{ labels: ['cat', 'dog'], domains: ['photo'] }, PATHS.slice(0, 3)],
    [{ labels: [] }, []],
    [{ labels: ['unknown'] }, []],
    [{ attributes: { unknown: ['x'] } }, []],
    [{ uncertain: ['cat'] }, []],
    [{ text: 'äPFEL' }, [PATHS[0]!]],
    [{ text: '100%' }, [PATHS[1]!]],
    [{ text: '[1]' }, [PATHS[2]!]],
    [{ text: 'WHAT?' }, [PATHS[3]!]],
    [{ text: 'star*' }, [PATHS[4]!]],
    [{ text: 'X^Y-Z' }, [PATHS[5]!]],
    [{ text: '.png' }, PATHS],
    [{ text: 'pngphoto' }, []],
    [{ text: '_' }, []],
    [{ text: 'photo'.repeat(20_000) }, []],
    [{ studyId: 's', split: 'train' }, PATHS.slice(0, 2)],
    [{ studyId: 's', split: 'test' }, PATHS.slice(4)],
    [{ studyId: 's', split: 'validation' }, []],
    [{ studyId: 's', split: 'unused' }, PATHS.slice(2, 4)],
    [{ studyId: 's', split: 'unused', labels: ['dog'] }, [PATHS[2]!]],
  ])('%j', (filter, expected) => {
    const { query } = prepared();
    expect(query(filter)).toEqual({ total: expected.length, paths: inOrder(expected) });
  });

  test('keeps the order of the ids it is given, each once', () => {
    const { db, query, ids } = prepared();
    const [third, first] = [ids.get(PATHS[3]!)!, ids.get(PATHS[0]!)!];
    const filter = { ids: [third, 12345, first, third] };
    expect(query(filter)).toEqual({ total: 2, paths: [PATHS[3], PATHS[0]] });
    expect(query({ ...filter, domains: ['photo'] }).paths).toEqual([PATHS[0]]);
    expect(positionOf(db, 'd', filter, first)).toBe(1);
  });

  test('a study whose split is made anew is seen at once', () => {
    const { db, query } = prepared();
    const train = { studyId: 's', split: 'train' } as const;
    expect(query(train).total).toBe(2);
    db.exec("DELETE FROM study_images WHERE split = 'train'");
    expect(query(train).total).toBe(0);
  });

  test('a split without its study, an unknown study or data set are errors', () => {
    const { db, query } = prepared();
    const codeOf = (work: () => unknown): unknown => {
      try {
        return work();
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(codeOf(() => query({ split: 'train' }))).toBe('bad-input');
    expect(codeOf(() => query({ studyId: 'none', split: 'train' }))).toBe('not-found');
    expect(codeOf(() => countImages(db, 'none', {}))).toBe('not-found');
    expect(codeOf(() => queryImages(db, 'none', {}, { offset: 0, limit: 1 }))).toBe('not-found');
  });
});

test('splits are counted without their own restriction', () => {
  const { counts } = prepared();
  expect(counts({}).splits).toEqual({});
  const split = { studyId: 's', split: 'train', domains: ['photo'] } as const;
  expect(counts({ ...split, domains: ['photo'] })).toMatchObject({
    total: 2,
    domains: { photo: 2, sketch: 0 },
    splits: { train: 2, test: 0, unused: 1 },
  });
});

test('an attribute with more than a thousand values is no facet but still a filter', () => {
  const db = emptyDatabase();
  const images = Array.from({ length: 1200 }, (_, i): RowImage => {
    const attributes = { age: String((i % 30) * 5), number: String(i) };
    return { path: `${i}.png`, label: 'x', attributes };
  });
  const ids = insertDataset(db, 'd', images);
  const { attributes } = countImages(db, 'd', { attributes: { age: ['5'] } });
  expect(Object.keys(attributes)).toEqual(['age']);
  expect(attributes['age']).toMatchObject({ 0: 40, 5: 40, 100: 40 });
  const filter = { attributes: { age: ['5'], number: ['1', '2', '31'] } };
  expect([...idsMatching(db, 'd', filter)]).toEqual([ids.get('1.png'), ids.get('31.png')]);
  const listed = getDetail(db, 'd').attributes;
  expect(listed.map(({ name, values }) => [name, values.length])).toEqual([
    ['age', 30],
    ['number', 1000],
  ]);
  expect(listed[0]?.values.slice(0, 4)).toEqual(['0', '5', '10', '15']);
});

const FINDINGS = ['Edema', 'Pneumonia', 'Nodule'];
const VALUES = { sex: ['F', 'M'], view: ['AP', 'PA', 'lateral'] };
const TAGS = ['odd', 'look again'];

const some = (names: string[]) => fc.subarray(names);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const image = fc.record({
  domain: fc.constantFrom('a', 'b'),
  findings: fc.dictionary(fc.constantFrom(...FINDINGS), fc.constantFrom(1, 0, -1)),
  split: maybe(fc.constantFrom('train', 'validation', 'test')),
  attributes: fc.record(
    { sex: fc.constantFrom(...VALUES.sex), view: fc.constantFrom(...VALUES.view) },
    { requiredKeys: [] },
  ),
  tags: some(TAGS),
  excluded: fc.boolean(),
});
type Drawn = typeof image extends fc.Arbitrary<infer T> ? T : never;
const filters: fc.Arbitrary<ImageFilter> = fc
  .record({
    domains: maybe(some(['a', 'b'])),
    labels: maybe(some(FINDINGS)),
    uncertain: maybe(some(FINDINGS)),
    absent: maybe(some(FINDINGS)),
    blank: maybe(some(FINDINGS)),
    tags: maybe(some(TAGS)),
    given: maybe(fc.subarray(['train', 'validation', 'test', 'none'] as const)),
    attributes: maybe(
      fc.record({ sex: some(VALUES.sex), view: some(VALUES.view) }, { requiredKeys: [] }),
    ),
    excluded: maybe(fc.constantFrom('without', 'with', 'only')),
    text: maybe(fc.constantFrom('1', '.PNG', '/b/')),
  })
  .map((drawn) => JSON.parse(JSON.stringify(drawn)) as ImageFilter);

/** What a finding may be but present. */
const OTHERS = [
  ['uncertain', -1],
  ['absent', 0],
  ['blank', null],
] as const;

type Test = (image: Drawn, path: string) => boolean;

/** What each facet of a filter asks of an image, said plainly. */
function testsOf(filter: ImageFilter): Record<string, Test> {
  const tests: Record<string, Test> = {};
  const { domains, labels, tags, given, attributes = {}, excluded, text } = filter;
  if (domains) tests['domains'] = (each) => domains.includes(each.domain);
  if (labels) tests['labels'] = ({ findings }) => labels.some((name) => findings[name] === 1);
  for (const [said, value] of OTHERS) {
    const wanted = filter[said];
    if (wanted) {
      tests[said] = ({ findings }) => wanted.some((name) => (findings[name] ?? null) === value);
    }
  }
  if (tags) tests['tags'] = (each) => tags.some((tag) => each.tags.includes(tag));
  if (given) tests['given'] = ({ split }) => given.includes(split ?? 'none');
  for (const [name, values] of Object.entries(attributes)) {
    tests[name] = (each) =>
      values.includes((each.attributes as Record<string, string>)[name] ?? 'nothing');
  }
  if (excluded !== 'with') tests['excluded'] = (each) => each.excluded === (excluded === 'only');
  if (text) tests['text'] = (_, path) => path.toLowerCase().includes(text.toLowerCase());
  return tests;
}

test('queries and counts agree with looking at every image', () => {
  const db = emptyDatabase();
  let sets = 0;
  fc.assert(
    fc.property(fc.array(image, { maxLength: 40 }), fc.array(filters), (images, asked) => {
      const datasetId = `d${sets++}`;
      const paths = images.map(({ domain }, i) => `x/${domain}/${(i * 7919) % 101}.png`);
      const all = FINDINGS.map((name): RowImage => ({ path: `~${name}`, findings: { [name]: 0 } }));
      const rows = images.map((each, i) => ({ ...each, path: paths[i]! }) as RowImage);
      const ids = insertDataset(db, datasetId, [...rows, ...all]);
      for (const [i, { tags, excluded }] of images.entries()) {
        const id = ids.get(paths[i]!);
        for (const tag of tags) db.prepare('INSERT INTO image_tags VALUES (?, ?)').run(id, tag);
        if (excluded) db.prepare('INSERT INTO image_overlays VALUES (?, NULL, 1)').run(id);
      }
      for (const filter of asked) {
        // Beside the drawn images there is one of domain "all" for every finding to exist.
        const tests = testsOf(filter);
        const known = images.map((each, i) => ({ each, path: paths[i]! }));
        const without = (facet: string) =>
          known.filter(({ each, path }) =>
            Object.entries(tests).every(([name, passes]) => name === facet || passes(each, path)),
          );
        const expected = inOrder(without('').map(({ path }) => path));
        const own = { offset: 0, limit: 1000 };
        const found = queryImages(db, datasetId, filter, own).images.map(({ path }) => path);
        expect(found.filter((path) => !path.startsWith('~'))).toEqual(expected);
        const place = Math.floor(expected.length / 2);
        if (expected.length > 0) {
          expect(positionOf(db, datasetId, filter, ids.get(expected[place]!)!)).toBe(place);
        }
        checkCounts(countImages(db, datasetId, filter), without);
      }
    }),
    { numRuns: 60 },
  );
});

function checkCounts(
  counts: FilterCounts,
  without: (facet: string) => { each: Drawn; path: string }[],
): void {
  const many = (facet: string, is: (each: Drawn) => boolean): number =>
    without(facet).filter(({ each }) => is(each)).length;
  for (const name of ['a', 'b']) {
    expect(counts.domains[name] ?? 0).toBe(many('domains', ({ domain }) => domain === name));
  }
  for (const name of FINDINGS) {
    const has = (value: number | null) => (each: Drawn) => (each.findings[name] ?? null) === value;
    expect(counts.labels[name]).toBe(many('labels', has(1)));
    for (const [said, value] of OTHERS) expect(counts[said][name]).toBe(many(said, has(value)));
  }
  for (const tag of TAGS) {
    expect(counts.tags[tag] ?? 0).toBe(many('tags', ({ tags }) => tags.includes(tag)));
  }
  for (const split of ['train', 'validation', 'test'] as const) {
    expect(counts.given[split]).toBe(many('given', (each) => each.split === split));
  }
  for (const name of ['sex', 'view'] as const) {
    for (const value of VALUES[name]) {
      const is = (each: Drawn): boolean => each.attributes[name] === value;
      expect(counts.attributes[name]?.[value] ?? 0).toBe(many(name, is));
    }
  }
  expect(counts.excluded).toBe(many('excluded', ({ excluded }) => excluded));
}
