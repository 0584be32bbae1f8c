import { describe, expect, test } from 'vitest';
import type { ArchitectureInput } from '../../contract/architecture.ts';
import { architectureSchema } from '../../contract/architecture.ts';
import { greyToRgb, rgbToGrey } from '../../engine/checkpoints/channels.ts';
import { matchWeights } from '../../engine/checkpoints/match.ts';
import type { RawTensor, RawWeights } from '../../engine/formats/weights.ts';
import { METADATA_KEYS, UNKNOWN_PREPROCESSING } from '../../engine/formats/told.ts';
import { buildModel } from '../../engine/models/registry.ts';

const KNOWN: ArchitectureInput[] = [
  { name: 'resnet18', image: 224 },
  { name: 'resnet34', image: 224, channels: 1 },
  { name: 'resnet50', image: 224 },
  { name: 'resnet18', image: 224, width: 16, stem: 'small' },
  { name: 'mobilenetv2', image: 224 },
  { name: 'densenet121', image: 224 },
  { name: 'convnet', image: 224, width: 12 },
  { name: 'fixup-resnet10', image: 224, width: 16 },
  { name: 'fixup-resnet50', image: 224, stem: 'imagenet' },
];

function tensor(shape: readonly number[]): RawTensor {
  const length = shape.reduce((product, side) => product * side, 1);
  return { shape: [...shape], dtype: 'F32', read: () => new Float32Array(length) };
}

function rawOf(tensors: Iterable<[string, RawTensor]>, metadata = {}): RawWeights {
  return {
    format: 'safetensors',
    tensors: new Map(tensors),
    metadata,
    classNames: null,
    preprocessing: { ...UNKNOWN_PREPROCESSING },
    warnings: [],
  };
}

function parametersOf(given: ArchitectureInput, classes: number) {
  const architecture = architectureSchema.parse(given);
  return buildModel({ architecture, classes, batch: 1, mode: 'evaluation' }).parameters;
}

function fileOf(given: ArchitectureInput, classes = 7): Map<string, RawTensor> {
  return new Map(
    parametersOf(given, classes).map(({ name, shape }) => [name, tensor(shape)] as const),
  );
}

const without = (tensors: Map<string, RawTensor>, pattern: RegExp) =>
  new Map([...tensors].filter(([name]) => !pattern.test(name)));

describe('the architecture is read from names and shapes', () => {
  test.each(KNOWN)('%j', (given) => {
    const tensors = fileOf(given);
    const { report, read } = matchWeights(rawOf(tensors));
    expect(report).toMatchObject({
      architecture: architectureSchema.parse(given),
      classes: 7,
      missing: [],
      unexpected: [],
      wrongShape: [],
      reinitialised: [],
      strict: true,
    });
    expect(report.matched).toHaveLength(tensors.size);
    expect(new Set(report.matched.map(({ how }) => how))).toEqual(new Set([null]));
    expect(new Set(read().keys())).toEqual(new Set(tensors.keys()));
  });

  test('the size that the file names, and the dialect of our own exports', () => {
    const file = rawOf(fileOf({ name: 'resnet18', image: 32 }));
    const sized = matchWeights({ ...file, preprocessing: { ...file.preprocessing, size: 176 } });
    expect(sized.report.architecture.image).toBe(176);
    const spec = architectureSchema.parse({ name: 'mobilenetv2', image: 96, dialect: 'keras' });
    const metadata = { [METADATA_KEYS.architecture]: JSON.stringify(spec) };
    const own = matchWeights(rawOf(fileOf(spec), metadata));
    expect(own.report.architecture).toMatchObject({ dialect: 'keras', image: 96 });
  });

  test('metadata that is not ours decides nothing', () => {
    for (const text of ['resnet', '{"name":"resnet900"}', 'null']) {
      const metadata = { [METADATA_KEYS.architecture]: text };
      const { report } = matchWeights(rawOf(fileOf({ name: 'resnet18', image: 64 }), metadata));
      expect(report).toMatchObject({ architecture: { name: 'resnet18' }, strict: true });
    }
  });
});

