/** Arms that learn from source images: what is planned, and what is refused. */
import type Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SOURCE_WAYS } from '../../contract/source.ts';
import { LEAK } from '../../contract/leaks.ts';
import type { PlannedRun } from '../../host/studies/plan.ts';
import { expandStudy } from '../../host/studies/plan.ts';
import { groupNumbers, numberGroups } from '../../host/studies/group-numbers.ts';
import { sourceImages } from '../../host/studies/plan-sources.ts';
import { imagesOfRun } from '../../host/studies/progress.ts';
import { readStudy } from '../../host/studies/save.ts';
import { STUDY, expandOn, iconsDatabase } from './studies-icons.ts';

let db: Database.Database;

beforeEach(() => {
  db = iconsDatabase();
});
afterEach(() => db.close());

const withArm = (source: string, study = STUDY): string =>
  study.replace('  RI-T:', `  X: { init: { checkpoint: src@last }, source: ${source} }\n  RI-T:`);

function runOf(yaml: string, arm = 'X', seed = 0): PlannedRun {
  const found = expandOn(db, yaml).runs.find((run) => run.arm === arm && run.spec.seed === seed);
  if (!found) throw new Error(`no run of ${arm}`);
  return found;
}

function issuesOf(yaml: string): [number | null, string, string, string | null][] {
  const { issues } = readStudy({ db }, yaml);
  return issues.map(({ line, path, message, suggestion }) => [line, path, message, suggestion]);
}

