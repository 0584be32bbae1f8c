import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import { issuesError, parseStudy as parseWith } from '../../host/studies/parse.ts';
import { editDistance, nearest } from '../../host/studies/nearest.ts';

const GOOD = `name: small
pretraining:
  src: { data: { set: icons, domains: [line] }, epochs: 5, training: { batch: 8 } }
data: { set: icons, domain: duotone, split: { train: 0.6, test: 0.4 } }
architecture:
  name: fixup-resnet10
  image: 48
arms:
  P-T: { init: { checkpoint: src@last } }
  RI-T: { init: random }
seeds: [0, 1]
shuffles: [none, 12, pixel]
training:
  epochs: 3
  lr: { peak: 0.05, schedule: one-cycle }
`;

const parseStudy = (yaml: string) => parseWith(yaml, () => null);

/** Issues of the good study with one text replaced, as `line path [suggestion]`. */
function issuesWith(from: string, to: string): string[] {
  expect(GOOD).toContain(from);
  return parseStudy(GOOD.replace(from, to)).issues.map(
    ({ line, path, suggestion }) => `${line} ${path} [${suggestion ?? ''}]`,
  );
}

describe('a good study', () => {
  test('is read with its defaults', () => {
    const { spec, issues } = parseStudy(GOOD);
    expect(issues).toEqual([]);
    expect(spec?.data.split).toEqual({
      ...{ train: 0.6, test: 0.4, validation: 0, grouped: true, 'allow-leaks': false, seed: 0 },
    });
    expect(spec?.training.optimiser).toEqual({
      ...{ kind: 'sgd', momentum: 0.9, nesterov: false, 'weight-decay': 1e-4, decay: 'coupled' },
    });
  });

  test('a pretraining overrides what it names and nothing else', () => {
    const { spec } = parseStudy(GOOD);
    expect(spec?.pretraining['src']?.training).toEqual({ batch: 8 });
  });

  const samples = new URL('../../resources/studies/', import.meta.url);
  test.each(readdirSync(samples))('the sample study %s has no issue', (file) => {
    expect(parseStudy(readFileSync(new URL(file, samples), 'utf8')).issues).toEqual([]);
  });
});