describe('names that programs put around the tensors', () => {
  test.each(['module.', 'model.', 'backbone.', 'state_dict.module.', '_orig_mod.model.'])(
    'the prefix %s is taken off, and the report names the file’s tensor',
    (prefix) => {
      const tensors = [...fileOf({ name: 'resnet18', image: 64 })].map(
        ([name, each]) => [prefix + name, each] as [string, RawTensor],
      );
      const { report } = matchWeights(rawOf(tensors));
      expect(report.strict).toBe(true);
      expect(report.matched[0]).toMatchObject({
        from: `${prefix}conv1.weight`,
        to: 'conv1.weight',
      });
    },
  );

  test('of two tensors for one name the second is left over', () => {
    const tensors = fileOf({ name: 'resnet18', image: 64 });
    tensors.set('module.conv1.weight', tensor([64, 3, 7, 7]));
    const { report } = matchWeights(rawOf(tensors));
    expect(report.unexpected).toEqual([{ name: 'module.conv1.weight', shape: [64, 3, 7, 7] }]);
    expect(report.strict).toBe(false);
  });

  test('counters are neither missing nor left over', () => {
    const tensors = fileOf({ name: 'resnet18', image: 64 });
    tensors.set('bn1.num_batches_tracked', tensor([]));
    tensors.set('layer1.0.bn1.num_batches_tracked', tensor([1]));
    expect(matchWeights(rawOf(tensors)).report.strict).toBe(true);
  });
});

describe('what does not fit is listed, each tensor once', () => {
  test('missing, left over, another shape', () => {
    const tensors = without(fileOf({ name: 'resnet18', image: 64 }), /^layer4\.1\.bn2\.bias$/);
    tensors.set('ema.decay', tensor([1]));
    tensors.set('layer1.0.conv1.weight', tensor([64, 64, 1, 1]));
    const { report, read } = matchWeights(rawOf(tensors));
    expect(report.missing).toEqual([{ name: 'layer4.1.bn2.bias', shape: [512] }]);
    expect(report.unexpected).toEqual([{ name: 'ema.decay', shape: [1] }]);
    expect(report.wrongShape).toEqual([
      { name: 'layer1.0.conv1.weight', found: [64, 64, 1, 1], needed: [64, 64, 3, 3] },
    ]);
    expect(report.reinitialised.map(({ name }) => name).sort()).toEqual([
      'layer1.0.conv1.weight',
      'layer4.1.bn2.bias',
    ]);
    expect(report.strict).toBe(false);
    expect(read().has('layer1.0.conv1.weight')).toBe(false);
    expect(read().get('layer1.0.conv2.weight')).toHaveLength(64 * 64 * 9);
  });

  test('a file without a head is whole; its head starts at random', () => {
    const { report } = matchWeights(rawOf(without(fileOf(KNOWN[0]!), /^fc\./)));
    expect(report).toMatchObject({ classes: null, missing: [], strict: true });
    expect(report.reinitialised).toEqual([
      { name: 'fc.weight', why: 'the file has no head' },
      { name: 'fc.bias', why: 'the file has no head' },
    ]);
  });

  test('half a head is a fault of the file', () => {
    const { report } = matchWeights(rawOf(without(fileOf(KNOWN[0]!), /^fc\.bias/)));
    expect(report).toMatchObject({ classes: 7, strict: false });
    expect(report.missing).toEqual([{ name: 'fc.bias', shape: [7] }]);
  });

  test('a head whose parts disagree is a fault of the file', () => {
    const tensors = fileOf(KNOWN[0]!).set('fc.bias', tensor([1000]));
    const { report, read } = matchWeights(rawOf(tensors));
    expect(report).toMatchObject({ classes: 7, strict: false, missing: [] });
    expect(report.wrongShape).toEqual([{ name: 'fc.bias', found: [1000], needed: [7] }]);
    expect(read().has('fc.weight')).toBe(true);
  });

  test('a named architecture is met even where little fits', () => {
    const file = rawOf(fileOf({ name: 'resnet50', image: 64 }));
    const { report } = matchWeights(file, { architecture: 'resnet18' });
    expect(report.architecture.name).toBe('resnet18');
    expect(report.strict).toBe(false);
    expect(report.wrongShape.map(({ name }) => name)).toContain('fc.weight');
    expect(report.unexpected.map(({ name }) => name)).toContain('layer1.0.conv3.weight');
  });
});

