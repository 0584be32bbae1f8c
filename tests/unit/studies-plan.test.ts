import type Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { architectureSchema } from '../../contract/architecture.ts';
import { readStudy } from '../../host/studies/save.ts';
import { expandStudy, studyPlan } from '../../host/studies/plan.ts';
import { canonicalJson } from '../../host/studies/identity.ts';
import { CLASSES, STUDY, addDataset, expandOn, iconsDatabase } from './studies-icons.ts';

let db: Database.Database;

beforeEach(() => {
  db = iconsDatabase();
});
afterEach(() => db.close());

const parseStudy = (yaml: string) => readStudy({ db }, yaml);
const expand = (yaml: string) => expandOn(db, yaml);

/** Ids of the target runs of an arm, by seed and shuffle. */
function idsOf(yaml: string, arm?: string): string[] {
  return expand(yaml)
    .runs.filter((run) => arm === undefined || run.arm === arm)
    .map(({ id }) => id);
}

describe('the runs of a study', () => {
  test('are the pretraining, then arms by seeds by shuffles', () => {
    const { runs } = expand(STUDY);
    const names = runs.map(({ arm, spec }) => `${arm} ${spec.seed} ${spec.shuffle}`);
    expect(names).toEqual([
      'P 0 none',
      ...['P-T', 'RI-T'].flatMap((arm) => [
        `${arm} 0 none`,
        `${arm} 0 4`,
        `${arm} 1 none`,
        `${arm} 1 4`,
      ]),
    ]);
  });

  test('of a matched pair differ in the start and in nothing else', () => {
    const { runs } = expand(STUDY);
    const of = (arm: string) => runs.find((run) => run.arm === arm && run.spec.seed === 1)!.spec;
    expect({ ...of('P-T'), start: 'random' }).toEqual(of('RI-T'));
    expect(of('P-T').start).toEqual({ run: runs[0]!.id, epoch: 5 });
  });

  test('pretraining sees all images of its domains and has no test images', () => {
    const [pretraining] = expand(STUDY).runs;
    expect(pretraining).toMatchObject({ arm: 'P', test: null, keepEpochs: [5] });
    expect(pretraining!.train).toHaveLength(24);
    expect(new Set(pretraining!.train.map(({ domain }) => domain))).toEqual(new Set(['line']));
  });

  test('train without augmentation where they are shuffled, and the plan says so', () => {
    const study = expand(STUDY);
    for (const { spec } of study.runs) {
      expect(spec.recipe.augment).toEqual(spec.shuffle === 'none' ? { flip: true } : 'none');
    }
    expect(study.warnings.join()).toContain('compare arms within a shuffle, not across');
  });
});

