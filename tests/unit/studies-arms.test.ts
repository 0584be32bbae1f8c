import type Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withShared } from '../../host/studies/analyses/view.ts';
import { readStudy } from '../../host/studies/save.ts';
import type { PlannedRun } from '../../host/studies/plan.ts';
import { STUDY, expandOn, iconsDatabase } from './studies-icons.ts';

let db: Database.Database;

beforeEach(() => {
  db = iconsDatabase();
});
afterEach(() => db.close());

const withArm = (arm: string): string => STUDY.replace('  RI-T:', `  ${arm}\n  RI-T:`);
const analysing = (analysis: string, study = STUDY): string =>
  `${study}analyses: [agreement, ${analysis}]\n`;

function issuesOf(yaml: string): [string, string, string | null][] {
  const { issues } = readStudy({ db }, yaml);
  return issues.map(({ path, message, suggestion }) => [path, message, suggestion]);
}

function runOf(yaml: string, arm: string, seed = 0, shuffle: string | number = 'none'): PlannedRun {
  const { runs } = expandOn(db, yaml);
  const found = runs.find(
    (run) => run.arm === arm && run.spec.seed === seed && run.spec.shuffle === shuffle,
  );
  if (!found) throw new Error(`no run of ${arm}`);
  return found;
}

describe('starts', () => {
  test.each(['permuted', 'gaussian', 'rescaled'])('weights: %s is part of the run', (kind) => {
    const yaml = withArm(`X: { init: { checkpoint: src@last, weights: ${kind} } }`);
    const source = runOf(yaml, 'P');
    const run = runOf(yaml, 'X', 1, 4);
    expect(run.spec.start).toEqual({ run: source.id, epoch: 5, weights: kind });
    expect(run.notes.join()).toContain('running statistics as they were');
    expect(runOf(yaml, 'P-T').spec.start).toEqual({ run: source.id, epoch: 5 });
  });

  test('keep-to says how far a checkpoint is copied; up to the head is what is usual', () => {
    const yaml = withArm('X: { init: { checkpoint: src@2, keep-to: layer2 } }');
    expect(runOf(yaml, 'X').spec.start).toMatchObject({ epoch: 2, 'keep-to': 'layer2' });
    const all = withArm('X: { init: { checkpoint: src@2, keep-to: layer4 } }');
    expect(runOf(all, 'X').spec.start).toEqual({ run: runOf(all, 'P').id, epoch: 2 });
  });

  test('from another arm is its run of the same seed and shuffle, which comes before', () => {
    const yaml = withArm('X: { init: { arm: RI-T, epoch: last, keep-to: layer1 } }');
    for (const seed of [0, 1]) {
      for (const shuffle of ['none', 4]) {
        const parent = runOf(yaml, 'RI-T', seed, shuffle);
        const child = runOf(yaml, 'X', seed, shuffle);
        expect(child.spec.start).toEqual({ run: parent.id, epoch: 3, 'keep-to': 'layer1' });
        expect(parent.keepEpochs).toEqual([3]);
      }
    }
    const ids = expandOn(db, yaml).runs.map(({ id }) => id);
    expandOn(db, yaml).runs.forEach(({ spec: { start } }, at) => {
      if (start === 'random' || !('run' in start)) return;
      expect(ids.indexOf(start.run)).toBeLessThan(at);
      expect(ids).toContain(start.run);
    });
  });

  test('from another arm without keep-to takes its head, too', () => {
    const yaml = withArm('X: { init: { arm: P-T, epoch: 2 } }');
    const parent = runOf(yaml, 'P-T');
    expect(runOf(yaml, 'X').spec.start).toEqual({ run: parent.id, epoch: 2, head: true });
    expect(parent.keepEpochs).toEqual([2]);
  });

  test('the last epoch of a run that may stop early is whatever it came to', () => {
    const stopping = STUDY.replace('test: 0.5', 'test: 0.5, validation: 0.4').replace(
      'epochs: 3,',
      'epochs: 3, early-stopping: { patience: 1 },',
    );
    const yaml = stopping.replace('  RI-T:', '  X: { init: { arm: P-T, epoch: last } }\n  RI-T:');
    expect(runOf(yaml, 'P-T').keepEpochs).toEqual([]);
    expect(issuesOf(yaml.replace('epoch: last', 'epoch: 2'))).toMatchObject([
      ['arms.X.init.epoch', expect.stringContaining('may be stopped before epoch 2'), 'last'],
    ]);
  });

  test('other runs keep their ids', () => {
    const own = expandOn(db, STUDY).runs.map(({ id }) => id);
    const yaml = withArm('X: { init: { arm: P-T, epoch: 2 }, per-class: 2 }');
    expect(expandOn(db, yaml).runs.map(({ id }) => id)).toEqual(expect.arrayContaining(own));
  });
});

