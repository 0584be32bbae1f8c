import type Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { studyPlan } from '../../host/studies/plan.ts';
import { CLASSES, STUDY, expandOn, iconsDatabase, problemsOn } from './studies-icons.ts';

let db: Database.Database;

beforeEach(() => {
  db = iconsDatabase();
});
afterEach(() => db.close());

const expand = (yaml: string) => expandOn(db, yaml);

/** Ids of the runs of an arm. */
function idsOf(yaml: string, arm: string): string[] {
  return expand(yaml)
    .runs.filter((run) => run.arm === arm)
    .map(({ id }) => id);
}

const splitBy = (split: string) =>
  STUDY.replace('split: { train: 0.5, test: 0.5 }', `split: { ${split} }`);

describe('validation images', () => {
  const WITH = STUDY.replace('test: 0.5', 'test: 0.5, validation: 0.3');

  test('come out of the training side, by whole groups, never out of the test side', () => {
    const [before, after] = [expand(STUDY).sides, expand(WITH).sides];
    const paths = (images: { path: string }[]) => images.map(({ path }) => path).sort();
    expect(paths([...after.train, ...after.validation])).toEqual(paths(before.train));
    expect(paths(after.test)).toEqual(paths(before.test));
    expect(after.validation.length).toBeGreaterThan(0);
    const learnt = new Set(after.train.map(({ group }) => group));
    expect(after.validation.filter(({ group }) => learnt.has(group))).toEqual([]);
    expect(after.groupedBy).toMatch(/ in validation, .* 0 in more than one$/);
    expect(after.classNames).toEqual(CLASSES);
  });

  test('are the same for the same seed, and part of what a run is', () => {
    expect(expand(WITH).sides).toEqual(expand(WITH).sides);
    const target = expand(WITH).runs.at(-1)!;
    expect(target.spec.data.validation?.images).toBe(target.validation?.length);
    expect(idsOf(WITH, 'RI-T')).not.toEqual(idsOf(STUDY, 'RI-T'));
    expect(idsOf(WITH, 'P')).toEqual(idsOf(STUDY, 'P'));
    expect(studyPlan(expand(WITH), () => false).validationImages).toBe(target.validation?.length);
  });

  test('leave every class something to learn from', () => {
    db.prepare(`UPDATE images SET group_name = 'one' WHERE path LIKE 'photo/bee/%'`).run();
    db.prepare(
      `UPDATE images SET group_name = 'two' WHERE path GLOB 'photo/bee/*-[4-7].png'`,
    ).run();
    const { sides } = expand(WITH);
    expect(new Set(sides.train.flatMap(({ labels }) => labels))).toEqual(new Set(CLASSES));
  });

  test('that nobody is left for are an error', () => {
    const study = STUDY.replace('test: 0.5', 'test: 0.5, validation: 0.001');
    const { problems } = { problems: problemsOn(db, study) };
    expect(problems).toMatchObject([{ path: ['data', 'split', 'validation'] }]);
  });
});

/** Gives every image of the target domain a value of an attribute by its path. */
function addAttribute(name: string, valueOf: (path: string) => string | null): void {
  const attribute = db
    .prepare(`INSERT INTO attributes (dataset_id, position, name) VALUES ('d1', 0, ?)`)
    .run(name).lastInsertRowid;
  const images = db
    .prepare<[], { id: number; path: string }>('SELECT id, path FROM images ORDER BY id')
    .all();
  for (const { id, path } of images) {
    const value = valueOf(path);
    if (value === null) continue;
    db.prepare('INSERT OR IGNORE INTO attribute_values (attribute_id, value) VALUES (?, ?)').run(
      attribute,
      value,
    );
    db.prepare(
      `INSERT INTO image_attributes
       SELECT ?, id FROM attribute_values WHERE attribute_id = ? AND value = ?`,
    ).run(id, attribute, value);
  }
}

/** Number of the picture in its class, 0 to 7. */
const numberOf = (path: string) => Number(/-(\d)\.png$/.exec(path)?.[1]);

