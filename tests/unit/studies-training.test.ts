import { describe, expect, test } from 'vitest';
import type { CheckpointSummary } from '../../contract/checkpoints.ts';
import { architectureSchema } from '../../contract/architecture.ts';
import type { StudySpec } from '../../contract/study.ts';
import {
  armTraining,
  differingKeys,
  pretrainingTraining,
  resolved,
} from '../../host/studies/overrides.ts';
import { parseStudy } from '../../host/studies/parse.ts';
import { specWarnings } from '../../host/studies/plan-warnings.ts';
import { readStart } from '../../host/studies/starts.ts';

const TRAINING = 'epochs: 6, lr: { peak: 0.05, schedule: one-cycle }';
const GOOD = `name: small
pretraining:
  src: { data: { set: icons, domains: [line] }, epochs: 5, training: { batch: 8 } }
data:
  set: icons
  domain: duotone
  split: { train: 0.6, test: 0.4 }
architecture: { name: fixup-resnet10, image: 48 }
arms:
  P-T:
    init: { checkpoint: src@last }
  RI-T: { init: random }
seeds: [0]
shuffles: [none]
training:
  ${TRAINING.replace(', lr', '\n  lr')}
`;

const study = (changes: [string, string][]): string =>
  changes.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, GOOD);

/** Adds keys to the study's training. */
const withTraining = (...lines: string[]): [string, string] => [
  'training:\n  epochs',
  `training:\n${lines.map((line) => `  ${line}\n`).join('')}  epochs`,
];
/** Adds keys to the training of the arm P-T. */
const withArm = (training: string): [string, string] => [
  '{ checkpoint: src@last }',
  `{ checkpoint: src@last }\n    training: ${training}`,
];

function issuesOf(...changes: [string, string][]) {
  return parseStudy(study(changes), () => null).issues;
}

function specOf(...changes: [string, string][]): StudySpec {
  const { spec, issues } = parseStudy(study(changes), () => null);
  expect(issues).toEqual([]);
  return spec!;
}

describe('the training of an arm', () => {
  test('is the study’s with what the arm names, merged key by key', () => {
    const spec = specOf(
      withArm('{ batch: 4, lr: { peak: 0.01 }, fine-tuning: { freeze-to: stem } }'),
    );
    const training = armTraining(spec, 'P-T');
    expect(training).toMatchObject({
      epochs: 6,
      batch: 4,
      lr: { peak: 0.01, schedule: 'one-cycle' },
      'fine-tuning': { 'freeze-to': 'stem', 'rate-factor': 2.6 },
    });
    expect(armTraining(spec, 'RI-T')).toEqual(resolved(spec.training));
    expect(differingKeys(spec, 'P-T')).toEqual([
      ...['batch', 'lr.peak', 'fine-tuning.rate-factor', 'fine-tuning.freeze-to'],
    ]);
  });

  test('of another optimiser or schedule has that one’s defaults', () => {
    const spec = specOf(
      withTraining('optimiser: { momentum: 0.5, weight-decay: 0.3 }'),
      withArm('{ optimiser: { kind: adamw }, lr: { schedule: cosine } }'),
    );
    expect(armTraining(spec, 'P-T').optimiser).toEqual({
      ...{ kind: 'adamw', betas: [0.9, 0.999], epsilon: 1e-8, 'weight-decay': 0.01 },
    });
    expect(armTraining(spec, 'P-T').lr).toMatchObject({ peak: 0.05, schedule: 'cosine' });
  });

  test('that differs is warned of by its keys', () => {
    const spec = specOf(withArm('{ mixup: 0.2 }'));
    const [warning] = specWarnings(spec, []);
    expect(warning).toContain('arm "P-T" is trained otherwise (mixup)');
    expect(specWarnings(specOf(), [])).toEqual([]);
  });

  test('must make sense with what it overrides', () => {
    const issues = issuesOf(
      withTraining('optimiser: { kind: adamw }'),
      withArm('{ optimiser: { momentum: 0.5 } }'),
    );
    expect(issues).toMatchObject([{ line: 12, path: 'arms.P-T.training.optimiser.momentum' }]);
    expect(issues[0]?.message).toContain('belongs to kind sgd');
  });
});