describe('images of each class', () => {
  test('are drawn as data.per-class draws them, fewer among more', () => {
    const of = (arm: string, yaml: string) => runOf(yaml, arm).train.map(({ id }) => id);
    const yaml = withArm('X: { init: random, per-class: 2 }\n  Y: { init: random, per-class: 3 }');
    expect(of('X', yaml)).toHaveLength(6);
    expect(of('Y', yaml)).toHaveLength(9);
    expect(of('Y', yaml)).toEqual(expect.arrayContaining(of('X', yaml)));
    const whole = STUDY.replace('domain: photo,', 'domain: photo, per-class: 2,');
    expect(of('X', yaml)).toEqual(of('RI-T', whole));
    expect(of('RI-T', yaml)).toHaveLength(12);
    expect(runOf(yaml, 'X').id).toBe(runOf(whole, 'RI-T').id);
  });

  test('of an arm stand for those of the study, and the plan warns', () => {
    const yaml = withArm('X: { init: random, per-class: 3 }').replace(
      'domain: photo,',
      'domain: photo, per-class: 2,',
    );
    expect(runOf(yaml, 'X').train).toHaveLength(9);
    expect(expandOn(db, yaml).warnings.join()).toContain(
      'arm "X" learns from at most 3 images of each class',
    );
  });
});

describe('what is refused', () => {
  test.each([
    ['X: { init: { arm: RIT, epoch: last } }', 'arms.X.init.arm', 'no arm "RIT"', 'RI-T'],
    ['X: { init: { arm: RI-T, epoch: 4 } }', 'arms.X.init.epoch', 'there is no epoch 4', null],
    ['X: { init: { arm: RI-T, epoch: lst } }', 'arms.X.init.epoch', 'is not one of', 'last'],
    ['X: { init: { arm: X, epoch: 1 } }', 'arms.X.init.arm', 'each other: X <- X', null],
    [
      'X: { init: { arm: Y, epoch: 1 } }\n  Y: { init: { arm: X, epoch: 1 } }',
      'arms.X.init.arm',
      'each other: X <- Y <- X',
      null,
    ],
    [
      'X: { init: { checkpoint: src@last, keep-to: layr2 } }',
      'arms.X.init.keep-to',
      'no stage of fixup-resnet10 below the head "layr2"',
      'layer2',
    ],
    [
      'X: { init: { checkpoint: src@last, weights: permute } }',
      'arms.X.init.weights',
      'is not one of: permuted, gaussian, rescaled',
      'permuted',
    ],
    ['X: { init: { arm: RI-T } }', 'arms.X.init.epoch', 'is missing', null],
    ['X: { init: { checkpoint: src@5 } }', 'arms.X.init.checkpoint', 'as arm "P-T"', null],
    ['X: { init: random, per-class: 0 }', 'arms.X.per-class', 'must be more than 0', null],
  ])('%s', (arm, path, message, suggestion) => {
    expect(issuesOf(withArm(arm))).toEqual([[path, expect.stringContaining(message), suggestion]]);
  });
});