describe('a split that leaks', () => {
  test('is refused with the numbers and the way out', () => {
    const [problem] = problemsOn(db, splitBy('kind: stratified, train: 0.5, test: 0.5, seed: 3'));
    expect(problem?.path).toEqual(['data', 'split']);
    expect(problem?.message).toMatch(
      /leak: \d+ of 12 test images \([\d.]+ %\) are of a group with training images, by family/,
    );
    expect(problem?.message).toContain('kind: stratified-grouped');
    expect(problem?.message).toContain('allow-leaks: true');
  });

  test('that is overruled says so in the plan and on every run', () => {
    const study = expand(splitBy('kind: random, train: 0.5, test: 0.5, allow-leaks: true'));
    expect(study.leaks).toHaveLength(1);
    expect(studyPlan(study, () => false).warnings).toContain(study.leaks[0]);
    const targets = study.runs.filter(({ spec }) => spec.kind === 'target');
    for (const { notes } of targets) expect(notes).toContain(study.leaks[0]);
  });

  test('by content counts every image whose twin is on another side', () => {
    db.prepare(
      `UPDATE images SET sha256 = 'twin', group_name = 'g' || id WHERE path GLOB 'photo/ant/*-[0-3].png'`,
    ).run();
    const study = expand(
      splitBy('kind: stratified-grouped, train: 0.5, test: 0.5, allow-leaks: true'),
    );
    const twins = study.sides.test.filter(({ sha256 }) => sha256 === 'twin').length;
    expect(twins).toBeGreaterThan(0);
    expect(study.leaks.join()).toContain(
      `leak: ${twins} of ${study.sides.test.length} test images`,
    );
    expect(study.leaks.join()).toContain('byte for byte');
  });
});

describe('a split that leaks into what one arm learns from', () => {
  const FEW = splitBy('kind: stratified, train: 0.5, test: 0.5, seed: 3')
    .replace('domain: photo,', 'domain: photo, per-class: 1,')
    .replace(
      'RI-T: { init: random }',
      `RI-T: { init: random }
  all: { init: random, per-class: 9 }
  next: { init: { arm: all, epoch: last } }
  begun: { init: { arm: all, epoch: 0 }, training: { epochs: 4 } }`,
    );
  const over = (yaml: string) => yaml.replace('test: 0.5', 'test: 0.5, allow-leaks: true');
  const related = (study: ReturnType<typeof expand>, arm: string) => {
    const groups = study.runs.find((run) => run.arm === arm)!.train.map(({ group }) => group);
    const count = study.sides.test.filter(({ group }) => groups.includes(group)).length;
    return new RegExp(`^leak: ${count} of 12 test images .* with training images`);
  };

  beforeEach(() => {
    const images = expand(over(FEW)).sides;
    const few = new Set(images.train.map(({ id }) => id));
    const alone = db.prepare(`UPDATE images SET group_name = 'alone ' || id WHERE id = ?`);
    for (const id of few) alone.run(id);
  });

  test('is refused, be it an arm of the study or of an analysis', () => {
    expect(problemsOn(db, FEW)).toMatchObject([
      { path: ['data', 'split'], message: expect.stringContaining('this split leaks') },
    ]);
    const plain = FEW.replace(/ {2}(all|next|begun): .*\n/g, '');
    expect(problemsOn(db, plain)).toEqual([]);
    const analysis = `${plain}analyses: [{ low-data: { per-class: [1, 9] } }]\n`;
    expect(problemsOn(db, analysis)).toMatchObject([{ path: ['data', 'split'] }]);
  });

  test('overruled, says of the study what leaks in all, of a run what leaks into its own images', () => {
    const study = expand(over(FEW));
    const leaks = (arm: string) =>
      study.runs.find((run) => run.arm === arm)!.notes.filter((note) => note.startsWith('leak: '));
    for (const arm of ['RI-T', 'begun']) expect(leaks(arm)).toEqual([]);
    expect(leaks('all')).toEqual([expect.stringMatching(related(study, 'all'))]);
    expect(leaks('next')).toEqual(leaks('all'));
    expect(study.leaks).toEqual(leaks('all'));
  });
});

describe('a given split', () => {
  const GIVEN = splitBy('kind: given');
  const give = (split: string, numbers: string) =>
    db
      .prepare(`UPDATE images SET split = ?, group_name = 'g' || id WHERE path GLOB ?`)
      .run(split, `photo/*-[${numbers}].png`);

  test('is the one of the source, validation images too', () => {
    give('train', '0-3');
    give('validation', '4');
    give('test', '5-6');
    const { sides, warnings } = expand(GIVEN);
    const numbers = (images: { path: string }[]) =>
      [...new Set(images.map(({ path }) => numberOf(path)))].sort();
    expect(numbers(sides.train)).toEqual([0, 1, 2, 3]);
    expect(numbers(sides.validation)).toEqual([4]);
    expect(numbers(sides.test)).toEqual([5, 6]);
    expect(warnings.join()).toContain('3 images are in no split of the source');
  });

  test('without test images says what is there', () => {
    give('train', '0-5');
    give('validation', '6');
    expect(problemsOn(db, GIVEN)).toMatchObject([
      {
        path: ['data', 'split', 'kind'],
        message: expect.stringContaining(
          'the source gives no test images, but 18 training, 3 validation, 0 test images, 3 in none',
        ),
      },
    ]);
  });

  test('without validation images gives a share of the training images to early stopping, if asked', () => {
    give('train', '0-5');
    give('test', '6-7');
    const stopping = GIVEN.replace('epochs: 3', 'epochs: 3, early-stopping: { patience: 2 }');
    expect(problemsOn(db, stopping)).toMatchObject([{ path: ['data', 'split', 'validation'] }]);
    const share = stopping.replace('kind: given', 'kind: given, validation: 0.3');
    const { sides } = expand(share);
    expect(sides.validation.length).toBeGreaterThan(0);
    expect(sides.train.length + sides.validation.length).toBe(18);
  });
});