describe('run ids', () => {
  test('are r and 16 hex digits, and the same for the same study', () => {
    expect(idsOf(STUDY)).toEqual(idsOf(STUDY));
    for (const id of idsOf(STUDY)) expect(id).toMatch(/^r[0-9a-f]{16}$/);
  });

  test('are those of the versions before there were other kinds of data', () => {
    const validated = STUDY.replace('test: 0.5', 'test: 0.5, validation: 0.4').replace(
      'recipe: { augment: { flip: true } }\n',
      '',
    );
    expect(idsOf(STUDY).slice(0, 2)).toEqual(['re1b55e1bc0fbf0ed', 'r42c1bcb40bfcfaab']);
    expect(idsOf(validated).slice(0, 2)).toEqual(['rf079a2608cea220a', 'rebd93c5fe6f2fd9f']);
  });

  test('do not depend on what does not change the numbers', () => {
    const other = STUDY.replace('name: small', 'name: other\ndescription: words')
      .replace('P-T:', 'warm:')
      .replace('src:', 'source:')
      .replace('src@last', 'source@5');
    expect(idsOf(other)).toEqual(idsOf(STUDY));
  });

  test('do not depend on row ids, paths or the name of the data set, only on content', () => {
    addDataset(db, 'copy', 'd2');
    expect(idsOf(STUDY.replaceAll('set: icons', 'set: copy'))).toEqual(idsOf(STUDY));
  });

  test.each([
    ['width: 8', 'width: 9'],
    ['image: 24', 'image: 48'],
    ['epochs: 3', 'epochs: 4'],
    ['peak: 0.05', 'peak: 0.06'],
    ['train: 0.5', 'train: 0.6'],
    ['domain: photo', 'domain: line'],
    ['flip: true', 'flip: false'],
    ['seeds: [0, 1]', 'seeds: [2, 3]'],
  ])('all random runs change with %s -> %s', (from, to) => {
    const changed = STUDY.replace(from, to).replace(
      'test: 0.5',
      to === 'train: 0.6' ? 'test: 0.4' : 'test: 0.5',
    );
    const unshuffled = (yaml: string) =>
      expand(yaml).runs.filter(({ arm, spec }) => arm === 'RI-T' && spec.shuffle === 'none');
    const before = new Set(unshuffled(STUDY).map(({ id }) => id));
    for (const { id } of unshuffled(changed)) expect(before).not.toContain(id);
  });

  test('a longer pretraining changes the runs that start from it and no others', () => {
    const longer = STUDY.replace('epochs: 5', 'epochs: 6');
    expect(idsOf(longer, 'RI-T')).toEqual(idsOf(STUDY, 'RI-T'));
    const before = new Set(idsOf(STUDY, 'P-T'));
    expect(idsOf(longer, 'P-T').filter((id) => before.has(id))).toEqual([]);
  });

  test('an earlier epoch of the same pretraining changes the start only', () => {
    const early = STUDY.replace('src@last', 'src@2');
    expect(idsOf(early, 'P')).toEqual(idsOf(STUDY, 'P'));
    expect(expand(early).runs[0]!.keepEpochs).toEqual([2]);
    expect(idsOf(early, 'P-T')).not.toEqual(idsOf(STUDY, 'P-T'));
  });

  test('one more seed adds runs and keeps the others', () => {
    const more = idsOf(STUDY.replace('[0, 1]', '[0, 1, 2]'));
    expect(more).toHaveLength(13);
    expect(more).toEqual(expect.arrayContaining(idsOf(STUDY)));
  });

  test('canonical JSON does not depend on the order of keys', () => {
    expect(canonicalJson({ b: 1, a: [{ d: 2, c: 3 }], u: undefined })).toBe(
      canonicalJson({ a: [{ c: 3, d: 2 }], b: 1 }),
    );
  });
});