describe('pretrainings', () => {
  test('on random labels have the same images, every label as often', () => {
    const random = STUDY.replace('epochs: 5', 'epochs: 5, labels: random');
    const [given, dealt] = [STUDY, random].map((yaml) => expandOn(db, yaml).runs[0]!);
    const labels = (run: PlannedRun) => run.train.flatMap((image) => image.labels);
    expect(dealt!.train.map(({ id }) => id)).toEqual(given!.train.map(({ id }) => id));
    expect(labels(dealt!)).not.toEqual(labels(given!));
    expect(labels(dealt!).toSorted()).toEqual(labels(given!).toSorted());
    const other = random.replace('labels: random', 'labels: random, seed: 1');
    expect(labels(expandOn(db, other).runs[0]!)).not.toEqual(labels(dealt!));
  });

  test('with a test side keep groups whole and train on the rest', () => {
    const yaml = STUDY.replace('domains: [line]', 'domains: [line], test: 0.25');
    const [source] = expandOn(db, yaml).runs;
    expect(source?.train).toHaveLength(18);
    expect(source?.test).toHaveLength(6);
    const groups = new Set(source?.train.map(({ group }) => group));
    expect(source?.test?.some(({ group }) => groups.has(group))).toBe(false);
    expect(new Set(source?.test?.flatMap(({ labels }) => labels)).size).toBe(3);
    expect(source?.spec.data.test?.images).toBe(6);
    expect(source?.id).not.toBe(expandOn(db, STUDY).runs[0]?.id);
  });

  test('on random labels are tested on the given ones', () => {
    const yaml = STUDY.replace('domains: [line]', 'domains: [line], test: 0.25');
    const random = yaml.replace('epochs: 5', 'epochs: 5, labels: random');
    const [given, dealt] = [yaml, random].map((each) => expandOn(db, each).runs[0]!);
    expect(dealt!.spec.data.test).toEqual(given!.spec.data.test);
    expect(dealt!.spec.data.train).not.toEqual(given!.spec.data.train);
  });
});

describe('a pretraining on rotations', () => {
  const rotation = STUDY.replace('epochs: 5', 'epochs: 5, task: rotation');

  test('learns four turns of the same images, each as often', () => {
    const [given, turned] = [STUDY, rotation].map((yaml) => expandOn(db, yaml).runs[0]!);
    const ids = (run: PlannedRun) => run.train.map(({ id }) => id).toSorted((a, b) => a - b);
    expect(ids(turned!)).toEqual(ids(given!));
    expect(turned!.spec).toMatchObject({ task: 'rotation' });
    expect(turned!.spec.classNames).toHaveLength(4);
    for (const name of turned!.spec.classNames) {
      expect(turned!.train.filter(({ labels }) => labels[0] === name)).toHaveLength(6);
    }
    expect(turned!.notes.join()).toContain('without labels');
    expect(given!.spec).not.toHaveProperty('task');
  });

  test('does not depend on the labels', () => {
    const before = expandOn(db, rotation).runs[0]?.id;
    db.prepare(
      `UPDATE images SET class_id = (SELECT min(id) FROM classes)
       WHERE path LIKE 'line/%-3.png'`,
    ).run();
    expect(expandOn(db, rotation).runs[0]?.id).toBe(before);
    expect(expandOn(db, STUDY).runs[0]?.train.some(({ path }) => path.endsWith('-3.png'))).toBe(
      true,
    );
  });

  test('may keep groups to be tested', () => {
    const [source] = expandOn(
      db,
      rotation.replace('domains: [line]', 'domains: [line], test: 0.5'),
    ).runs;
    const groups = new Set(source?.train.map(({ group }) => group));
    expect(source?.test).toHaveLength(12);
    expect(source?.test?.some(({ group }) => groups.has(group))).toBe(false);
  });

  test('has no labels to deal out', () => {
    expect(issuesOf(rotation.replace('task: rotation', 'task: rotation, labels: random'))).toEqual([
      ['pretraining.src.labels', 'the task rotation uses no labels', null],
    ]);
  });
});