describe('stages learn at rates of their own, by 2.6, where some are frozen', () => {
  test.each([
    ['{}', '{}', 1],
    ['{ freeze-to: stem }', '{}', 2.6],
    ['{ unfreeze-every: 2 }', '{}', 2.6],
    ['{ freeze-to: stem, rate-factor: 1 }', '{}', 1],
    ['{}', '{ freeze-to: stem }', 2.6],
    ['{}', '{ unfreeze-every: 2, rate-factor: 3 }', 3],
    // What the study says holds for an arm that only freezes.
    ['{ rate-factor: 1 }', '{ freeze-to: stem }', 1],
    ['{ rate-factor: 5 }', '{ unfreeze-every: 2 }', 5],
    ['{ freeze-to: stem, rate-factor: 5 }', '{ rate-factor: 1 }', 1],
  ])('%s, and of the arm %s: %d', (study, arm, factor) => {
    const spec = specOf(withTraining(`fine-tuning: ${study}`), withArm(`{ fine-tuning: ${arm} }`));
    expect(armTraining(spec, 'P-T')['fine-tuning']['rate-factor']).toBe(factor);
    expect(differingKeys(spec, 'P-T').length > 0).toBe(arm !== '{}');
    expect(differingKeys(spec, 'RI-T')).toEqual([]);
    expect(pretrainingTraining(spec, 'src')['fine-tuning']).toEqual({ 'rate-factor': 1 });
  });
});

describe('the training of a pretraining', () => {
  test('takes over what is not about fine-tuning', () => {
    const spec = specOf(
      ['test: 0.4', 'test: 0.4, validation: 0.2'],
      withTraining(
        'loss: { label-smoothing: 0.1, class-weights: { a: 2 } }',
        'early-stopping: { patience: 2 }',
        'fine-tuning: { freeze-to: stem }',
        'image-sizes: [{ from: 1, image: 32 }, { from: 3, image: 48 }]',
        'mixup: 0.4',
      ),
    );
    const training = pretrainingTraining(spec, 'src');
    expect(training).toMatchObject({
      ...{ epochs: 5, batch: 8, mixup: 0.4, 'image-sizes': [] },
      loss: { 'label-smoothing': 0.1, 'class-weights': 'none' },
      'fine-tuning': { 'rate-factor': 1 },
    });
    expect(training['early-stopping']).toBeUndefined();
    expect(training['fine-tuning']['freeze-to']).toBeUndefined();
  });

  test.each([
    ['fine-tuning: { rate-factor: 2 }', 'starts at random'],
    ['early-stopping: { patience: 2 }', 'no validation images'],
  ])('cannot have %s', (training, why) => {
    const issues = issuesOf(['{ batch: 8 }', `{ ${training} }`]);
    expect(issues).toMatchObject([{ line: 3 }]);
    expect(issues[0]?.message).toContain(why);
  });
});

describe('what the schema cannot see of a training', () => {
  const sizes = (list: string) => withTraining(`image-sizes: ${list}`);
  test.each([
    [
      withTraining('fine-tuning: { freeze-to: layer9 }'),
      'fine-tuning.freeze-to',
      'there are: stem, ',
    ],
    [withTraining('fine-tuning: { freeze-to: head }'), 'fine-tuning.freeze-to', 'nothing is left'],
    [sizes('[{ from: 2, image: 48 }]'), 'image-sizes.0.from', 'from epoch 1 on'],
    [sizes('[{ from: 1, image: 32 }]'), 'image-sizes.0.image', 'that of the architecture, 48'],
    [
      sizes('[{ from: 1, image: 32 }, { from: 1, image: 48 }]'),
      'image-sizes.1.from',
      'epochs must rise',
    ],
    [
      sizes('[{ from: 1, image: 32 }, { from: 9, image: 48 }]'),
      'image-sizes.1.from',
      'never reached',
    ],
    [withTraining('early-stopping: { patience: 2 }'), 'early-stopping', 'data.split.validation'],
    [withTraining('optimiser: { kind: adam }'), 'optimiser.kind', 'not one of: sgd, adamw'],
    [
      withTraining('optimiser: { kind: adamw, momentum: 0.9 }'),
      'optimiser.momentum',
      'belongs to kind sgd',
    ],
    [
      withTraining('optimiser: { kind: adamw, betas: [0.9, 1.5] }'),
      'optimiser.betas.1',
      'must be less than 1',
    ],
    [withTraining('loss: { class-weights: even }'), 'loss.class-weights', 'none, balanced'],
  ])('%s', (change, path, message) => {
    const [issue] = issuesOf(change);
    expect(issue).toMatchObject({ line: 16, path: `training.${path}` });
    expect(issue?.message).toContain(message);
  });

  test('sizes that change do not go with shuffles', () => {
    const issues = issuesOf(
      withTraining('image-sizes: [{ from: 1, image: 24 }, { from: 3, image: 48 }]').map((text) =>
        text.replace('image: 24', 'image: 32'),
      ) as [string, string],
      ['shuffles: [none]', 'shuffles: [none, 12]'],
    );
    expect(issues[0]?.message).toContain('do not go with shuffles');
  });

  test('fine-tuning of a random start is a warning', () => {
    const warnings = specWarnings(specOf(withTraining('fine-tuning: { rate-factor: 2.6 }')), []);
    expect(warnings.join()).toContain('fine-tuning applies to arm "RI-T", which starts at random');
  });
});