describe('a split', () => {
  test.each([
    ['kind: temporal', 'kind'],
    ['column: taken', 'column'],
    ['kind: random, grouped: true', 'grouped'],
  ])('that says %s is refused at its key', (split, key) => {
    const yaml = GOOD.replace(/split: \{/, `split: { ${split},`);
    const { issues } = parseStudy(yaml);
    expect(issues).toMatchObject([{ path: `data.split.${key}` }]);
  });

  test('as the source gives it has no shares', () => {
    const { issues } = parseStudy(GOOD.replace('split: {', 'split: { kind: given,'));
    expect(issues.map(({ path }) => path)).toEqual(['data.split.train', 'data.split.test']);
    expect(issues[0]?.message).toContain('as the source has them');
  });
});

describe('a network that cannot be built', () => {
  test.each([
    ['name: convnet\n  dialect: keras', 7, 'dialect', 'convnet has no dialect "keras"'],
    ['name: mobilenetv2\n  stem: small', 7, 'stem', 'has one stem, and it is not "small"'],
    ['name: densenet121\n  dialect: torchvision', 8, 'image', 'does not fit'],
  ])('%j: its line and key are named', (to, line, key, message) => {
    // Trainings ask for the network's stages.
    const tuned = GOOD.replace('epochs: 3\n', 'epochs: 3\n  fine-tuning: { freeze-to: stem }\n');
    const { issues } = parseStudy(
      tuned
        .replace('name: fixup-resnet10', to)
        .replace('image: 48', 'image: 16')
        .replace('12, pixel', '8'),
    );
    expect(issues).toMatchObject([{ line, path: `architecture.${key}` }]);
    expect(issues[0]?.message).toContain(message);
  });
});

describe('unknown keys name their line and the nearest legal key', () => {
  test.each([
    ['name: small', 'nmae: small', '1 nmae [name]'],
    ['  epochs: 3', '  epochs: 3\n  optimizer: {}', '15 training.optimizer [optimiser]'],
    ['peak: 0.05', 'peak: 0.05, scheduel: cosine', '15 training.lr.scheduel [schedule]'],
    ['domains: [line]', 'domians: [line]', '3 pretraining.src.data.domians [domains]'],
    [
      '{ checkpoint: src@last }',
      '{ chekpoint: src@last }',
      '9 arms.P-T.init.chekpoint [checkpoint]',
    ],
    [
      'seeds: [0, 1]',
      'seeds: [0, 1]\nrecipe: { augment: { shfit: 2 } }',
      '12 recipe.augment.shfit [shift]',
    ],
  ])('%s -> %s', (from, to, issue) => {
    expect(issuesWith(from, to)).toContain(issue);
  });

  test('a key that resembles none gets no suggestion, but the legal ones are listed', () => {
    const [issue] = parseStudy(`${GOOD}xyzzyxyzzy: 1\n`).issues;
    expect(issue).toMatchObject({ line: 16, path: 'xyzzyxyzzy', suggestion: null });
    expect(issue?.message).toContain('legal here: name, description, pretraining');
  });

  test.each([
    ['seeds: [0, 1]', 'seds: [0, 1]', '11 seds [seeds]'],
    [
      '{ checkpoint: src@last }',
      '{ chekpoint: src@last }',
      '9 arms.P-T.init.chekpoint [checkpoint]',
    ],
  ])('a misspelt required key is reported once, where it stands: %s -> %s', (from, to, issue) => {
    expect(issuesWith(from, to)).toEqual([issue]);
  });

  test('a key that is missing is still reported beside a misspelt one', () => {
    const issues = parseStudy(GOOD.replace('seeds:', 'seds:').replace('  epochs: 3\n', '')).issues;
    expect(issues.map(({ path }) => path)).toEqual(['seds', 'training.epochs']);
  });

  test('a key named __proto__ is an unknown key like any other', () => {
    expect(parseStudy(`${GOOD}__proto__: { a: 1 }\n`).issues).toHaveLength(1);
  });
});

describe('wrong values name their line and the nearest legal value', () => {
  test.each([
    ['fixup-resnet10', 'fixupresnet10', '6 architecture.name [fixup-resnet10]'],
    ['one-cycle', 'onecycle', '15 training.lr.schedule [one-cycle]'],
    ['pixel]', 'pixl]', '12 shuffles.2 [pixel]'],
    ['init: random', 'init: radnom', '10 arms.RI-T.init [random]'],
    ['seeds: [0, 1]', 'seeds: [0, 1.5]', '11 seeds.1 []'],
    ['seeds: [0, 1]', 'seeds:\n  - 0\n  - -1', '13 seeds.1 []'],
    ['train: 0.6', 'train: most', '4 data.split.train []'],
    ['  epochs: 3\n', '', '13 training.epochs []'],
  ])('%s -> %s', (from, to, issue) => {
    expect(issuesWith(from, to)).toEqual([issue]);
  });
});

describe('what the schema cannot see', () => {
  test.each([
    ['src@last', 'srk@last', '9 arms.P-T.init.checkpoint [src]'],
    ['src@last', 'src@6', '9 arms.P-T.init.checkpoint []'],
    ['test: 0.4', 'test: 0.5', '4 data.split []'],
    ['domain: duotone', 'domain: duotone, domains: [line]', '4 data.domains []'],
    ['[0, 1]', '[0, 1, 0]', '11 seeds.2 []'],
    ['[none, 12, pixel]', '[none, 12, none]', '12 shuffles.2 []'],
    ['[none, 12, pixel]', '[none, 13]', '12 shuffles.1 []'],
    ['schedule: one-cycle', 'schedule: multistep', '15 training.lr.milestones []'],
    ['one-cycle', 'multistep, milestones: [2, 2]', '15 training.lr.milestones.1 []'],
    ['one-cycle', 'multistep, milestones: [2, 9]', '15 training.lr.milestones.1 []'],
    ['one-cycle', 'one-cycle, warmup-epochs: 1', '15 training.lr.warmup-epochs []'],
    ['one-cycle', 'cosine, gamma: 0.5', '15 training.lr.gamma []'],
    ['one-cycle', 'cosine, milestones: [1]', '15 training.lr.milestones []'],
    [
      'RI-T: { init: random }',
      'RI-T: { init: random }\n  again: { init: random }',
      '11 arms.again.init []',
    ],
    [
      'RI-T: { init: random }',
      'RI-T: { init: random }\n  X: { init: { checkpoint: src@5 } }',
      '11 arms.X.init.checkpoint []',
    ],
    ['training: { batch: 8 }', 'training: { epochs: 4 }', '3 pretraining.src.epochs []'],
    ['seeds: [0, 1]', 'seeds: [0, 4294967295]', '11 seeds.1 []'],
  ])('%s -> %s', (from, to, issue) => {
    expect(issuesWith(from, to)).toContain(issue);
  });

  test("a misspelt pretraining is the arm's issue, not the pretraining's", () => {
    expect(issuesWith('src@last', 'srk@last')).toEqual(['9 arms.P-T.init.checkpoint [src]']);
  });

  test('an illegal block size lists the legal ones', () => {
    const { issues } = parseStudy(GOOD.replace('[none, 12, pixel]', '[13]'));
    expect(issues[0]?.message).toContain('legal: 1, 2, 3, 4, 6, 8, 12, 16, 24, 48');
  });

  test('a pretraining that no arm starts from is an error, not trained in vain', () => {
    const issues = issuesWith('{ checkpoint: src@last }', 'random').map(
      (text) => text.split(' ')[1],
    );
    expect(issues).toContain('pretraining.src');
  });
});

describe('bad YAML', () => {
  test.each([
    ['', 1],
    ['- a\n- b\n', 1],
    ['name: a\n\tb: c\n', 2],
    [`${GOOD}name: again\n`, 16],
    ['name: [a\nseeds: 1\n', 2],
    [`${GOOD}---\nname: b\n`, 16],
    ['name: *nowhere\n', 1],
  ])('%j has an issue in line %i', (text, line) => {
    const { spec, issues } = parseStudy(text);
    expect(spec).toBeNull();
    expect(issues.map((issue) => issue.line)).toContain(line);
  });

  test('a duplicate key inside is named by its path', () => {
    const { issues } = parseStudy(GOOD.replace('  image: 48', '  image: 48\n  image: 24'));
    expect(issues).toMatchObject([{ line: 8, path: 'architecture.image' }]);
  });

  test('a file that is no text has one short issue', () => {
    const png = '\ufffdPNG\r\n\u001a\n\u0000\u0000\rIHDR: ]x\u0007';
    expect(parseStudy(png).issues).toMatchObject([{ line: 2, path: '' }]);
    expect(parseStudy(png).issues[0]?.message).toContain('no text file');
  });

  test('a long text that is no YAML is quoted in part', () => {
    const { issues } = parseStudy(`a: b\n] ${'x'.repeat(5000)}\n`);
    const quoting = issues.filter(({ message }) => message.includes('xxx'));
    expect(quoting).toHaveLength(1);
    expect(quoting[0]?.message).toHaveLength(120);
    const [twice] = parseStudy(`${'k'.repeat(900)}: { a: 1, a: 2 }\n`).issues;
    expect(twice?.path).toBe(`${'k'.repeat(119)}…`);
  });

  test('aliases that multiply without end are refused', () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(9)}]`,
    );
    expect(parseStudy(`l0: &l0 [x]\n${levels.join('\n')}\n`).issues).not.toEqual([]);
  });
});

test('a failure says file, line, path and what was meant', () => {
  const { issues } = parseStudy(GOOD.replace('epochs: 3', 'epoch: 3'));
  const error = issuesError(issues, 'a.yaml');
  expect(error).toBeInstanceOf(CarryoverError);
  const { message, detail } = error;
  expect(message).toContain('a.yaml, line 14, training.epoch: unknown key "epoch"');
  expect(detail).toMatchObject({ file: 'a.yaml', wayOut: expect.stringContaining('"epochs"') });
});

test('the failure is about the first issue that has a remedy', () => {
  const wrong = GOOD.replace('name: small', 'name: 7').replace('seeds:', 'seds:');
  const failure = issuesError(parseStudy(wrong).issues, 'a.yaml');
  expect(failure.message.split('\n')).toHaveLength(2);
  expect(failure.detail).toMatchObject({
    line: 11,
    value: 'seds',
    wayOut: 'correct the study file: did you mean "seeds"?',
  });
  const hopeless = issuesError(parseStudy(GOOD.replace('name: small', 'name: 7')).issues);
  expect(hopeless.detail).toMatchObject({ line: 1, value: 'name' });
});

test('edit distance counts inserts, deletes, replacements and swaps of neighbours', () => {
  expect(editDistance('peak', 'peak')).toBe(0);
  expect(editDistance('epohcs', 'epochs')).toBe(1);
  expect(editDistance('optimizer', 'optimiser')).toBe(1);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(nearest('zzz', ['name', 'seeds'])).toBeNull();
});