describe('a split by time', () => {
  const BY = splitBy('kind: temporal, column: taken, train: 0.5, test: 0.25, allow-leaks: true');

  test('trains on the earliest, tests on the latest, and keeps equal times together', () => {
    addAttribute('taken', (path) => `20${10 + numberOf(path)}-05-31`);
    const { sides, leaks } = expand(BY);
    const numbers = (images: { path: string }[]) =>
      new Set(images.map(({ path }) => numberOf(path)));
    expect(numbers(sides.train)).toEqual(new Set([0, 1, 2, 3]));
    expect(numbers(sides.test)).toEqual(new Set([6, 7]));
    expect(sides.groupedBy).toBe('time, by taken');
    expect(leaks).toEqual([]);
  });

  test('leaves out images without a time, and says how many', () => {
    addAttribute('taken', (path) => (numberOf(path) === 7 ? null : String(numberOf(path))));
    const { sides, warnings } = expand(BY);
    expect(warnings).toContain('left out: 3 images without a value of taken');
    expect([...sides.train, ...sides.test].some(({ path }) => numberOf(path) === 7)).toBe(false);
  });

  test('names an attribute that is not there, and a value that is no time', () => {
    addAttribute('taken', (path) => (numberOf(path) === 2 ? 'soon' : '2010-01-01'));
    expect(problemsOn(db, BY)[0]?.message).toContain('"soon" in taken is no time');
    const misspelt = BY.replace('taken', 'takn');
    expect(problemsOn(db, misspelt)).toMatchObject([
      { path: ['data', 'split', 'column'], suggestion: 'taken' },
    ]);
  });
});

describe('low data', () => {
  const few = (n: number) => STUDY.replace('domain: photo,', `domain: photo, per-class: ${n},`);
  const train = (n: number) => expand(few(n)).sides.train.map(({ id }) => id);

  test('takes so many training images of each class, the fewer among the more', () => {
    expect(train(1)).toHaveLength(3);
    expect(train(2)).toHaveLength(6);
    for (const id of train(1)) expect(train(2)).toContain(id);
    for (const id of train(2)) expect(train(3)).toContain(id);
    const test = expand(few(1)).sides.test.map(({ id }) => id);
    expect(test).toEqual(expand(STUDY).sides.test.map(({ id }) => id));
  });

  test('warns of classes that have fewer', () => {
    expect(expand(few(25)).warnings.join()).toContain(
      'fewer than 25 training images: ant (4), bee (4), cat (4)',
    );
    expect(expand(few(2)).warnings.join()).not.toContain('fewer than');
  });
});

describe('what the user changed', () => {
  const imageOf = (path: string) =>
    db.prepare<[string], number>('SELECT id FROM images WHERE path = ?').pluck().get(path)!;

  test('excluded images are in no side, a new class is a new study', () => {
    const before = idsOf(STUDY, 'RI-T');
    const id = imageOf('photo/ant/d1-0.png');
    db.prepare('INSERT INTO image_overlays (image_id, excluded) VALUES (?, 1)').run(id);
    const { sides } = expand(STUDY);
    expect([...sides.train, ...sides.test].map((image) => image.id)).not.toContain(id);
    expect(idsOf(STUDY, 'RI-T')).not.toEqual(before);
    const bee = db.prepare(`SELECT id FROM classes WHERE name = 'bee'`).pluck().get();
    db.prepare('UPDATE image_overlays SET excluded = 0, class_id = ?').run(bee);
    const again = expand(STUDY).sides;
    const image = [...again.train, ...again.test].find((each) => each.id === id);
    expect(image?.labels).toEqual(['bee']);
    expect(idsOf(STUDY, 'RI-T')).not.toEqual(before);
    db.prepare('DELETE FROM image_overlays').run();
    expect(idsOf(STUDY, 'RI-T')).toEqual(before);
  });
});

describe('subgroups', () => {
  const BY = STUDY.replace('domain: photo,', 'domain: photo, subgroups: [sex],');

  test('must be attributes with few values', () => {
    expect(problemsOn(db, BY)).toMatchObject([{ path: ['data', 'subgroups', 0] }]);
    addAttribute('sex', (path) => (numberOf(path) % 2 === 0 ? 'F' : 'M'));
    expect(problemsOn(db, BY)).toEqual([]);
  });
});

test('a set of classes has no findings', () => {
  const findings = STUDY.replace('domain: photo,', 'domain: photo, findings: { names: [ant] },');
  expect(problemsOn(db, findings)).toMatchObject([{ path: ['data', 'findings'] }]);
});
