import * as tf from '@tensorflow/tfjs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toTorchNames, whyNoTorchNames } from '../../engine/checkpoints/keras.ts';
import { matchWeights } from '../../engine/checkpoints/match.ts';
import type { KerasLayer, KerasWeights } from '../../engine/formats/keras-topology.ts';
import { readTfjsLayers } from '../../engine/formats/tfjs-layers.ts';
import type { RawTensor, RawWeights } from '../../engine/formats/weights.ts';
import { UNKNOWN_PREPROCESSING } from '../../engine/formats/told.ts';
import { OnnxInference } from '../../engine/runtime/onnx/trainer.ts';
import {
  kerasDenseNet121,
  kerasMobileNetV2,
  saveModel,
  scramble,
} from './checkpoints-keras-graphs.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carryover-keras-names-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const CLASSES = 3;

describe('a Keras graph in our architecture', () => {
  it.each([
    // 36 is 18, 9, 5, 3 after its strides: even and odd sides, which Keras pads unlike each other.
    ['MobileNetV2', 36, () => kerasMobileNetV2(36, 0.25, CLASSES), 'mobilenetv2', 'keras'],
    ['DenseNet121', 32, () => kerasDenseNet121(32, 8, CLASSES), 'densenet121', 'torchvision'],
  ] as const)(
    '%s gives the same logits as in TensorFlow.js',
    async (_, side, build, name, dialect) => {
      const model = build();
      scramble(model);
      const raw = await readTfjsLayers(await saveModel(model, folder));
      const { report, read } = matchWeights(raw);
      expect(report).toMatchObject({ strict: true, classes: CLASSES });
      expect(report.architecture).toMatchObject({ name, dialect, image: side });
      const images = tf.randomUniform([2, side, side, 3], -1, 1, 'float32', 5) as tf.Tensor4D;
      const inference = await OnnxInference.create(
        { architecture: report.architecture, classes: CLASSES, batch: 2 },
        read(),
        { threads: 1 },
      );
      const { logits } = await inference.run(
        tf.transpose(images, [0, 3, 1, 2]).dataSync() as Float32Array,
        2,
      );
      await inference.close();
      const theirs = (model.predict(images) as tf.Tensor).dataSync();
      const scale = Math.max(...theirs.map(Math.abs));
      logits.forEach((value, i) => expect(Math.abs(value - theirs[i]!) / scale).toBeLessThan(1e-4));
    },
  );
});

describe('toTorchNames', () => {
  const mobile = (layer: string, role: string) =>
    toTorchNames(mobileWeights())!.origins.get(`${layer}.${role}`);

  it('says for every tensor where it came from and what was done', () => {
    expect(mobile('features.0.0', 'weight')).toEqual({
      from: 'Conv1/kernel',
      how: 'renamed, HWIO to OIHW',
    });
    expect(mobile('features.2.conv.1.0', 'weight')).toEqual({
      from: 'block_1_depthwise/depthwise_kernel',
      how: 'renamed, HWC1 to C1HW',
    });
    expect(mobile('features.17.conv.3', 'running_var')).toEqual({
      from: 'block_16_project_BN/moving_variance',
      how: 'renamed',
    });
    expect(mobile('classifier.1', 'weight')).toEqual({
      from: 'predictions/kernel',
      how: 'renamed, [in, out] to [out, in]',
    });
  });

  it('transposes kernels', () => {
    const raw = mobileWeights();
    raw.tensors.set('Conv1/kernel', tensor([1, 2, 3, 2])); // h, w, in, out
    const { shape, read } = toTorchNames(raw)!.tensors.get('features.0.0.weight')!;
    expect(shape).toEqual([2, 3, 1, 2]);
    expect([...read()]).toEqual([0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]);
  });

  it('takes the same network in names of a model inside a model, of Keras 3 and of :0', () => {
    for (const rename of [
      (name: string) => `mobilenetv2_1.00_224/${name}`,
      (name: string) => name.replace('depthwise_kernel', 'kernel'),
      (name: string) => `${name}:0`,
    ]) {
      const named = toTorchNames(renamed(mobileWeights(), rename))!;
      expect(named.tensors.get('features.2.conv.1.0.weight')?.shape).toEqual([4, 1, 3, 3]);
      expect(named.origins.size).toBe(named.tensors.size);
    }
  });

  it('takes the slashes of the first DenseNet and raises its variances by the difference of epsilons', () => {
    const raw = densenetWeights();
    const slashed = renamed(raw, (name) =>
      name.replace(/^(conv1|pool\d|conv\d_block\d+)_/, '$1/').replace('_0_bn', '/0_bn'),
    );
    for (const each of [raw, slashed]) {
      const named = toTorchNames(each)!;
      expect(named).toMatchObject({ architecture: 'densenet121', dialect: 'torchvision' });
      const variance = named.tensors.get('features.denseblock2.denselayer3.norm1.running_var')!;
      const shift = 1.001e-5 - 1e-5;
      expect(variance.read()[0]).toBe(Math.fround(shift));
      expect(named.origins.get('features.norm5.running_var')?.how).toContain('1.00e-8');
    }
  });

  it('goes by the epsilon that the file states', () => {
    const raw = mobileWeights();
    const stated = [layer('bn_Conv1', 'BatchNormalization', { epsilon: 0.01 })];
    const named = toTorchNames({ ...raw, layers: stated } as KerasWeights)!;
    expect(named.tensors.get('features.0.1.running_var')!.read()[1]).toBeCloseTo(1.009, 6);
    expect(named.tensors.get('features.18.1.running_var')!.read()[1]).toBe(1);
  });

  it('takes a single dense layer of any name for the head, and of several none', () => {
    const one = renamed(mobileWeights(), (name) => name.replace('predictions', 'my_head'));
    expect(toTorchNames(one)!.origins.get('classifier.1.bias')?.from).toBe('my_head/bias');
    const two = { ...one, tensors: new Map([...one.tensors, ['more/kernel', tensor([4, 2])]]) };
    const named = toTorchNames(two)!;
    expect(named.tensors.has('classifier.1.weight')).toBe(false);
    expect(named.tensors.has('my_head/kernel')).toBe(true);
  });

  it('tells what Keras fed its own weights', () => {
    expect(toTorchNames(mobileWeights())!.warnings.join()).toContain('from -1 to 1');
  });

  it('leaves other formats and other networks alone', () => {
    const other: RawWeights = { ...mobileWeights(), format: 'safetensors' };
    expect(toTorchNames(other)).toBeNull();
    expect(whyNoTorchNames(other)).toBeNull();
  });
});