describe('arms that analyses add', () => {
  const armsOf = (yaml: string): string[] => [
    ...new Set(expandOn(db, yaml).runs.map(({ arm }) => arm)),
  ];
  const OWN = ['P', 'P-T', 'RI-T'];

  test('none, where none are asked for', () => {
    expect(armsOf(STUDY)).toEqual(OWN);
  });

  test('checkpoints: the start, early epochs, then twice as many; the last is the arm itself', () => {
    const yaml = analysing('checkpoints');
    const study = expandOn(db, yaml);
    const early = [0, 1, 2, 4].map((epoch) => `P-T from epoch ${epoch}`);
    expect(armsOf(yaml)).toEqual([...OWN, ...early]);
    expect(study.shared).toEqual(
      [0, 1].map((seed) => ({ arm: 'P-T from epoch 5', run: runOf(yaml, 'P-T', seed).id })),
    );
    const shown = withShared(study.runs, study).filter(({ arm }) => arm === 'P-T from epoch 5');
    expect(shown.map(({ spec }) => spec.seed)).toEqual([0, 1]);
    expect(study.runs[0]?.keepEpochs).toEqual([0, 1, 2, 4, 5]);
    expect(study.spec.arms).toEqual(expandOn(db, STUDY).spec.arms);
    const derived = study.runs.filter(({ arm }) => early.includes(arm));
    expect(derived.map(({ spec }) => spec.shuffle)).toEqual(new Array(8).fill('none'));
  });

  test('rewinding: from early epochs of the same run, its head with them', () => {
    const yaml = analysing('{ rewinding: { arm: RI-T, epochs: [0, 2] } }');
    expect(armsOf(yaml)).toEqual([...OWN, 'RI-T rewound to 2']);
    const parent = runOf(yaml, 'RI-T', 1);
    const { start } = runOf(yaml, 'RI-T rewound to 2', 1).spec;
    expect(start).toEqual({ run: parent.id, epoch: 2, head: true });
    expect(expandOn(db, yaml).shared).toContainEqual({ arm: 'RI-T rewound to 0', run: parent.id });
  });

  test('low-level-statistics: the controls', () => {
    const yaml = analysing('{ low-level-statistics: { controls: [permuted, rescaled] } }');
    expect(armsOf(yaml)).toEqual([...OWN, 'P-T permuted', 'P-T rescaled']);
  });

  test('low-level-statistics: a pretraining like the other, on random labels', () => {
    const yaml = analysing('{ low-level-statistics: { controls: [random-labels] } }');
    const { runs } = expandOn(db, yaml);
    const [real, random] = runs;
    expect(armsOf(yaml)).toEqual(['P', 'P random labels', 'P-T', 'RI-T', 'P-T random labels']);
    expect(random?.spec).toEqual({ ...real?.spec, data: random?.spec.data });
    expect(random?.notes.join()).toContain('trained on random labels');
    const start = { run: random?.id, epoch: 5 };
    expect(runOf(yaml, 'P-T random labels').spec.start).toEqual(start);
    expect(random?.keepEpochs).toEqual([5]);
  });

  test('transfer-depth: AnB freezes what AnB+ trains; all of A is the arm itself', () => {
    const yaml = analysing('{ transfer-depth: { cuts: [layer1, layer4] } }');
    const of = (arm: string) => runOf(yaml, arm).spec;
    expect(armsOf(yaml)).toEqual([
      ...OWN,
      ...['AnB', 'AnB+', 'BnB', 'BnB+'].map((kind) => `${kind} layer1`),
      ...['AnB', 'BnB', 'BnB+'].map((kind) => `${kind} layer4`),
    ]);
    expect(expandOn(db, yaml).shared[0]).toEqual({
      arm: 'AnB+ layer4',
      run: runOf(yaml, 'P-T').id,
    });
    expect(of('AnB layer1').training['fine-tuning']).toEqual({
      'freeze-to': 'layer1',
      'rate-factor': 1,
    });
    expect(of('AnB+ layer1').training).toEqual(of('P-T').training);
    expect(of('AnB layer1').start).toEqual(of('AnB+ layer1').start);
    expect(of('BnB layer1').start).toEqual({
      run: runOf(yaml, 'RI-T').id,
      epoch: 3,
      'keep-to': 'layer1',
    });
  });

  test('transfer-depth: a study of shuffles only trains the base arm unshuffled, too', () => {
    const shuffled = STUDY.replace('shuffles: [none, 4]', 'shuffles: [4]');
    const yaml = analysing('{ transfer-depth: { cuts: [layer1] } }', shuffled);
    expect(runOf(yaml, 'RI-T').keepEpochs).toEqual([3]);
  });

  test('kinds-of-transfer: from the source without its labels', () => {
    const yaml = analysing('{ kinds-of-transfer: { kinds: [rotation] } }');
    const [real, turned] = expandOn(db, yaml).runs;
    expect(armsOf(yaml)).toEqual(['P', 'P rotation', 'P-T', 'RI-T', 'rotation']);
    expect(turned?.spec.training).toEqual(real?.spec.training);
    expect(runOf(yaml, 'rotation').spec.start).toEqual({ run: turned?.id, epoch: 5 });
    expect(armsOf(analysing('{ kinds-of-transfer: { kinds: [coral] } }'))).toEqual(OWN);
  });

  test('kinds-of-transfer: arms trained on the source’s images, each control once', () => {
    const trained = (ways: string, study = STUDY) =>
      analysing(`{ kinds-of-transfer: { kinds: [coral], trained: [${ways}] } }`, study);
    const yaml = trained('kliep, tradaboost, coral');
    const added = ['joint', 'kliep', 'tradaboost', 'source-only', 'coral'];
    expect(armsOf(yaml)).toEqual([...OWN, ...added.map((way) => `P-T ${way}`)]);
    expect(runOf(yaml, 'P-T kliep').spec).toEqual({
      ...runOf(yaml, 'P-T').spec,
      source: { ...runOf(yaml, 'P-T joint').spec.source, way: 'kliep' },
    });
    const at = (index: number) => `analyses.1.kinds-of-transfer.trained.${index}`;
    expect(issuesOf(trained('coral, adabn'))).toEqual([
      [at(1), expect.stringContaining('has no BatchNorm'), null],
    ]);
    const random = STUDY.replace('epochs: 5', 'epochs: 5, labels: random');
    expect(issuesOf(trained('kliep', random))).toMatchObject([
      [expect.stringContaining('analyses.1'), expect.stringContaining('random labels'), null],
    ]);
  });

  test('low-data: every arm at every number of images', () => {
    const yaml = analysing('{ low-data: { per-class: [1, 4] } }');
    const { shared } = expandOn(db, yaml);
    expect(armsOf(yaml)).toEqual([...OWN, 'P-T 1 per class', 'RI-T 1 per class']);
    expect(shared.map(({ arm }) => arm)).toEqual([
      ...['P-T 4 per class', 'P-T 4 per class', 'RI-T 4 per class', 'RI-T 4 per class'],
    ]);
  });

  test('an arm of the study that is called so stands for it', () => {
    const own = withArm('P-T permuted: { init: { checkpoint: src@2, weights: permuted } }');
    const yaml = analysing('{ low-level-statistics: { controls: [permuted] } }', own);
    expect(runOf(yaml, 'P-T permuted').spec.start).toMatchObject({ epoch: 2 });
  });

  test.each([
    ['{ checkpoints: { arm: PT } }', 'analyses.1.checkpoints.arm', 'no arm "PT"', 'P-T'],
    ['{ checkpoints: { arm: RI-T } }', 'analyses.1.checkpoints.arm', '"RI-T" does not', null],
    ['{ checkpoints: { epochs: [6] } }', 'analyses.1.checkpoints.epochs.0', 'no epoch 6', null],
    ['{ rewinding: { epochs: [4] } }', 'analyses.1.rewinding.epochs.0', 'no epoch 4', null],
    ['{ transfer-depth: { cuts: [head] } }', 'analyses.1.transfer-depth.cuts.0', '"head"', null],
    ['{ low-data: { arms: [RIT] } }', 'analyses.1.low-data.arms.0', 'no arm "RIT"', 'RI-T'],
    [
      '{ low-level-statistics: { arm: RI-T } }',
      'analyses.1.low-level-statistics.arm',
      'nothing to redraw',
      null,
    ],
  ])('%s is refused where it stands', (analysis, path, message, suggestion) => {
    expect(issuesOf(analysing(analysis))).toEqual([
      [path, expect.stringContaining(message), suggestion],
    ]);
  });
});