describe('the plan', () => {
  test('says by what images were kept together and that no group is on both sides', () => {
    const plan = studyPlan(expand(STUDY), () => false);
    expect(plan).toMatchObject({ trainImages: 12, testImages: 12, classNames: CLASSES });
    expect(plan.groupedBy).toBe('family: 6 groups in train, 6 in test, 0 in both');
  });

  test('warns of classes that are too small, with their counts', () => {
    db.prepare(
      `DELETE FROM images WHERE path LIKE 'photo/bee/%' AND path NOT LIKE '%-0.png'`,
    ).run();
    const study = expand(STUDY);
    expect(study.sides.classNames).toEqual(['ant', 'cat']);
    expect(study.warnings.join()).toContain('bee (1)');
  });

  test('leaves out a class that has no image on one side, and says so', () => {
    db.prepare(`UPDATE images SET group_name = 'one' WHERE path LIKE 'photo/bee/%'`).run();
    const study = expand(STUDY);
    expect(study.sides.classNames).toEqual(['ant', 'cat']);
    expect(study.warnings.join()).toMatch(
      /left out, no (test|training) image after the split: bee/,
    );
  });

  test('counts test images that a pretraining has seen', () => {
    const leaky = STUDY.replace(
      'domains: [line]',
      'domains: [line, photo], hold-out-test-groups: false',
    );
    const { warnings, sides } = expand(leaky);
    const count = `${sides.test.length} of ${sides.test.length} test images`;
    expect(warnings).toContain(`leak: ${count} are byte for byte in pretraining "src"`);
    expect(warnings).toContain(`leak: ${count} are of a group that pretraining "src" saw`);
    expect(expand(STUDY).warnings.join()).not.toContain('leak');
  });

  test('keeps the groups that are tested out of pretraining, whatever their domain', () => {
    const study = expand(STUDY.replace('domains: [line]', 'domains: [line, photo]'));
    const tested = new Set(study.sides.test.map((image) => image.group));
    const [pretraining] = study.runs;
    expect(pretraining?.spec.kind).toBe('pretraining');
    expect(pretraining?.train.some((image) => tested.has(image.group))).toBe(false);
    expect(pretraining?.train.some((image) => image.domain === 'photo')).toBe(true);
    expect(study.warnings.join()).toMatch(/left out of pretraining "src": \d+ of \d+ images/);
    expect(study.warnings.join()).not.toContain('leak');
  });

  test.each([
    ['grouped: true', 'groups are kept whole'],
    ['grouped: false, allow-leaks: true', 'small classes are rounded'],
  ])('gives the reason why a side is smaller than asked, %s', (grouped, reason) => {
    db.prepare(`DELETE FROM images WHERE path GLOB 'photo/*-[3-7].png'`).run();
    const study = STUDY.replace('test: 0.5', `test: 0.5, ${grouped}`);
    const instead = expand(study).warnings.filter((each) => each.includes('instead of'));
    expect(instead).not.toEqual([]);
    for (const each of instead) expect(each).toContain(`: ${reason}`);
  });

  test('gives shares of the classes that are left, and names those that are not as a reason', () => {
    const bees = db.prepare(`UPDATE images SET group_name = ? WHERE path LIKE 'photo/bee/%'`);
    bees.run('one');
    const grouped = expand(STUDY);
    expect(grouped.sides.train).toHaveLength(8);
    expect(grouped.warnings.join()).not.toContain('instead of');
    db.prepare(`DELETE FROM images WHERE path GLOB 'photo/[ac]*/*-[3-7].png'`).run();
    const { warnings } = expand(STUDY);
    const instead = warnings.filter((each) => each.includes('instead of'));
    expect(instead).toHaveLength(2);
    for (const each of instead) {
      expect(each).toMatch(/: groups are kept whole, and classes were left out after the split$/);
    }
  });

  test('says when a permutation is the identity', () => {
    const half = STUDY.replace('shuffles: [none, 4]', 'shuffles: [12]');
    expect(expand(half).warnings.join()).toContain('shuffle 12 with seed 0 leaves every block');
  });
});

describe('what the data do not have', () => {
  test.each([
    ['set: icons, domain: photo', 'set: icon, domain: photo', 'data.set', 'icons'],
    ['domain: photo', 'domain: foto', 'data.domain', 'photo'],
    ['domains: [line]', 'domains: [lines]', 'pretraining.src.data.domains', 'line'],
  ])('%s -> %s', (from, to, path, suggestion) => {
    const { spec } = parseStudy(STUDY.replace(from, to));
    const { problems } = expandStudy(db, spec!);
    expect(problems.map((each) => [each.path.join('.'), each.suggestion])).toEqual([
      [path, suggestion],
    ]);
  });

  test('one group for all is an error that says what to do', () => {
    db.prepare(`UPDATE images SET group_name = 'one'`).run();
    const { problems } = expandStudy(db, parseStudy(STUDY).spec!);
    expect(problems[0]?.message).toContain('allow-leaks: true');
  });

  test.each([
    [9, 3],
    [8, 2],
  ])('min-per-class: %i leaves out %i classes and is named as the reason', (least, count) => {
    db.prepare(
      `DELETE FROM images WHERE path LIKE 'photo/%-7.png' AND path NOT LIKE 'photo/ant/%'`,
    ).run();
    const study = STUDY.replace('domain: photo,', `domain: photo, min-per-class: ${least},`);
    const { problems } = expandStudy(db, parseStudy(study).spec!);
    expect(problems.map(({ path }) => path.join('.'))).toEqual(['data.min-per-class']);
    expect(problems[0]?.message).toContain(
      `min-per-class: ${least} left out ${count} of 3 classes`,
    );
  });

  test('min-per-class is named beside the split where both leave too little', () => {
    db.prepare(`DELETE FROM images WHERE path LIKE 'photo/ant/%-7.png'`).run();
    db.prepare(`UPDATE images SET group_name = 'one'`).run();
    const study = STUDY.replace('domain: photo,', 'domain: photo, min-per-class: 8,');
    const { problems } = expandStudy(db, parseStudy(study).spec!);
    expect(problems[0]?.message).toContain('allow-leaks: true');
    expect(problems[0]?.message).toContain('min-per-class: 8 left out 1 of 3 classes');
  });

  test('one class only is an error', () => {
    db.prepare(`DELETE FROM images WHERE path NOT LIKE '%/ant/%' AND path LIKE 'photo/%'`).run();
    const { problems } = expandStudy(db, parseStudy(STUDY).spec!);
    expect(problems[0]?.message).toContain('only one class is left (ant)');
  });
});