describe('starts', () => {
  test('are random, an epoch of a pretraining, or an imported checkpoint', () => {
    expect(readStart('random')).toBe('random');
    expect(readStart({ checkpoint: 'a@b@3' })).toEqual({ pretraining: 'a@b', epoch: 3 });
    expect(readStart({ checkpoint: 'a@last' })).toEqual({ pretraining: 'a', epoch: 'last' });
    expect(readStart({ checkpoint: 'resnet18 v1' })).toEqual({ checkpoint: 'resnet18 v1' });
  });

  test('a pretraining without its epoch is asked for it', () => {
    const [issue] = issuesOf(['src@last', 'src']);
    expect(issue).toMatchObject({ line: 11, suggestion: 'src@last' });
  });
});

describe('an imported checkpoint', () => {
  const checkpoint = {
    name: 'trunk',
    architecture: architectureSchema.parse({ name: 'resnet18', width: 32, image: 96, channels: 1 }),
    preprocessing: {
      size: 96,
      mean: [0.4, 0.4, 0.4],
      std: [0.2, 0.2, 0.2],
      interpolation: 'bicubic',
      crop: null,
    },
  } as CheckpointSummary;
  const find = (name: string) => (name === 'trunk' ? checkpoint : null);
  const text = (architecture: string, rest = '') => `name: small
data: { set: icons, split: { train: 0.6, test: 0.4 } }
architecture: ${architecture}
arms:
  P-T: { init: { checkpoint: trunk } }
  RI-T: { init: random }
seeds: [0]
training: { epochs: 3, lr: { peak: 0.05 } }
${rest}`;

  test('fills in what the study leaves out of architecture and recipe', () => {
    const { spec, issues } = parseStudy(text('{ name: resnet18 }'), find);
    expect(issues).toEqual([]);
    expect(spec?.architecture).toEqual(checkpoint.architecture);
    expect(spec?.recipe).toMatchObject({ mean: [0.4, 0.4, 0.4], interpolation: 'bicubic' });
    expect(specWarnings(spec!, [checkpoint])).toEqual([]);
  });

  test('gives way to what the study says, which is then warned of', () => {
    const recipe = 'recipe: { mean: [0.5, 0.5, 0.5] }\n';
    const { spec } = parseStudy(text('{ name: resnet18, image: 64, channels: 3 }', recipe), find);
    expect(spec?.recipe).toMatchObject({ mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] });
    const warnings = specWarnings(spec!, [checkpoint]).join('\n');
    expect(warnings).toContain('the image size is 64, but checkpoint "trunk" was trained with 96');
    expect(warnings).toContain('the mean of the recipe is 0.5, 0.5, 0.5');
    expect(warnings).not.toContain('std');
    expect(warnings).toContain('a third of the filters');
  });

  test('is not shrunk below its own size without a warning', () => {
    const { spec } = parseStudy(
      text('{ name: resnet18 }').replace(
        'training: {',
        'training: { image-sizes: [{ from: 1, image: 48 }, { from: 2, image: 96 }],',
      ),
      find,
    );
    expect(specWarnings(spec!, [checkpoint]).join()).toContain('begins at 48 px, below the 96 px');
  });

  test('nor in the training of an arm of its own; an arm that does not shrink it is not warned of', () => {
    const sizes = '[{ from: 1, image: 48 }, { from: 2, image: 96 }]';
    const start = '{ init: { checkpoint: trunk } }';
    const own = (training: string) => `{ init: { checkpoint: trunk }, training: { ${training} } }`;
    const warnings = (study: string) => {
      const { spec, issues } = parseStudy(study, find);
      expect(issues).toEqual([]);
      return specWarnings(spec!, [checkpoint]).filter((each) => each.includes('progressive'));
    };
    const plain = text('{ name: resnet18 }');
    expect(warnings(plain.replace(start, own(`image-sizes: ${sizes}`)))).toEqual([
      expect.stringContaining('begins at 48 px, below the 96 px that checkpoint "trunk"'),
    ]);
    const twice = `${own(`image-sizes: ${sizes}`)}\n  Q-T: ${own(`batch: 4, image-sizes: ${sizes}`)}`;
    expect(warnings(plain.replace(start, twice))).toHaveLength(1);
    const everywhere = plain.replace('training: {', `training: { image-sizes: ${sizes},`);
    expect(warnings(everywhere.replace(start, own('image-sizes: []')))).toEqual([]);
  });
});