describe('whyNoTorchNames', () => {
  it.each([
    ['conv2_block1_3_conv/kernel', /stride in the first 1x1 .* biases/],
    ['res2a_branch2a/kernel:0', /stride in the first 1x1/],
    ['conv4_block25_1_conv/kernel', /DenseNet-169 or -201/],
    ['conv_dw_1/depthwise_kernel', /version 1/],
    ['my_layer/kernel', /not named as those of MobileNetV2 and DenseNet121/],
    ['layers/conv2d/vars/0', /bring the whole model/],
  ])('explains %s', (name, why) => {
    const raw = weights(new Map([[name, tensor([1])]]));
    expect(toTorchNames(raw)).toBeNull();
    expect(whyNoTorchNames(raw)).toMatch(why);
  });

  it('refuses a graph that bears the names and is another', () => {
    const raw = mobileWeights();
    const layers = [layer('block_2_depthwise', 'DepthwiseConv2D', { strides: [2, 2] })];
    const other: KerasWeights = { ...raw, layers };
    expect(toTorchNames(other)).toBeNull();
    expect(whyNoTorchNames(other)).toMatch(
      /"block_2_depthwise" has strides \[2,2\].*another graph/,
    );
  });
});

function layer(name: string, className: string, config: Record<string, unknown>): KerasLayer {
  return { name, className, config, inner: [] };
}

/** Values 0, 1, 2 ... */
function tensor(shape: number[]): RawTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, dtype: 'float32', read: () => Float32Array.from({ length: size }, (_, i) => i) };
}

function weights(tensors: Map<string, RawTensor>): RawWeights {
  const preprocessing = UNKNOWN_PREPROCESSING;
  const format = 'keras-h5' as const;
  return { format, tensors, metadata: {}, classNames: null, preprocessing, warnings: [] };
}

function renamed(raw: RawWeights, rename: (name: string) => string): RawWeights {
  return { ...raw, tensors: new Map([...raw.tensors].map(([name, each]) => [rename(name), each])) };
}

function norm(name: string): [string, RawTensor][] {
  const roles = ['gamma', 'beta', 'moving_mean', 'moving_variance'];
  return roles.map((role) => [`${name}/${role}`, tensor([2])]);
}

/** MobileNetV2's names, with tensors of any size. */
function mobileWeights(): RawWeights {
  const blocks = ['expanded_conv', ...Array.from({ length: 16 }, (_, i) => `block_${i + 1}`)];
  const inner = blocks.flatMap(
    (block, index): [string, RawTensor][] =>
      [
        ...(index === 0 ? [] : [[`${block}_expand/kernel`, tensor([1, 1, 2, 4])] as const]),
        ...(index === 0 ? [] : norm(`${block}_expand_BN`)),
        [`${block}_depthwise/depthwise_kernel`, tensor([3, 3, 4, 1])],
        ...norm(`${block}_depthwise_BN`),
        [`${block}_project/kernel`, tensor([1, 1, 4, 2])],
        ...norm(`${block}_project_BN`),
      ] as [string, RawTensor][],
  );
  return weights(
    new Map([
      ['Conv1/kernel', tensor([3, 3, 3, 2])],
      ...norm('bn_Conv1'),
      ...inner,
      ['Conv_1/kernel', tensor([1, 1, 2, 4])],
      ...norm('Conv_1_bn'),
      ['predictions/kernel', tensor([4, 3])],
      ['predictions/bias', tensor([3])],
    ]),
  );
}

/** DenseNet121's names, with tensors of any size. */
function densenetWeights(): RawWeights {
  const layers = [6, 12, 24, 16].flatMap((count, index) =>
    Array.from({ length: count }, (_, i) => `conv${index + 2}_block${i + 1}`),
  );
  return weights(
    new Map([
      ['conv1_conv/kernel', tensor([7, 7, 3, 2])],
      ...norm('conv1_bn'),
      ...layers.flatMap((name): [string, RawTensor][] => [
        ...norm(`${name}_0_bn`),
        [`${name}_1_conv/kernel`, tensor([1, 1, 2, 4])],
        ...norm(`${name}_1_bn`),
        [`${name}_2_conv/kernel`, tensor([3, 3, 4, 2])],
      ]),
      ...[2, 3, 4].flatMap((n): [string, RawTensor][] => [
        ...norm(`pool${n}_bn`),
        [`pool${n}_conv/kernel`, tensor([1, 1, 2, 1])],
      ]),
      ...norm('bn'),
    ]),
  );
}