test('weights of classes must name classes, with the nearest one', () => {
  const weighted = STUDY.replace('epochs: 3', 'epochs: 3, loss: { class-weights: { bea: 2 } }');
  const { problems } = expandStudy(db, parseStudy(weighted).spec!);
  expect(problems).toMatchObject([
    { path: ['training', 'loss', 'class-weights', 'bea'], suggestion: 'bee' },
  ]);
});

describe('an imported checkpoint as the start', () => {
  function importCheckpoint(name: string, architecture: object): void {
    const spec = architectureSchema.parse({ name: 'fixup-resnet10', image: 24, ...architecture });
    const preprocessing = { size: 24, mean: null, std: null, interpolation: null, crop: null };
    db.prepare(
      `INSERT INTO checkpoints (id, name, format, source, architecture_json, preprocessing_json,
         parameters, bytes, sha256, source_sha256, report_json, created_at)
       VALUES (?, ?, 'safetensors', '', ?, ?, 1, 1, ?, '', 'null', '')`,
    ).run(name, name, JSON.stringify(spec), JSON.stringify(preprocessing), `hash of ${name}`);
  }
  const FROM = STUDY.replace('src@last', 'trunk').replace(/pretraining:\n.*\n/, '');

  test('is what its runs start from, by the hash of its weights', () => {
    importCheckpoint('trunk', { width: 8 });
    const run = expand(FROM).runs.find(({ arm }) => arm === 'P-T')!;
    expect(run.spec.start).toEqual({ checkpoint: 'hash of trunk' });
    expect(run.checkpoint?.name).toBe('trunk');
  });

  test('must be there and fit the architecture', () => {
    const problemsOf = () => expandStudy(db, parseStudy(FROM).spec!).problems;
    importCheckpoint('trunc', { width: 8 });
    expect(problemsOf()).toMatchObject([{ suggestion: 'trunc' }]);
    importCheckpoint('trunk', { width: 16 });
    expect(problemsOf()[0]?.message).toContain('it has width 16, not 8');
  });

  test('that is not there is said beside what it would have filled in', () => {
    importCheckpoint('trunc', { width: 8 });
    const { spec, issues } = readStudy({ db }, FROM.replace(/name: fixup.*width: 8, /, ''));
    expect(spec).toBeNull();
    expect(issues).toMatchObject([
      { line: 3, path: 'architecture.name' },
      { line: 5, path: 'arms.P-T.init.checkpoint', suggestion: 'trunc' },
    ]);
    expect(issues[1]?.message).toContain('no checkpoint "trunk"; there are: trunc');
    importCheckpoint('trunk', { width: 8 });
    expect(readStudy({ db }, FROM.replace(/name: fixup.*width: 8, /, '')).issues).toEqual([]);
  });
});