describe('an arm with a source', () => {
  test('learns from images of its pretraining; its training side stays the target’s', () => {
    const yaml = withArm('{ images: src, way: joint }');
    const [run, base] = [runOf(yaml), runOf(yaml, 'P-T')];
    const { source, ...rest } = run.spec;
    expect(rest).toEqual(base.spec);
    expect(source).toMatchObject({ way: 'joint', images: 24 });
    expect(run.source?.every(({ domain }) => domain === 'line')).toBe(true);
    expect(run.train).toEqual(base.train);
    expect(run.notes.join()).toContain('learns from 24 source images beside its training images');
    expect(expandOn(db, yaml).warnings.join()).toContain('arm "X" learns from images of "src"');
  });

  test('has another id for another way or other images, and leaves all other ids as they are', () => {
    const ids = SOURCE_WAYS.filter((way) => way !== 'adabn').flatMap((way) =>
      [2000, 10].map((most) => runOf(withArm(`{ images: src, way: ${way}, most: ${most} }`)).id),
    );
    expect(new Set(ids).size).toBe(14);
    const all = expandOn(db, withArm('{ images: src, way: coral }')).runs.map(({ id }) => id);
    expect(all).toEqual(expect.arrayContaining(expandOn(db, STUDY).runs.map(({ id }) => id)));
    // A bound above what there is changes nothing.
    expect(runOf(withArm('{ images: src, way: joint, most: 50 }')).id).toBe(ids[0]);
  });

  test('draws the same images for all seeds and ways, fewer among the whole, in its order', () => {
    const of = (way: string, seed: number) =>
      runOf(withArm(`{ images: src, way: ${way}, most: 10 }`), 'X', seed).source!;
    const few = of('joint', 0);
    expect(few).toHaveLength(10);
    expect(of('kliep', 1)).toEqual(few);
    const order = runOf(withArm('{ images: src, way: joint }')).source!.map(({ id }) => id);
    const places = few.map(({ id }) => order.indexOf(id));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  test('passes through source images, and through the target’s where it learns from those', () => {
    const images = (way: string) => imagesOfRun(runOf(withArm(`{ images: src, way: ${way} }`)));
    expect(['joint', 'pseudo-labels', 'source-only', 'coral'].map(images)).toEqual([
      3 * 36,
      3 * 36,
      3 * 24,
      3 * 24,
    ]);
    expect(imagesOfRun(runOf(STUDY, 'P-T'))).toBe(3 * 12);
  });

  test('is never given the target’s training images as source images, nor classes it has not', () => {
    const both = withArm('{ images: src, way: source-only }').replace('[line]', '[line, photo]');
    const run = runOf(both);
    const own = new Set(run.train.map(({ sha256 }) => sha256));
    expect(run.source?.some(({ sha256 }) => own.has(sha256))).toBe(false);
    expect(runOf(both, 'P').train.length).toBeGreaterThan(24);
    db.prepare(`DELETE FROM images WHERE path LIKE 'photo/bee/%'`).run();
    const fewer = runOf(withArm('{ images: src, way: source-only }'));
    expect(new Set(fewer.source?.flatMap(({ labels }) => labels))).toEqual(new Set(['ant', 'cat']));
  });

  test('warns of tested images that its source holds, also where it starts at random', () => {
    const leaky = withArm('{ images: src, way: joint }')
      .replace('X: { init: { checkpoint: src@last },', 'X: { init: random,')
      .replace('domains: [line]', 'domains: [line, photo], hold-out-test-groups: false');
    expect(runOf(leaky).notes.join()).toContain(LEAK);
    expect(runOf(leaky, 'RI-T').notes.join()).not.toContain(LEAK);
    const held = leaky.replace(', hold-out-test-groups: false', '');
    const tested = new Set(runOf(held).test!.map(({ sha256 }) => sha256));
    expect(runOf(held).source!.some(({ sha256 }) => tested.has(sha256))).toBe(false);
    expect(runOf(held).notes.join()).not.toContain(LEAK);
  });
});

describe('what is refused, with its line', () => {
  const early = STUDY.replace('test: 0.5', 'test: 0.5, validation: 0.4').replace(
    'epochs: 3,',
    'epochs: 3, early-stopping: { patience: 1 },',
  );
  test.each([
    ['{ images: sr, way: joint }', STUDY, 'images', 'no pretraining "sr"', 'src'],
    ['{ images: src, way: klip }', STUDY, 'way', 'is not one of: joint, imp', 'kliep'],
    ['{ images: src }', STUDY, 'way', 'is missing', null],
    ['{ images: src, way: adabn }', STUDY, 'way', 'has no BatchNorm', null],
    ['{ images: src, way: coral }', early, 'way', 'leave early-stopping out', null],
    ['{ images: src, way: pseudo-labels }', early, 'way', 'leave early-stopping out', null],
    [
      '{ images: src, way: joint }',
      STUDY.replace('epochs: 5', 'epochs: 5, task: rotation'),
      'images',
      'has the task rotation',
      null,
    ],
    [
      '{ images: src, way: joint }',
      STUDY.replace('epochs: 5', 'epochs: 5, labels: random'),
      'images',
      'has random labels',
      null,
    ],
  ])('%s', (source, study, key, message, suggestion) => {
    expect(issuesOf(withArm(source, study))).toEqual([
      [8, `arms.X.source.${key}`, expect.stringContaining(message), suggestion],
    ]);
  });

  test('not: early stopping beside labels, or BatchNorm that is there', () => {
    expect(issuesOf(withArm('{ images: src, way: kliep }', early))).toEqual([]);
    const convnet = STUDY.replace('fixup-resnet10', 'convnet');
    expect(issuesOf(withArm('{ images: src, way: adabn }', convnet))).toEqual([]);
  });

  test('a source without two of the target’s classes', () => {
    db.prepare(`DELETE FROM images WHERE path LIKE 'photo/ant/%'`).run();
    db.prepare(`DELETE FROM images WHERE path LIKE 'line/bee/%'`).run();
    const { spec } = readStudy({ db }, withArm('{ images: src, way: joint }'));
    expect(expandStudy(db, spec!).problems).toMatchObject([
      {
        path: ['arms', 'X', 'source', 'images'],
        message: expect.stringContaining('of cat of the'),
      },
    ]);
  });
});

test('a pretraining that only a source names is used', () => {
  const yaml = withArm('{ images: other, way: joint }').replace(
    'pretraining:\n',
    'pretraining:\n  other: { data: { set: icons, domains: [line] }, epochs: 1 }\n',
  );
  expect(issuesOf(yaml)).toEqual([]);
  expect(runOf(yaml).source).toHaveLength(24);
});

test('groups are numbered together, and a bound below the images is kept', () => {
  const groups = (...names: string[]) => names.map((group) => ({ group }));
  expect(numberGroups(groups('b', 'a', 'b'), groups('c', 'a'))).toEqual([
    [0, 1, 0],
    [2, 1],
  ]);
  expect(groupNumbers(groups('b', 'a', 'b'))).toEqual([0, 1, 0]);
  expect(groupNumbers(groups('b', 'a'))).toBeNull();
  const run = runOf(STUDY, 'P');
  const { sides, spec } = expandOn(db, STUDY);
  for (let most = 2; most <= 24; most += 2) {
    const drawn = sourceImages({ most }, run, sides, spec);
    expect(new Set(drawn.map(({ id }) => id)).size).toBe(most);
  }
});
