/** Networks with BatchNorm: what they are made of. Their numbers: tests/conformance. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { ArchitectureInput, ArchitectureName } from '../../contract/architecture.ts';
import { ARCHITECTURES, architectureSchema } from '../../contract/architecture.ts';
import { sizeOf } from '../../engine/graph/types.ts';
import type { ModelOptions } from '../../engine/models/model.ts';
import { buildModel, initialise } from '../../engine/models/registry.ts';

const file = new URL('../reference/architectures.json', import.meta.url);
const { cases: torchvision } = JSON.parse(await readFile(file, 'utf8')) as {
  cases: Record<string, Record<string, number[]>>;
};

function options(
  name: ArchitectureName,
  rest: Partial<ArchitectureInput & ModelOptions> = {},
): ModelOptions {
  const { classes = 10, batch = 2, mode, frozen, ...architecture } = rest;
  const given = architectureSchema.parse({ name, image: 64, ...architecture });
  return { architecture: given, classes, batch, ...(mode && { mode }), ...(frozen && { frozen }) };
}

describe('torchvision', () => {
  test.each(Object.entries(torchvision))('%s: names, order and shapes', (name, shapes) => {
    const { parameters } = buildModel(options(name as ArchitectureName, { classes: 1000 }));
    expect(parameters.map((p) => [p.name, [...p.shape]])).toEqual(Object.entries(shapes));
  });

  test.each([
    ['resnet18', 102, 11_689_512],
    ['resnet34', 182, 21_797_672],
    ['resnet50', 267, 25_557_032],
    ['mobilenetv2', 262, 3_504_872],
    ['densenet121', 606, 7_978_856],
  ] as const)('%s: %i tensors, %i trained weights', (name, tensors, weights) => {
    const { parameters } = buildModel(options(name, { classes: 1000 }));
    const trained = parameters.filter(({ role }) => role !== 'statistic');
    expect(parameters).toHaveLength(tensors);
    expect(trained.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(weights);
  });
});

describe.each([
  ['resnet50', ['stem', 'layer1', 'layer2', 'layer3', 'layer4', 'head'], 'layer3.0.conv1.weight'],
  [
    'mobilenetv2',
    ['stem', 'stage1', 'stage2', 'stage3', 'stage4', 'head'],
    'features.7.conv.0.0.weight',
  ],
  [
    'densenet121',
    ['stem', 'denseblock1', 'denseblock2', 'denseblock3', 'denseblock4', 'head'],
    'features.denseblock3.denselayer1.norm1.weight',
  ],
  ['convnet', ['stem', 'block2', 'block3', 'head'], 'block3.conv.weight'],
] as const)('%s', (name, stages, third) => {
  const model = buildModel(options(name));

  test('stages follow one another, each parameter in one', () => {
    expect(model.stages).toEqual(stages);
    const runs = model.parameters.map(({ stage }) => stage);
    expect(runs.filter((stage, i) => stage !== runs[i - 1])).toEqual(stages);
    const [, , , block] = stages;
    const at = stages.length === 4 ? stages[2] : block;
    expect(model.parameters.find(({ stage }) => stage === at)?.name).toBe(third);
    const head = model.parameters.filter(({ stage }) => stage === 'head');
    expect(head.map(({ shape }) => shape[0])).toEqual([10, 10]);
    expect(model.parameters.every(({ module }) => module !== '')).toBe(true);
  });

  test('every running statistic has a new value in training, none in evaluation', () => {
    const statistics = model.parameters.filter(({ role }) => role === 'statistic');
    const names = statistics.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(0);
    expect([...model.statistics.keys()]).toEqual(names);
    expect([...model.moments.keys()]).toEqual(names);
    const evaluation = buildModel(options(name, { mode: 'evaluation' }));
    expect(evaluation.statistics.size).toBe(0);
    const frozen = buildModel(options(name, { frozen: new Set(['stem', 'head']) }));
    const left = statistics.filter(({ stage }) => stage !== 'stem').map((p) => p.name);
    expect([...frozen.statistics.keys()]).toEqual(left);
  });

  test('takes grey images, any side from 32, a batch of one', () => {
    for (const image of [32, 47, 96]) {
      const { images, logits } = buildModel(options(name, { image, channels: 1, batch: 1 }));
      expect(images.shape).toEqual([1, 1, image, image]);
      expect(logits.shape).toEqual([1, 10]);
    }
  });
});

test('the width is the first stage’s; all others follow', () => {
  const channels = (name: ArchitectureName, tap: string, width: number) =>
    buildModel(options(name, { width })).taps.get(tap)?.shape[1];
  expect(channels('resnet18', 'layer4.1', 16)).toBe(128);
  expect(channels('resnet50', 'layer4.2', 16)).toBe(512);
  expect(channels('densenet121', 'pool', 32)).toBe(512);
  expect(channels('mobilenetv2', 'features.0', 16)).toBe(16);
  expect(channels('mobilenetv2', 'features.18', 16)).toBe(1280);
  expect(channels('mobilenetv2', 'features.17', 45)).toBe(448);
});

test('stems: small is 5x5 without pooling', () => {
  const side = (name: ArchitectureName, stem: 'small' | 'imagenet') => {
    const { taps, parameters } = buildModel(options(name, { stem }));
    return [taps.get('stem')?.shape[2], parameters[0]?.shape[2]];
  };
  for (const name of ['resnet34', 'densenet121'] as const) {
    expect(side(name, 'small')).toEqual([32, 5]);
    expect(side(name, 'imagenet')).toEqual([16, 7]);
  }
});

test('one value per channel has no variance: the running statistics serve', () => {
  const { statistics, parameters } = buildModel(options('resnet18', { image: 32, batch: 1 }));
  const all = parameters.filter(({ role }) => role === 'statistic').map(({ name }) => name);
  const without = all.filter((name) => !statistics.has(name));
  expect(without.length).toBeGreaterThan(0);
  expect(without.every((name) => name.startsWith('layer4.'))).toBe(true);
});

describe('refusals say what to leave out or to change', () => {
  test.each([
    ['mobilenetv2 of a small stem', options('mobilenetv2', { stem: 'small' }), /one stem/],
    ['resnet50 in Keras’ dialect', options('resnet50', { dialect: 'keras' }), /no dialect "keras"/],
    ['densenet121 of 16 px', options('densenet121', { image: 16 }), /averagePool.*does not fit/],
  ])('%s', (_, given, message) => {
    expect(() => buildModel(given)).toThrow(message);
  });
});

describe('initialisation is that of torchvision’s constructors', () => {
  const deviation = (data: Float32Array): number => {
    const mean = data.reduce((sum, w) => sum + w, 0) / data.length;
    return Math.sqrt(data.reduce((sum, w) => sum + (w - mean) ** 2, 0) / data.length);
  };
  const uniform = (fanIn: number): number => 1 / Math.sqrt(3 * fanIn);

  test.each([
    ['resnet18', 'layer2.0.conv1.weight', Math.sqrt(2 / (128 * 9))],
    ['resnet18', 'conv1.weight', Math.sqrt(2 / (64 * 49))],
    ['resnet18', 'fc.weight', uniform(512)],
    ['resnet18', 'fc.bias', uniform(512)],
    ['mobilenetv2', 'features.2.conv.0.0.weight', Math.sqrt(2 / 96)],
    ['mobilenetv2', 'features.14.conv.1.0.weight', Math.sqrt(2 / (576 * 9))],
    ['mobilenetv2', 'classifier.1.weight', 0.01],
    ['mobilenetv2', 'classifier.1.bias', 0],
    ['densenet121', 'features.denseblock1.denselayer2.conv2.weight', Math.sqrt(2 / (128 * 9))],
    ['densenet121', 'classifier.weight', uniform(1024)],
    ['densenet121', 'classifier.bias', 0],
  ] as const)('%s %s', (name, key, expected) => {
    const { parameters } = buildModel(options(name, { classes: 200 }));
    const spec = parameters.filter((p) => p.name === key);
    const data = initialise(spec, 5).get(key) as Float32Array;
    // four standard errors; the uniform's are smaller
    expect(Math.abs(deviation(data) - expected)).toBeLessThanOrEqual(
      (4 * expected) / Math.sqrt(2 * data.length),
    );
  });

  test.each(ARCHITECTURES)('%s: BatchNorm starts as the identity', (name) => {
    const { parameters } = buildModel(options(name));
    const norms = new Set(
      parameters
        .filter((p) => p.role === 'statistic')
        .map((p) => p.name.replace(/\.running_\w+$/, '')),
    );
    expect(norms.size === 0).toBe(name.startsWith('fixup'));
    const weights = initialise(parameters, 1);
    for (const norm of norms) {
      for (const [key, value] of [
        ['weight', 1],
        ['bias', 0],
        ['running_mean', 0],
        ['running_var', 1],
      ] as const) {
        expect(new Set(weights.get(`${norm}.${key}`)), `${norm}.${key}`).toEqual(new Set([value]));
      }
    }
  });
});