describe('networks that are not ours are named and refused', () => {
  const renamed = (from: string, to: string) =>
    [...fileOf({ name: 'resnet50', image: 64 })].map(
      ([name, each]) => [name === from ? to : name, each] as [string, RawTensor],
    );
  const resnet50With = (...more: [string, number[]][]) => [
    ...fileOf({ name: 'resnet50', image: 64 }),
    ...more.map(([name, shape]) => [name, tensor(shape)] as [string, RawTensor]),
  ];
  test.each<[string, [string, RawTensor][], string]>([
    [
      'a deep stem',
      [...renamed('conv1.weight', 'conv1.0.weight'), ['conv1.3.weight', tensor([32, 32, 3, 3])]],
      'deep stem',
    ],
    [
      'pooled shortcuts',
      renamed('layer2.0.downsample.0.weight', 'layer2.0.downsample.1.weight').filter(
        ([name, { shape }]) => name !== 'layer2.0.downsample.1.weight' || shape.length === 4,
      ),
      'average-pooled shortcuts',
    ],
    ['squeeze-and-excitation', resnet50With(['layer1.0.se.fc1.weight', [8, 256, 1, 1]]), 'squeeze'],
    ['ResNet-101', resnet50With(['layer3.22.conv3.weight', [1024, 256, 1, 1]]), 'ResNet-101'],
    ['ResNeXt', resnet50With(['layer1.0.conv2.weight', [128, 4, 3, 3]]), 'ResNeXt'],
    ['Wide ResNet', resnet50With(['layer1.0.conv2.weight', [128, 128, 3, 3]]), 'Wide ResNet'],
    ['a transformer', [['cls_token', tensor([1, 1, 384])]], 'vision transformer'],
    ['folded BatchNorm', [['onnx::Conv_193', tensor([64, 3, 7, 7])]], 'folded'],
  ])('%s', (_, tensors, title) => {
    const match = () => matchWeights(rawOf(tensors), { architecture: 'resnet50' });
    expect(match).toThrow(expect.objectContaining({ code: 'unsupported' }));
    expect(match).toThrow(title);
  });

  test('anything else says what came nearest', () => {
    const file = rawOf([
      ['conv1.weight', tensor([64, 3, 7, 7])],
      ['transformer.weight', tensor([5, 5])],
    ]);
    expect(() => matchWeights(file)).toThrow(
      /no architecture fits.*the nearest is .*resnet\d+, of whose tensors the file has 1$/,
    );
    expect(() => matchWeights(rawOf([]))).toThrow('no architecture fits');
  });
});

describe('one channel and three', () => {
  test('the filter of grey images sums the colours’; of colours, a third each', () => {
    const rgb = Float32Array.of(1, 2, 10, 20, 100, 200, 3, 4, 30, 40, 300, 400);
    expect([...rgbToGrey(rgb, [2, 3, 1, 2])]).toEqual([111, 222, 333, 444]);
    const grey = Float32Array.of(3, 6, 9, 12);
    expect([...greyToRgb(grey, [2, 1, 1, 2])]).toEqual([1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4]);
    expect([...rgbToGrey(greyToRgb(grey, [2, 1, 1, 2]), [2, 3, 1, 2])]).toEqual([...grey]);
  });

  test.each([1, 3] as const)('a file of the other kind for %i channels', (channels) => {
    const file = rawOf(fileOf({ name: 'resnet18', image: 64, channels: channels === 1 ? 3 : 1 }));
    const { report, read } = matchWeights(file, { channels });
    expect(report.architecture.channels).toBe(channels);
    expect(report.strict).toBe(true);
    expect(report.matched[0]).toMatchObject({
      to: 'conv1.weight',
      shape: [64, channels, 7, 7],
      how: expect.stringMatching(channels === 1 ? /^3 channels to 1/ : /^1 channel to 3/),
    });
    expect(read().get('conv1.weight')).toHaveLength(64 * channels * 49);
  });
});
